/** What a program for Node.js does with the package; prints what came of it as JSON. */
import { readFile } from "node:fs/promises";
import { run, VerirunError, verify } from "verirun";

const [hello, tour, packed, zip] = process.argv.slice(2);
const text = async (stream) => {
  let all = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) all += part;
  return all;
};

const task = run(hello, { args: ["Node"] });
const streamed = await text(task.stdout);
const first = await task;

const engines = {};
for (const engine of ["interpreter", "browser", "both"]) {
  const { outcome, stats, trace, engines: ran } = await run(await readFile(tour), { engine, trace: true, name: "tour.wasm" });
  engines[engine] = { outcome, stats, trace, ran: ran.ran };
}

const endless = { wat: '(module (memory (export "memory") 1) (func (export "_start") (loop $ever (br $ever))))' };
const began = run(endless, { onStatus: () => began.cancel() });
const cancelled = await began;
const away = run(endless, { engine: "browser", onStatus: () => away.cancel() });
const stopped = await away;
const aborted = await run(endless, { signal: AbortSignal.timeout(200) }).then(
  () => "it ended",
  (error) => error.name,
);
const missing = await run("./nowhere.wasm").catch((error) => error);

// As where pages are made on a server.
const { WasmTask } = await import("verirun/wasm-task");
const { verdict } = await verify(first.receipt, { module: hello });

const archives = [{ format: "zip", content: await readFile(zip), path: "in" }];
const laid = await run(hello, { archives });
const again = await verify(laid.receipt, { module: hello, archives });
const without = await verify(laid.receipt, { module: hello, files: { other: "" } });
// By its path, and as bytes.
const packages = [await verify(packed), await verify(await readFile(packed))];

console.log(
  JSON.stringify({
    streamed,
    same: streamed === first.stdoutText,
    exitCode: first.exitCode,
    engines,
    cancelled: cancelled.outcome.kind,
    stopped: stopped.outcome.kind,
    aborted,
    verdict,
    archives: [again.verdict, without.verdict],
    packages: packages.map(({ verdict }) => verdict),
    element: typeof WasmTask,
    missing: { code: missing.code, hint: missing.hint, ours: missing instanceof VerirunError },
  }),
);
// Nothing is closed: the process must end by itself.
