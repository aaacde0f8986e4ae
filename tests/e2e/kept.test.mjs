/** Instrumented modules that the browser keeps between visits: used when whole, made again when not, never needed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { drop, headline, openSite, openSiteUnder, siteFile, visit } from "./support/page.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

/** Large enough to be kept; `what` makes another module of it. */
const large = (what) => `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8)
  (data (i32.const 64) "${what}\\n")
  (data (i32.const 1024) "${"x".repeat(300_000)}")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const ${what.length + 1}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))`;

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const run = (page, what, engine = "browser") => runInWorker(page, { text: large(what), name: "large", engine });

/** The addresses of what is kept, and when each was used. */
const kept = (page) =>
  page.evaluate(async () => {
    const store = await caches.open("verirun-instrumented");
    const urls = (await store.keys()).map(({ url }) => url).filter((url) => !url.endsWith("uses.json"));
    const uses = (await (await store.match("/verirun-instrumented/uses.json"))?.json()) ?? {};
    return { urls, uses };
  });

/** Waits until so many are kept: that goes on beside a run. */
const untilKept = async (page, count) => {
  await page.waitForFunction(async (count) => {
    const store = await caches.open("verirun-instrumented");
    const names = (await store.keys()).map(({ url }) => url);
    return names.filter((url) => !url.endsWith("uses.json")).length === count && (await store.match("/verirun-instrumented/uses.json"));
  }, count);
  return kept(page);
};

/** Waits until anything is kept. */
const keptSome = async (page) => {
  await page.waitForFunction(async () => {
    const store = await caches.open("verirun-instrumented");
    return (await store.keys()).length > 1 && (await store.match("/verirun-instrumented/uses.json"));
  });
  return kept(page);
};

/** A second visit with the storage of the first, and a worker of its own. */
async function again({ page }) {
  const next = await page.context().newPage();
  await next.goto(page.url());
  await next.locator('#program[data-state="good"]').waitFor();
  await startWorker(next);
  return next;
}

/** Replaces the bytes of the one entry by what `change` makes of them. */
const damage = (page, change) =>
  page.evaluate(async (change) => {
    const store = await caches.open("verirun-instrumented");
    const [request] = (await store.keys()).filter(({ url }) => !url.endsWith("uses.json"));
    const bytes = new Uint8Array(await (await store.match(request)).arrayBuffer());
    const changed = change === "flip" ? bytes.with(bytes.length - 10, bytes.at(-10) ^ 1) : bytes.slice(0, bytes.length / 2);
    await store.put(request, new Response(changed));
  }, change);

