import { run, VerirunError, type RunResult } from "verirun";
import "verirun/wasm-task";

const said = document.querySelector("#said") as HTMLOutputElement;

try {
  const result: RunResult = await run("./greeting.wat", { args: ["x"], limits: { gas: 1_000_000n } });
  said.value = `${result.exitCode}: ${result.stdoutText}`;
} catch (error) {
  said.value = error instanceof VerirunError ? `${error.code}: ${error.message} ${error.hint}` : String(error);
}

const task = document.querySelector("wasm-task");
// The element's types are known too.
task?.addEventListener("done", () => document.body.setAttribute("data-done", task.state));
void task?.run();
