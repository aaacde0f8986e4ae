/** The API's workers between runs, bundled from its TypeScript, with a clock of the test's own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { Pool } = await load("api/pool.ts");

/** A pool whose workers only note that they were ended. */
function pool() {
  const workers = [];
  const platform = {
    parallel: 4,
    workerHint: "",
    compile: async () => null,
    spawn() {
      const worker = { ended: false, terminate: () => (worker.ended = true), postMessage() {}, onmessage: null, onerror: null };
      workers.push(worker);
      return worker;
    },
  };
  return { pool: new Pool(platform), workers, ended: () => workers.map(({ ended }) => ended) };
}

test("a worker that nobody uses is ended after a while, with all that it holds", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pool: one, workers, ended } = pool();
  const first = await one.acquire();
  one.release(first, true);
  t.mock.timers.tick(29_000);
  const again = await one.acquire();
  assert.equal(again, first, "it is used again meanwhile");
  t.mock.timers.tick(60_000);
  assert.deepEqual(ended(), [false], "and not ended while it runs");
  one.release(again, true);
  t.mock.timers.tick(29_000);
  assert.deepEqual(ended(), [false]);
  t.mock.timers.tick(1000);
  assert.deepEqual(ended(), [true]);
  assert.notEqual(await one.acquire(), first, "who comes later gets another");
  assert.equal(workers.length, 2);
});

test("two are kept, and what holds too much is ended at once", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { pool: one, ended } = pool();
  const slots = [await one.acquire(), await one.acquire(), await one.acquire(), await one.acquire()];
  one.release(slots[0], false);
  for (const slot of slots.slice(1)) one.release(slot, true);
  assert.deepEqual(ended(), [true, false, false, true]);
  t.mock.timers.tick(30_000);
  assert.deepEqual(ended(), [true, true, true, true]);
});