test("a module is kept, and used at the next visit; what is damaged is made again", async () => {
  const visitor = await visit(site);
  const { page } = visitor;
  await startWorker(page);
  const first = await run(page, "first");
  assert.equal(first.stdout, "first\n");
  assert.deepEqual(first.engines, { ran: "browser", instead: null, compared: false });
  const { urls, uses } = await untilKept(page, 1);
  assert.match(urls[0], /\/verirun-instrumented\/[0-9a-f]{64}-profile-\d+-[0-9a-f]{16}\?bytes=\d+&sha256=[0-9a-f]{64}$/);
  const [name] = Object.keys(uses);

  const second = await again(visitor);
  assert.deepEqual(await run(second, "first"), first);
  const used = await kept(second);
  assert.deepEqual(used.urls, urls);
  assert.ok(used.uses[name] > uses[name], "it was found, and its digest is right");

  for (const change of ["flip", "cut"]) {
    await damage(page, change);
    const next = await again(visitor);
    assert.deepEqual(await run(next, "first"), first, change);
    const made = await untilKept(next, 1);
    assert.deepEqual(made.urls, urls, "the same bytes are kept again");
    const whole = await next.evaluate(async (url) => {
      const bytes = await (await (await caches.open("verirun-instrumented")).match(url)).arrayBuffer();
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      return url.endsWith(Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    }, urls[0]);
    assert.ok(whole, change);
  }
  await visitor.done();
});

test("what is kept of another module is not used, even if its digest is right", async () => {
  const visitor = await visit(site);
  await startWorker(visitor.page);
  await run(visitor.page, "first");
  await untilKept(visitor.page, 1);
  await run(visitor.page, "other");
  const { urls } = await untilKept(visitor.page, 2);
  // Each under the other's name.
  await visitor.page.evaluate(async (urls) => {
    const store = await caches.open("verirun-instrumented");
    const [a, b] = await Promise.all(urls.map(async (url) => new Response(await (await store.match(url)).blob())));
    const [nameA, nameB] = urls.map((url) => url.split("?")[0]);
    const [queryA, queryB] = urls.map((url) => url.split("?")[1]);
    for (const url of urls) await store.delete(url);
    await store.put(`${nameA}?${queryB}`, b);
    await store.put(`${nameB}?${queryA}`, a);
  }, urls);
  const next = await again(visitor);
  assert.equal((await run(next, "first")).stdout, "first\n");
  assert.equal((await run(next, "other")).stdout, "other\n");
  await visitor.done();
});

test("the interpreter neither keeps nor uses anything", async () => {
  const visitor = await visit(site);
  await startWorker(visitor.page);
  await run(visitor.page, "first", "interpreter");
  await run(visitor.page, "other");
  const { uses } = await untilKept(visitor.page, 1);
  const next = await again(visitor);
  await run(next, "other", "interpreter");
  assert.deepEqual((await kept(next)).uses, uses);
  await visitor.done();
});

for (const [what, script] of [
  ["without storage", "Object.defineProperty(globalThis, 'caches', { value: undefined })"],
  ["where storage is not allowed", "CacheStorage.prototype.open = () => Promise.reject(new DOMException('no', 'SecurityError'))"],
  ["where storage is full", "Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))"],
]) {
  test(`it runs ${what}`, async () => {
    const over = mkdtempSync(join(tmpdir(), "verirun-"));
    writeFileSync(join(over, "worker.js"), `${script};\n${readFileSync(siteFile("worker.js"), "utf8")}`);
    const broken = await openSiteUnder(over);
    const visitor = await visit(broken);
    await startWorker(visitor.page);
    for (let time = 0; time < 2; time += 1) assert.equal((await run(visitor.page, "first")).stdout, "first\n");
    // A whole worker, in the same browser, keeps its module beside a run: had the broken one kept something, it were here by then.
    const whole = await visitor.page.context().newPage();
    await whole.route(/\/worker\.js/, (route) => route.fulfill({ path: siteFile("worker.js"), contentType: "text/javascript" }));
    await whole.goto(broken.url);
    await startWorker(whole);
    assert.equal((await run(whole, "other")).stdout, "other\n");
    const { urls } = await keptSome(whole);
    assert.equal(urls.length, 1, "only the whole worker kept something");
    await visitor.done();
    await broken.close();
    rmSync(over, { recursive: true });
  });
}

test("the page says how much is kept, and drops it", async () => {
  const visitor = await visit(site);
  const { page } = visitor;
  await drop(page, [{ name: "large.wat", bytes: large("page") }]);
  await page.locator('#program[data-state="good"] strong', { hasText: "large.wat" }).waitFor();
  await page.locator("#engineFold").evaluate((fold) => (fold.open = true));
  await page.locator("#engine").selectOption("browser");
  assert.equal(await page.locator("#clearKept").isVisible(), false);
  await page.locator("#run").click();
  await headline(page, "Finished");
  await untilKept(page, 1);
  await page.locator("#engineFold summary").click();
  await page.locator("#engineFold summary").click();
  await page.locator("#engineFold", { hasText: /kept in this browser: 1 program, \d/ }).waitFor();
  await page.locator("#clearKept").click();
  await page.locator("#engineFold", { hasText: "Nothing is kept any more." }).waitFor();
  assert.equal(await page.locator("#clearKept").isVisible(), false);
  assert.deepEqual((await kept(page)).urls, []);
  await visitor.done();
});
