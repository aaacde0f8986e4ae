/** Checkpoints are the same on the interpreter and on the browser's own engine, with JSPI and without. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openSite, openSiteUnder, siteFile, visit } from "./support/page.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

const NO_JSPI = "delete WebAssembly.Suspending; delete WebAssembly.promising";
const text = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const PROGRAMS = { sieve: text("../../docs/demo/sieve.wat"), busy: text("../receipt/busy.wat") };

let over;
const places = [];
before(async () => {
  over = mkdtempSync(join(tmpdir(), "verirun-"));
  writeFileSync(join(over, "worker.js"), `${NO_JSPI};\n${readFileSync(siteFile("worker.js"), "utf8")}`);
  for (const site of [await openSite(), await openSiteUnder(over)]) {
    const visitor = await visit(site);
    places.push({ site, visitor });
    await startWorker(visitor.page);
  }
});
after(async () => {
  for (const { site, visitor } of places) {
    await visitor.done();
    await site.close();
  }
  rmSync(over, { recursive: true });
});

for (const [name, program] of Object.entries(PROGRAMS)) {
  test(`checkpoints of ${name}`, async () => {
    const receipts = [];
    for (const { visitor } of places) {
      for (const engine of ["interpreter", "browser"]) {
        const request = { text: program, name: `${name}.wat`, commit: true, engine };
        const { receipt, engines } = await runInWorker(visitor.page, request);
        assert.equal(engines.ran, engine);
        receipts.push(receipt);
      }
    }
    const [first, ...others] = receipts;
    assert.ok(Number(first.receipt.checkpoints.count) > 5);
    for (const other of others) assert.deepEqual(other, first);
  });
}

test("a fault in a global is the same on both engines", async () => {
  const receipts = [];
  for (const { visitor } of places) {
    for (const engine of ["interpreter", "browser"]) {
      const request = { text: PROGRAMS.busy, name: "busy.wat", commit: true, engine, fault: "3000000:global:4:100" };
      const { receipt, engines } = await runInWorker(visitor.page, request);
      assert.equal(engines.ran, engine);
      receipts.push(receipt);
    }
  }
  const [first, ...others] = receipts;
  assert.equal(first.given.fault, "3000000:global:4:100");
  for (const other of others) assert.deepEqual(other, first);
});

test("a fault shows in the checkpoints and in the receipt", async () => {
  const [{ visitor }] = places;
  const run = (more) =>
    runInWorker(visitor.page, { text: PROGRAMS.sieve, name: "sieve.wat", commit: true, engine: "browser", ...more });
  const [right, wrong] = [await run({}), await run({ fault: "9000000:5000:0" })];
  assert.equal(wrong.receipt.given.fault, "9000000:5000:0");
  assert.notEqual(wrong.stdout, right.stdout);
  assert.notEqual(wrong.receipt.receipt.checkpoints.root, right.receipt.receipt.checkpoints.root);
});
