/** Runs a command on node:wasi, in a process of its own: node <this> <module> <folder> <args…>, stdin passed on. */
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [module, folder, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args, env: {}, preopens: { "/": folder } });
const instance = await WebAssembly.instantiate(await WebAssembly.compile(await readFile(module)), wasi.getImportObject());
process.exitCode = wasi.start(instance);
