/** Panes, documents, keys: what the page lets a user arrange, and remembers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS, noSidewaysScroll } from "./support/accessibility.mjs";
import { drop, dropProgram, headline, openSite, PHONE, screenshot, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const box = (page, selector) => page.locator(selector).boundingBox();
const ready = (page) => page.locator('#program[data-state="good"]').waitFor();

test("the lines between panes are moved by keys and by pointer, and stay where they were put", async () => {
  const { page, done } = await visit(site);
  for (const [id, pane, side, less, more] of [
    ["splitSide", "#side", "width", "ArrowLeft", "ArrowRight"],
    ["splitFiles", "#result", "height", "ArrowDown", "ArrowUp"],
    ["splitOutput", "#output", "height", "ArrowDown", "ArrowUp"],
  ]) {
    const line = page.locator(`#${id}`);
    const size = async () => (await box(page, pane))[side];
    const before = await size();
    const value = async () => Number(await line.getAttribute("aria-valuenow"));
    const start = await value();
    await line.focus();
    await page.keyboard.press(more);
    assert.ok((await size()) > before, `${id}: ${more} makes it larger`);
    assert.ok((await value()) > start);
    await page.keyboard.press(less);
    await page.keyboard.press(less);
    assert.ok((await size()) < before, `${id}: ${less} makes it smaller`);
    await page.keyboard.press("End");
    assert.equal(await value(), Number(await line.getAttribute("aria-valuemax")));
    await page.keyboard.press("Enter");
    assert.equal(await value(), Number(await line.getAttribute("aria-valuemin")), "Enter folds it away");
    await page.keyboard.press("Enter");
    assert.equal(await value(), Number(await line.getAttribute("aria-valuemax")), "and brings it back");
    await line.dblclick({ position: { x: 3, y: 3 } });
    assert.equal(await value(), start, "a double click resets it");
  }
  const line = await box(page, "#splitSide");
  await page.mouse.move(line.x + line.width / 2, line.y + 200);
  await page.mouse.down();
  await page.mouse.move(500, line.y + 220);
  await page.mouse.up();
  const dragged = (await box(page, "#side")).width;
  assert.ok(Math.abs(dragged - 500) < 6, `it is ${dragged} wide`);
  await page.reload();
  await ready(page);
  assert.equal((await box(page, "#side")).width, dragged);
  await done();
});

test("the output stands below or beside the documents, and the page remembers which", async () => {
  const { page, done } = await visit(site);
  const beside = async () => {
    const [docs, output] = [await box(page, "#docs"), await box(page, "#output")];
    return output.x >= docs.x + docs.width - 1 && Math.abs(output.y - docs.y) < 2;
  };
  assert.equal(await beside(), false);
  await page.click("#place");
  assert.equal(await beside(), true);
  assert.equal(await page.getAttribute("#splitOutput", "aria-orientation"), "vertical");
  await page.reload();
  await ready(page);
  assert.equal(await beside(), true);
  await page.click("#place");
  assert.equal(await beside(), false);
  await done();
});

test("documents open in tabs that keys reach, and close; without any the output has the room", async () => {
  const { page, done } = await visit(site);
  await page.locator('#docTabs [role="tab"]', { hasText: "main.rs" }).waitFor();
  await drop(page, [{ name: "notes.txt", bytes: "some notes" }]);
  await page.click('#inputs button[title="Open notes.txt"]');
  const selected = page.locator('#docTabs [aria-selected="true"]');
  assert.equal(await selected.textContent(), "notes.txt");
  await selected.focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await selected.textContent(), "main.rs");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "main.rs", "the focus goes along");
  await page.keyboard.press("Delete");
  assert.equal(await selected.textContent(), "notes.txt");
  const before = (await box(page, "#output")).height;
  await page.click("#closeDoc");
  assert.ok((await box(page, "#output")).height > before + 100);
  await page.click("#openSource");
  assert.equal(await selected.textContent(), "main.rs");
  await done();
});

test("what a run leaves comes to the front, unless someone is writing", async () => {
  const { page, done } = await visit(site);
  await page.selectOption("#sample", "fibonacci");
  await page.locator("#program strong", { hasText: "fibonacci" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  const selected = page.locator('#docTabs [aria-selected="true"]');
  await page.locator('#docTabs [aria-selected="true"]', { hasText: "output.txt" }).waitFor();
  await page.click("#writeWat");
  await page.locator("#docs .cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type(";; mine\n");
  await page.keyboard.press("Control+Enter");
  await headline(page, "Finished with exit code 0");
  assert.equal(await selected.textContent(), "program.wat");
  await done();
});

test("`?` lists the shortcuts, but is text where text is typed; F6 goes round the sections", async () => {
  const { page, done } = await visit(site, { bypassCSP: true });
  await page.focus("#args");
  await page.keyboard.type("?");
  assert.equal(await page.locator("#sheet[open]").count(), 0);
  await page.focus("#run");
  await page.keyboard.press("?");
  await page.locator("#sheet[open]", { hasText: "Pause, or go on" }).waitFor();
  await checkAccessibility(page, "the sheet");
  await screenshot(page, "shortcuts");
  await page.keyboard.press("Escape");
  const visited = [];
  for (let count = 0; count < 5; count++) {
    await page.keyboard.press("F6");
    visited.push(await page.evaluate(() => document.activeElement.id));
  }
  assert.deepEqual(visited, ["setup", "result", "docs", "output", "run"]);
  await page.keyboard.press("Shift+F6");
  assert.equal(await page.evaluate(() => document.activeElement.id), "output");
  await done();
});

test("a run is paused, goes on and is cancelled by keys", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "spin.wat", '(module (memory (export "memory") 1) (func (export "_start") (loop $l (br $l))))');
  await page.keyboard.press("Control+Enter");
  await headline(page, "Running");
  await page.keyboard.press("Control+Shift+Enter");
  await headline(page, "Paused");
  await page.keyboard.press("Control+Shift+Enter");
  await headline(page, "Running");
  await page.keyboard.press("Control+.");
  await headline(page, "Cancelled");
  await done();
});

test("on a phone one section is shown at a time, and each is reached", async () => {
  const { page, done } = await visit(site, { viewport: PHONE, hasTouch: true, isMobile: true });
  for (const [view, visible] of [
    ["docs", "#docs"],
    ["output", "#output"],
    ["result", "#result"],
    ["setup", "#setup"],
  ]) {
    await page.click(`.sections [data-view="${view}"]`);
    await page.locator(visible).waitFor({ state: "visible" });
    assert.equal(await page.getAttribute(`.sections [data-view="${view}"]`, "aria-current"), "true");
    await noSidewaysScroll(page);
  }
  assert.equal(await page.locator(".splitter:visible").count(), 0);
  await done();
});

for (const { name, phone, options } of LOOKS) {
  test(`${name}: previews of every kind have no accessibility violation`, async () => {
    const { page, done } = await visit(site, options);
    const rows = Array.from({ length: 20_000 }, (_, index) => `${index},"name, ${index}",${index * 1.5}`);
    await drop(page, [
      { name: "table.csv", bytes: `id,name,value\n${rows.join("\n")}\n` },
      { name: "data.json", bytes: '{"a":[1,2,{"b":null}]}' },
      { name: "bytes.bin", bytes: Uint8Array.from({ length: 300 }, (_, index) => index % 256) },
    ]);
    const open = async (file, view, text) => {
      if (phone) await page.click('.sections [data-view="setup"]');
      await page.click(`#inputs button[title="Open ${file}"]`);
      if (phone) await page.click('.sections [data-view="docs"]');
      const doc = page.locator("#docs .doc:not([hidden])");
      await doc.locator(`input[value="${view}"]`).check({ force: true });
      await doc.getByText(text).first().waitFor();
      await checkAccessibility(page, `${file} as ${view}`);
      await screenshot(page, `${name}-preview-${view}`);
    };
    await open("table.csv", "table", "name, 12");
    const doc = page.locator("#docs .doc:not([hidden])");
    await doc.getByRole("button", { name: "Later rows" }).click();
    await doc.getByText(/rows [\d\u202f]+ to/).waitFor();
    const first = await doc.locator("tbody tr").first().locator("th, td").allTextContents();
    const number = Number(first[0].replaceAll(/\D/g, ""));
    assert.deepEqual(first.slice(1), [String(number - 1), `name, ${number - 1}`, String((number - 1) * 1.5)], "no row is lost between two windows");
    await open("data.json", "json", '"b": null');
    await open("bytes.bin", "hex", "00000010");
    await noSidewaysScroll(page);
    await done();
  });
}

test("a file that a run changed is compared with what it was", async () => {
  const { page, done } = await visit(site, { bypassCSP: true });
  await drop(page, [{ name: "copy.txt", bytes: "one\ntwo\nthree\n" }]);
  // Writes over the second line.
  await dropProgram(
    page,
    "change.wat",
    `(module
      (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 64) "copy.txt") (data (i32.const 96) "TWO") (data (i32.const 128) "\\60\\00\\00\\00\\03\\00\\00\\00")
      (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 8) (i32.const 0) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))
        (drop (call $pwrite (i32.load (i32.const 0)) (i32.const 128) (i32.const 1) (i64.const 4) (i32.const 8)))))`,
  );
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  const lines = page.locator("#preview .diff-lines");
  await lines.waitFor();
  assert.deepEqual(await lines.locator(".removed td:last-child").allTextContents(), ["two"]);
  assert.deepEqual(await lines.locator(".added td:last-child").allTextContents(), ["TWO"]);
  await checkAccessibility(page, "the diff");
  await screenshot(page, "diff");
  await done();
});
