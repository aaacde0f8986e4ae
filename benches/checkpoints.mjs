// What checkpoints cost in Chromium: each program on both engines, with and without them.
//
//   node benches/checkpoints.mjs [ROUNDS] [PROGRAM...]
//
// Prints, for each, the processor time of a run (the mean over a row of ROUNDS runs, all threads of the page's process,
// the least of three rows), and the shortest time from start to end. VERIRUN_SITE is another site than dist/.
import { readFileSync } from "node:fs";
import { openSite, visit } from "../tests/e2e/support/page.mjs";
import { runInWorker, startWorker } from "../tests/e2e/support/worker.mjs";

const sieve = readFileSync(new URL("../docs/demo/sieve.wat", import.meta.url), "utf8");
/** Changes each 64th byte of 16 MiB, over and over. */
const touch = `(module (memory (export "memory") 256) (func (export "_start") (local $i i32) (local $n i32)
  (loop $again
    (local.set $i (i32.const 0))
    (loop $next
      (i32.store8 (local.get $i) (local.get $n))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 64))) (i32.const 16777216))))
    (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 400))))))`;
/** Has no memory at all. */
const loop = `(module (global $n (mut i64) (i64.const 0)) (func (export "_start")
  (loop $next
    (global.set $n (i64.add (global.get $n) (i64.const 1)))
    (br_if $next (i64.lt_u (global.get $n) (i64.const 100000000))))))`;
const PROGRAMS = {
  loop: { text: loop, name: "loop.wat" },
  sieve: { text: sieve, name: "sieve.wat" },
  touch: { text: touch, name: "touch.wat" },
  raytrace: { url: "tasks/raytrace/raytrace.wasm", name: "raytrace.wasm" },
  python: { url: "tasks/python/python.wasm", name: "python.wasm", args: ["-c", "print(sum(i * i for i in range(300000)))"] },
};

const [rounds = "10", ...named] = process.argv.slice(2);
const site = await openSite();
const browser = await site.browser.newBrowserCDPSession();
const { page, done } = await visit(site);
page.setDefaultTimeout(600_000);
await startWorker(page);

/** Seconds of processor time that the browser's pages took so far. */
async function spent() {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  return processInfo.filter(({ type }) => type === "renderer").reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

/** A row of runs: the system counts processor time in hundredths of a second, which is too coarse for one. */
async function row(request, count) {
  const before = await spent();
  const runs = [];
  while (runs.length < count) {
    const { outcome, engines, stats, elapsedMs, receipt } = await runInWorker(page, { ...request, timed: true });
    if (outcome.kind !== "exit" || engines.ran !== request.engine) throw new Error(JSON.stringify({ outcome, engines }));
    runs.push({ elapsedMs, stats, ...receipt?.receipt.checkpoints });
  }
  return { cpu: (1000 * ((await spent()) - before)) / count, ms: Math.min(...runs.map(({ elapsedMs }) => elapsedMs)), ...runs[0] };
}

/** The least of each. */
const least = (rows, what) => Math.min(...rows.map((row) => row[what]));
const ROWS = 3;
console.log("program engine steps pages checkpoints interval | ms of processor time without, with, ratio | shortest ms without, with, ratio");
for (const [name, program] of Object.entries(PROGRAMS)) {
  if (named.length && !named.includes(name)) continue;
  for (const engine of ["browser", "interpreter"]) {
    const rows = { without: [], with: [] };
    const each = engine === "browser" ? Number(rounds) : 1;
    await row({ ...program, engine }, 2);
    await row({ ...program, engine, commit: true }, 2);
    for (let index = 0; index < ROWS; index++) {
      rows.without.push(await row({ ...program, engine }, each));
      rows.with.push(await row({ ...program, engine, commit: true }, each));
    }
    const [{ stats, count, interval }] = rows.with;
    const compared = ["cpu", "ms"].map((what) => {
      const [a, b] = [least(rows.without, what), least(rows.with, what)];
      return [a.toFixed(1), b.toFixed(1), (b / a).toFixed(2)].join(" ");
    });
    console.log(name, engine, stats.steps, stats.peakMemoryPages, count, interval, "|", compared.join(" | "));
  }
}
await done();
await site.close();
