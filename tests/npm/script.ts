/** Checked as a program for Node.js would be; script.mjs is what runs. */
import { run, type Run, type RunOptions, VerirunError } from "verirun";

const options: RunOptions = { args: ["a"], env: { A: "b" }, stdin: "text", files: { "a.txt": "x", b: null }, engine: "both" };
const task: Run = run("./program.wasm", options);
const { exitCode, files, stats, outcome } = await task;
const name: string | undefined = outcome.kind === "trap" ? outcome.trap : undefined;
console.log(exitCode, files.get("out")?.bytes?.length, stats.steps, name, VerirunError.name);
