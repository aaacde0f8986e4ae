/** Function tasks dropped on the page, and what the lint says of a program. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { tarOf, zipOf } from "./support/archives.mjs";
import { downloaded, drop, headline, openSite, PHONE, screenshot, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** Writes what `NAME` holds, which it opens relative to descriptor 3, to output.txt. */
const task = (name) => `(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "${name}")
  (data (i32.const 32) "output.txt")
  (data (i32.const 48) "input.txt")
  (func $main (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const ${name.length}) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 64))
      (then unreachable))
    (i32.store (i32.const 72) (i32.const 1024))
    (i32.store (i32.const 76) (i32.const 4096))
    (drop (call $read (i32.load (i32.const 64)) (i32.const 72) (i32.const 1) (i32.const 80)))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 10) (i32.const 9)
          (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 68))
      (then unreachable))
    (i32.store (i32.const 76) (i32.load (i32.const 80)))
    (drop (call $write (i32.load (i32.const 68)) (i32.const 72) (i32.const 1) (i32.const 84)))))`;

const CONFIG = '{"run":{"limits":{"gas":"1000000","memory":"64"}}}';

/** A real folder, dropped as Chromium's own drag and drop does it. */
async function dropFolder(page, files) {
  const folder = join(mkdtempSync(join(tmpdir(), "verirun-")), "mytask");
  mkdirSync(folder);
  for (const [name, content] of files) writeFileSync(join(folder, name), content);
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
  }
  return () => rmSync(join(folder, ".."), { recursive: true });
}

async function output(page) {
  await page.locator('#tree [data-path="output.txt"]').waitFor();
  return (await downloaded(page, () => page.click('#preview button[aria-label="Download output.txt"]'))).toString();
}

test("a function task's folder is dropped and runs", async () => {
  const { page, done } = await visit(site);
  const remove = await dropFolder(page, [
    ["task.wasm", task("input.txt")],
    ["config.json", CONFIG],
    ["input.txt", "from the folder"],
    ["notes.md", "not the task's"],
  ]);
  await page.locator('#program[data-state="good"] strong', { hasText: "task.wasm" }).waitFor();
  await page.locator("#inputs", { hasText: "input.txt" }).waitFor();
  assert.equal(await page.locator("#inputs li").count(), 1, "only the input is an input file");
  await page.locator("#limitsFold summary").click();
  assert.equal(await page.inputValue("#limit-gas"), "1000000");
  assert.equal(await page.inputValue("#limit-memory"), "64");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(await output(page), "from the folder");
  await screenshot(page, "function-task");
  remove();
  await done();
});

test("a zip of it does the same, and fs.tar's files are there", async () => {
  const { page, done } = await visit(site);
  const tar = tarOf(["lib/data", "from fs.tar"]);
  const zip = zipOf(["mine/task.wasm", task("lib/data")], ["mine/fs.tar", tar], ["mine/input.txt", "x"]);
  await drop(page, [{ name: "mine.zip", bytes: zip }]);
  await page.locator("#inputs", { hasText: "fs.tar" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(await output(page), "from fs.tar");
  await done();
});

test("a zip of it can be chosen where nothing can be dropped; another zip there is refused for what it is", async () => {
  const { page, done } = await visit(site, { viewport: PHONE, hasTouch: true, isMobile: true });
  const choose = (name, buffer) => page.setInputFiles("#programFile", { name, mimeType: "application/zip", buffer: Buffer.from(buffer) });
  assert.match(await page.getAttribute("#programFile", "accept"), /\.zip(,|$)/);
  await choose("mine.zip", zipOf(["mine/task.wasm", task("input.txt")], ["mine/config.json", CONFIG], ["mine/input.txt", "chosen"]));
  await page.locator('#program[data-state="good"] strong', { hasText: "task.wasm" }).waitFor();
  assert.equal(await page.inputValue("#limit-gas"), "1000000");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.locator('#tree [data-path="output.txt"]').waitFor({ state: "attached" });
  await choose("other.zip", zipOf(["readme.txt", "no task"]));
  await page.locator(".alert", { hasText: "other.zip" }).filter({ hasText: "task.wasm" }).waitFor();
  await page.locator('#program[data-state="good"] strong', { hasText: "task.wasm" }).waitFor({ state: "attached" });
  await done();
});

test("a sample that still loads comes, whatever is refused meanwhile", async () => {
  const { page, done } = await visit(site);
  let release = () => {};
  const held = new Promise((resolve) => (release = resolve));
  await page.route(/fibonacci\/task\.wasm/, async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest(/fibonacci\/task\.wasm/);
  await page.selectOption("#sample", "fibonacci");
  await asked;
  await page.setInputFiles("#programFile", { name: "other.zip", mimeType: "application/zip", buffer: Buffer.from(zipOf(["readme.txt", "no task"])) });
  await page.locator('.alert[data-code="no-task"]').waitFor();
  release();
  await page.locator('#program[data-state="good"] strong', { hasText: "fibonacci" }).waitFor();
  await done();
});

test("without output it failed, and a bad configuration is named", async () => {
  const { page, done } = await visit(site);
  await drop(page, [{ name: "t.zip", bytes: zipOf(["task.wasm", task("input.txt")], ["input.txt", ""]) }]);
  await page.locator('#program[data-state="good"] strong', { hasText: "task.wasm" }).waitFor();
  await page.click("#run");
  await headline(page, "output.txt is empty");
  const bad = zipOf(["task.wasm", task("input.txt")], ["config.json", '{"run":{"limits":{"gas":"-5"}}}']);
  await drop(page, [{ name: "bad.zip", bytes: bad }]);
  const alert = page.locator('.alert[data-code="bad-config"]');
  await alert.waitFor();
  assert.match(await alert.innerText(), /run\.limits\.gas is -5/);
  await done();
});

test("the lint tells what is fixed, with places, and what keeps a program from running", async () => {
  // The page's own security policy keeps axe out, so this browser context does not apply it.
  const { page, done } = await visit(site, { bypassCSP: true });
  await drop(page, [{ name: "task.wat", bytes: task("input.txt") }]);
  const lint = page.locator("#program .lint");
  await page.locator("#program strong", { hasText: "task.wat" }).waitFor();
  await lint.locator("summary", { hasText: "nothing to fix" }).click();
  await lint.getByText("It looks like a Truebit function task").waitFor();
  const uses = `(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func $roll (export "_start") (drop (call $random (i32.const 0) (i32.const 8)))
      (drop (f64.sqrt (f64.const 2)))))`;
  await drop(page, [{ name: "uses.wat", bytes: uses }]);
  await lint.locator("summary", { hasText: "random, floats fixed" }).click();
  assert.match(await lint.innerText(), /first at 0x[0-9a-f]+ in roll/);
  await screenshot(page, "lint");
  // The page has no new barrier for whoever uses it without seeing it.
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core/axe.min.js") });
  const found = await page.evaluate(() => globalThis.axe.run("#program"));
  assert.deepEqual(found.violations.map(({ id }) => id), []);
  await drop(page, [{ name: "env.wat", bytes: '(module (import "env" "f" (func)) (func (export "_start")))' }]);
  await lint.getByText("env.f, which a task does not have").waitFor();
  await done();
});
