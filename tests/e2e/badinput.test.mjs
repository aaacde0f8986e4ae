/** Each kind of bad input has its own message, with a hint, and does no harm to what comes after. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { zipOf } from "./support/archives.mjs";
import { downloaded, drop, dropProgram, headline, openSite, visit } from "./support/page.mjs";
import { ENDLESS } from "./support/programs.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const WASM = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const PROGRAMS = [
  { what: "not wasm", name: "picture.wasm", bytes: "\x89PNG\r\n\x1a\n and more", code: "not-wasm" },
  { what: "a truncated module", name: "cut.wasm", bytes: [...WASM, 1, 200, 1, 0x60], code: "truncated" },
  { what: "a component", name: "component.wasm", bytes: [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], code: "component" },
  {
    what: "missing imports",
    name: "imports.wat",
    bytes: '(module (import "env" "nowhere" (func)) (memory (export "memory") 1) (func (export "_start")))',
    code: "missing-imports",
    message: /nowhere/,
  },
  {
    what: "no _start",
    name: "library.wat",
    bytes: '(module (memory (export "memory") 1) (func (export "add")))',
    code: "no-start",
    message: /_start/,
  },
  { what: "a text with a mistake", name: "typo.wat", bytes: "(module (fnc))", code: "bad-text" },
];

for (const { what, name, bytes, code, message } of PROGRAMS) {
  test(`${what} is refused with code ${code}`, async () => {
    const { page, done } = await visit(site);
    await drop(page, [{ name, bytes }]);
    const alert = page.locator(`.alert[role="alert"][data-code="${code}"]`);
    await alert.waitFor();
    const text = await alert.innerText();
    assert.ok(text.includes(name), `the message names the file: ${text}`);
    assert.equal(await alert.locator("p").count(), 2, "a message and a hint");
    if (message) assert.match(text, message);
    await page.selectOption("#sample", "hello");
    await page.locator('#program[data-state="good"]').waitFor();
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
    await done();
  });
}

test("a gigabyte of declared memory is refused before it runs", async () => {
  const { page, done } = await visit(site);
  await drop(page, [{ name: "huge.wat", bytes: '(module (memory (export "memory") 16384) (func (export "_start")))' }]);
  await page.locator("#program strong", { hasText: "huge.wat" }).waitFor();
  await page.click("#run");
  await page.locator('.alert[data-code="memory-too-big"]').waitFor();
  await done();
});

test("a zip that leaves its folder is refused, and can still be a plain file", async () => {
  const { page, done } = await visit(site);
  await drop(page, [{ name: "evil.zip", bytes: zipOf(["../evil.txt", "boo"]) }]);
  await page.getByRole("button", { name: "Mount as files" }).click();
  const alert = page.locator('.alert[data-code="archive-escape"]');
  await alert.waitFor();
  assert.match(await alert.innerText(), /\.\.\/evil\.txt/);
  await page.getByRole("button", { name: "Keep as one file" }).click();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await done();
});

test("a good zip is mounted as files", async () => {
  const { page, done } = await visit(site);
  await drop(page, [{ name: "good.zip", bytes: zipOf(["inner.txt", "hello"]) }]);
  await page.getByRole("button", { name: "Mount as files" }).click();
  await page.locator("#inputs", { hasText: "1 entry" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.locator("#changedOnly").uncheck();
  await page.locator('#tree [data-path="inner.txt"]').waitFor();
  await done();
});

test("when the runtime itself fails, output and set-up are kept and a new one takes over", async () => {
  // The first worker's runtime is made to trap in the middle of a run, as a panic does; the next is whole.
  let first = true;
  const prepare = (context) =>
    context.route(/\/verirun\.js/, async (route) => {
      const response = await route.fetch();
      const failing = `
        let slices = 0;
        const slice = Run.prototype.slice;
        Run.prototype.slice = function (steps) {
          if (++slices === 3) throw new WebAssembly.RuntimeError("unreachable");
          return slice.call(this, steps);
        };`;
      await route.fulfill({ response, body: (await response.text()) + (first ? failing : "") });
      first = false;
    });
  const { page, done } = await visit(site, { prepare });
  await drop(page, [{ name: "kept.txt", bytes: "still here" }]);
  await dropProgram(page, "endless.wat", ENDLESS);
  await page.click("#run");
  await page.locator('.alert[data-code="runtime-crashed"]').waitFor();
  await headline(page, "The runtime failed");
  const out = await downloaded(page, () => page.click("#saveOut"));
  assert.equal(out.toString(), "before the loop\n");
  await page.click("#run");
  await headline(page, "Running");
  await page.click("#cancel");
  await headline(page, "Cancelled");
  await page.locator("#changedOnly").uncheck();
  await page.locator('#tree [data-path="kept.txt"]').waitFor();
  await done();
});
