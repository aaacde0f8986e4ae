/** Makes the runs of tests/golden/traces.json with the site's own runtime, and posts what it found to the test. */
import { program, SAY, TRAPS, UNCLEAR } from "./tests/e2e/support/traps.mjs";

const post = (body) => fetch("golden-results", { method: "POST", body: JSON.stringify(body) });

const utf8 = new TextEncoder();
const bytesAt = async (url) => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};
const sha256 = async (bytes) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** A slice, to its end. */
async function advance(face, run, steps) {
  const state = run.slice(steps);
  if (state !== "pending") return state;
  await face.back();
  return run.slice(steps);
}

/** Runs a case on an engine in slices of `slice` steps. */
async function golden(face, one, slice, engine) {
  const task = new face.Task();
  task.loadModule(one.module.split("/").at(-1), await bytesAt(one.module));
  if (one.input !== undefined) {
    task.createFile("input.txt");
    task.appendFile("input.txt", utf8.encode(one.input));
  }
  const { args = [], env = [], clock, random, seed, limits = {} } = one;
  const stdin = one.live ? "live" : utf8.encode(one.stdin ?? "");
  const run = task.start({ args, env, stdin, clock, random, seed, limits, trace: true, engine });
  const pieces = [...(one.live ?? [])];
  const output = [];
  for (let state = ""; state !== "done"; ) {
    state = await advance(face, run, slice);
    for (const { fd, bytes } of run.takeOutput()) {
      if (fd !== 1) throw new Error(`${one.name}: wrote to ${fd}`);
      output.push(bytes);
    }
    if (state !== "blocked") continue;
    if (pieces.length > 0) run.pushStdin(utf8.encode(pieces.shift()));
    else run.closeStdin();
  }
  const files = run.files();
  for (const file of files) {
    if (file.type !== "file" || file.change === "removed") continue;
    file.sha256 = await sha256(run.readFile(file.path, 0, file.size));
  }
  const stdout = await sha256(new Uint8Array(await new Blob(output).arrayBuffer()));
  const found = { trace: run.trace(), outcome: run.outcome(), stats: run.stats(), stdout, files };
  const engines = run.engines();
  run.free();
  task.free();
  return { found, engines };
}

/** Runs programs that trap; of each what it does on the browser's engine, and what it must do. */
async function traps(face) {
  const all = Object.entries(TRAPS).flatMap(([trap, bodies]) => bodies.map((body) => ({ trap, body })));
  const unclear = Object.entries(UNCLEAR).map(([trap, body]) => ({ trap, body }));
  const found = [];
  for (const { trap, body } of [...all, ...unclear]) {
    const task = new face.Task();
    task.loadModule("trap.wat", utf8.encode(program(SAY + body)));
    const ends = [];
    for (const engine of ["interpreter", "browser"]) {
      const run = task.start({ args: [], env: [], stdin: new Uint8Array(), engine });
      while ((await advance(face, run, 1_000_000)) !== "done");
      ends.push({ outcome: run.outcome(), stats: run.stats(), engines: run.engines() });
      run.free();
    }
    task.free();
    found.push({ trap, body, reference: ends[0], compiled: ends[1] });
  }
  return found;
}

try {
  const face = await import("./verirun.js");
  const exports = await face.default({ module_or_path: await WebAssembly.compile(await bytesAt("verirun_bg.wasm")) });
  const rest = await WebAssembly.compile(await bytesAt("verirun_rest.wasm"));
  face.onRest(() => new WebAssembly.Instance(rest, { first: exports }));
  const cases = JSON.parse(new TextDecoder().decode(await bytesAt("tests/golden/traces.json")));
  const found = [];
  for (const one of cases) {
    found.push([
      await golden(face, one, 1_000_000, "interpreter"),
      await golden(face, one, 997, "interpreter"),
      await golden(face, one, 1_000_000, "browser"),
      await golden(face, one, 997, "browser"),
    ]);
  }
  await post({ browser: navigator.userAgent, suspends: face.suspends(), found, traps: await traps(face) });
} catch (error) {
  await post({ error: String(error?.stack ?? error) });
}
