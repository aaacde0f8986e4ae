/** Writing programs in the page: WAT with its mistakes where they are, input files, scripts with an interpreter. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS } from "./support/accessibility.mjs";
import { drop, dropProgram, headline, openSite, openSiteUnder, plainText, screenshot, siteFile, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** Puts a text into the editor as a user would by pasting. */
async function write(page, text) {
  await page.locator("#docs .doc:not([hidden]) .cm-content").click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/** The problems that are listed below the text. */
const problems = (page) => page.locator("#docs .doc:not([hidden]) .editor-problems button");

test("WAT is written, assembled as it is typed, and run", async () => {
  const { page, done } = await visit(site);
  await page.click("#writeWat");
  await page.locator("#docs .cm-content", { hasText: "Hello from WAT" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await (await plainText(page)).has("Hello from WAT!");
  await page.locator("#docs .cm-content").click();
  await page.keyboard.press("Control+f");
  await page.locator(".cm-search input").first().waitFor();
  await page.keyboard.press("Escape");
  await done();
});

test("a mistake in the text is marked at its line and column, without an alert, and goes when it is corrected", async () => {
  const { page, done } = await visit(site, { bypassCSP: true });
  await page.click("#writeWat");
  const good = '(module\n  (memory (export "memory") 1)\n  (func (export "_start")))';
  await write(page, good.replace("(func", "(fnc"));
  await problems(page).first().waitFor();
  assert.match(await problems(page).first().textContent(), /^3:4 /);
  assert.equal(await page.locator("#docs .cm-lintRange-error").first().textContent(), "fnc");
  assert.equal(await page.locator(".alert").count(), 0);
  await checkAccessibility(page, "with a mistake");
  await screenshot(page, "editor-mistake");
  await page.click("#run");
  await page.locator('.alert[data-code="bad-text"]').waitFor();
  await write(page, good);
  await page.locator('#program[data-state="good"]').waitFor();
  assert.equal(await problems(page).count(), 0);
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await done();
});

test("a type error is found where it was written, in folded and in plain code", async () => {
  const { page, done } = await visit(site);
  await page.click("#writeWat");
  await write(
    page,
    `(module (memory (export "memory") 1)
  (func $fine (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "_start")
    nop
    (drop (i32.add (i32.const 1)
                   (i64.const 2)))))`,
  );
  await problems(page).first().waitFor();
  const text = await problems(page).first().textContent();
  // Where \`i32.add\` is, which does not get what it needs.
  assert.match(text, /^5:12 /);
  assert.match(text, /type mismatch/);
  await problems(page).first().click();
  assert.equal(await page.evaluate(() => document.activeElement.classList.contains("cm-content")), true);
  await done();
});

test("where a program traps is shown in its text", async () => {
  const { page, done } = await visit(site);
  await dropProgram(
    page,
    "trap.wat",
    `(module (memory (export "memory") 1)
  (func $inner (param i32)
    nop
    (drop (i32.div_u (i32.const 7) (local.get 0))))
  (func (export "_start") (call $inner (i32.const 0))))`,
  );
  await page.click("#run");
  await page.locator("#headline", { hasText: "in `inner`" }).waitFor();
  await page.locator("#advice", { hasText: "It was at trap.wat:4:" }).waitFor();
  await problems(page).filter({ hasText: "divided an integer by zero" }).waitFor();
  await screenshot(page, "editor-trap");
  await done();
});

test("a text input file is edited, and the run gets what was typed", async () => {
  const { page, done } = await visit(site);
  await page.selectOption("#sample", "fibonacci");
  await page.locator("#program strong", { hasText: "fibonacci" }).waitFor();
  await page.click('#inputs button[title="Open input.txt"]');
  await page.locator("#docs .doc:not([hidden]) .cm-content").waitFor();
  await write(page, "93");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.click('#tree [data-path="output.txt"] .node');
  await page.locator("#preview", { hasText: "12200160415121876738" }).waitFor();
  await done();
});

test("if the editor cannot be loaded, a plain field takes its place", async () => {
  const prepare = (context) => context.route("**/chunk-codemirror-*.js", (route) => route.abort());
  const { page, errors } = await visit(site, { prepare });
  await page.click("#writeWat");
  const area = page.locator("#docs .editor textarea");
  await area.fill('(module (memory (export "memory") 1)\n (func (export "_start") (bad)))');
  await problems(page).filter({ hasText: "2:27" }).click();
  const selected = await area.evaluate((field) => field.value.slice(field.selectionStart, field.selectionEnd));
  assert.equal(selected, "bad");
  assert.ok(errors.every((error) => /ERR_FAILED|dynamically imported/.test(error)), errors.join("\n"));
  await page.context().close();
});

/** A site with an interpreter: a program that prints a script's line and then an error as QuickJS or Python do. */
function siteWithRuntimes() {
  const folder = mkdtempSync(join(tmpdir(), "verirun-runtimes-"));
  mkdirSync(join(folder, "tasks/fake"), { recursive: true });
  const index = JSON.parse(readFileSync(siteFile("tasks/index.json"), "utf8")).filter(({ runtimeFor }) => !runtimeFor);
  index.push({
    id: "fake",
    title: "Fake",
    description: "Prints the script, fails at its second line.",
    language: "Fake",
    runtimeFor: ["fake"],
    program: "/task.fake",
    args: ["/task.fake"],
    env: {},
    stdin: "none",
    module: "fake/fake.wat",
    source: "fake/task.fake",
    files: [{ path: "task.fake", url: "fake/task.fake" }],
  });
  writeFileSync(join(folder, "tasks/index.json"), JSON.stringify(index));
  writeFileSync(join(folder, "tasks/fake/task.fake"), "first line\nsecond line\n");
  const error = "TypeError: not a function\n    at f (/task.fake:2:8)\n    at <anonymous> (/task.fake:1:1)\n";
  const escape = (text) => [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("");
  const word = (number) => escape(Buffer.from(Uint32Array.of(number).buffer));
  writeFileSync(
    join(folder, "tasks/fake/fake.wat"),
    `(module
      (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 64) "task.fake")
      (data (i32.const 128) "${word(1024)}${word(4096)}")
      (data (i32.const 8192) "${escape(error)}")
      (data (i32.const 144) "${word(8192)}${word(error.length)}")
      (func (export "_start")
        (drop (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 9) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
        (drop (call $read (i32.load (i32.const 0)) (i32.const 128) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 132) (i32.load (i32.const 8)))
        (drop (call $write (i32.const 1) (i32.const 128) (i32.const 1) (i32.const 8)))
        (drop (call $write (i32.const 2) (i32.const 144) (i32.const 1) (i32.const 8)))
        (call $exit (i32.const 1))))`,
  );
  return folder;
}

test("a script is written and run by the interpreter that the index names, and its error is marked", async () => {
  const folder = siteWithRuntimes();
  const other = await openSiteUnder(folder);
  try {
    const { page, done } = await visit(other);
    await page.getByRole("button", { name: "Write Fake" }).click();
    await page.locator("#docs .cm-content", { hasText: "second line" }).waitFor();
    await write(page, "changed\nlet x = f();\n");
    await page.click("#run");
    await headline(page, "Exited with code 1");
    const plain = await plainText(page);
    await plain.has("let x = f();");
    await problems(page).filter({ hasText: "TypeError: not a function" }).waitFor();
    assert.match(await problems(page).first().textContent(), /^2:8 /);
    // One's own script goes to its interpreter by its ending.
    await page.setInputFiles("#programFile", { name: "mine.fake", mimeType: "text/plain", buffer: Buffer.from("my own\n") });
    await page.locator("#docs .cm-content", { hasText: "my own" }).waitFor();
    await page.click("#run");
    await plain.has("my own");
    await done();
  } finally {
    await other.close();
    rmSync(folder, { recursive: true });
  }
});

for (const { name, phone, options } of LOOKS) {
  test(`${name}: the editor has no accessibility violation`, async () => {
    const { page, done } = await visit(site, options);
    await page.click("#writeWat");
    if (phone) await page.click('.sections [data-view="docs"]');
    await page.locator("#docs .cm-content", { hasText: "Hello from WAT" }).waitFor();
    await page.locator("#docs .cm-content span").first().waitFor();
    await checkAccessibility(page, "the editor");
    await screenshot(page, `${name}-editor`);
    await done();
  });
}
