/** Nothing that someone made is lost without their word: not by choosing something else while it can't be saved. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { unzipSync, strFromU8 } from "fflate";
import { checkAccessibility } from "./support/accessibility.mjs";
import { content, openList, ready, rows, saved, type, writeProgram } from "./support/projects.mjs";
import { downloaded, drop, openSite, PHONE, screenshot, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const alertOf = (page, code) => page.locator(`.alert[data-code="${code}"]`);
const failed = (page) => page.locator('#saveState[data-state="failed"]').waitFor();
const program = (page, name) => page.locator('#program[data-state="good"] strong', { hasText: name }).waitFor();
const open = async (page, name) => {
  await openList(page);
  await rows(page).getByText(name, { exact: true }).click();
};
const named = (page, name) => page.locator("#projectButton .project-name").getByText(name, { exact: true }).waitFor();

/** A visit with little room; `quota` changes it. */
async function visitSmall(options) {
  const { origin } = new URL(site.url);
  let devtools;
  const prepare = async (context) => {
    // Before the site stores anything: Chromium remembers for a while how much room there was.
    devtools = await context.newCDPSession(await context.newPage());
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 });
  };
  const visited = await visit(site, { prepare, ...options });
  return { ...visited, roomy: () => devtools.send("Storage.overrideQuotaForOrigin", { origin }) };
}

/** A project that can't be saved, for one of its files is too large. */
async function overfull(page, text) {
  await writeProgram(page, text);
  await drop(page, [{ name: "large.bin", bytes: new Uint8Array(3_000_000) }]);
  await alertOf(page, "storage-full").waitFor();
  await failed(page);
}

/** Two tabs, of which this one has what the other one would lose. */
async function conflict(page) {
  await writeProgram(page, "the begin");
  const second = await page.context().newPage();
  await second.goto(site.url);
  await ready(second);
  await content(second).getByText("the begin").waitFor();
  await type(second, "from the second tab");
  await saved(second);
  await type(page, "from the first tab");
  await alertOf(page, "project-changed").waitFor();
  return second;
}

for (const { look, options } of [{ look: "light", options: {} }, { look: "dark", options: { colorScheme: "dark" } }, { look: "phone", options: { viewport: PHONE } }]) {
  test(`${look}: a project that storage has no room for is kept in the tab when another one is chosen, until it can be saved`, async () => {
    const { page, roomy, done } = await visitSmall({ bypassCSP: true, reducedMotion: "reduce" });
    await overfull(page, "worth keeping");
    await page.selectOption("#sample", "fibonacci");
    await program(page, "fibonacci");
    const alert = alertOf(page, "storage-full");
    await alert.getByText("“program.wat” is not saved.").waitFor();
    await page.emulateMedia({ colorScheme: options.colorScheme ?? "light" });
    await page.setViewportSize(options.viewport ?? { width: 1280, height: 800 });
    await checkAccessibility(page, "unsaved");
    await screenshot(page, `${look}-unsaved`);
    await openList(page);
    await page.locator("#projects li", { hasText: "program.wat" }).getByText("not saved").waitFor();
    await screenshot(page, `${look}-unsaved-list`);
    await page.keyboard.press("Escape");
    await page.setViewportSize({ width: 1280, height: 800 });
    // Back on screen it is as it was, and still not saved.
    await alert.getByRole("button", { name: "Go back to it" }).click();
    await content(page).getByText("worth keeping").waitFor();
    await page.locator("#inputs", { hasText: "large.bin" }).waitFor();
    await failed(page);
    await page.selectOption("#sample", "fibonacci");
    await program(page, "fibonacci");
    await roomy();
    await alert.getByRole("button", { name: "Save again" }).click();
    await alert.waitFor({ state: "detached" });
    await page.reload();
    await ready(page);
    await open(page, "program.wat");
    await content(page).getByText("worth keeping").waitFor();
    await page.locator("#inputs", { hasText: "large.bin" }).waitFor();
    await done();
  });
}

test("what is not saved is given up only when someone says so; until then the page asks before it is left", async () => {
  const { page, done } = await visitSmall();
  await overfull(page, "worth keeping");
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  const asked = new Promise((resolve) => page.once("dialog", (dialog) => resolve(dialog.dismiss().then(() => dialog.type()))));
  await page.evaluate(() => void setTimeout(() => location.reload(), 0));
  assert.equal(await asked, "beforeunload");
  const alert = alertOf(page, "storage-full");
  await alert.getByRole("button", { name: "Discard" }).click();
  await alert.waitFor({ state: "detached" });
  await openList(page);
  // Of it there is what could be saved: the text, before the large file came.
  assert.equal(await page.locator("#projects li", { hasText: "not saved" }).count(), 0);
  await page.reload();
  await ready(page);
  await done();
});

test("room is made by deleting another project, and what waited for it is saved", async () => {
  const { page, done } = await visitSmall();
  await writeProgram(page, "first");
  await drop(page, [{ name: "middle.bin", bytes: new Uint8Array(1_500_000) }]);
  await saved(page);
  await page.locator("#inputs", { hasText: "middle.bin" }).waitFor();
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  await page.fill("#args", "7");
  await drop(page, [{ name: "other.bin", bytes: new Uint8Array(1_200_000) }]);
  await alertOf(page, "storage-full").waitFor();
  await openList(page);
  await page.click('#projects button[aria-label="Delete program.wat"]');
  await saved(page);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".alert").count(), 0);
  await page.reload();
  await ready(page);
  await page.locator("#inputs", { hasText: "other.bin" }).waitFor();
  await done();
});

test("what two tabs disagree about is kept as a copy when another project is chosen", async () => {
  const { page, done } = await visit(site);
  await conflict(page);
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  await alertOf(page, "project-copied").getByText("Yours is kept as “program.wat (copy)”.").waitFor();
  await open(page, "program.wat (copy)");
  await content(page).getByText("from the first tab").waitFor();
  await open(page, "program.wat");
  await content(page).getByText("from the second tab").waitFor();
  await done();
});

test("what two tabs disagree about is kept as a copy when the page is left", async () => {
  const { page, done } = await visit(site);
  await conflict(page);
  page.once("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await ready(page);
  await named(page, "program.wat (copy)");
  await content(page).getByText("from the first tab").waitFor();
  await done();
});

test("the other tab's work is loaded only when someone says so", async () => {
  const { page, done } = await visit(site);
  await conflict(page);
  await page.getByRole("button", { name: "Discard mine, load the other" }).click();
  await content(page).getByText("from the second tab").waitFor();
  assert.equal(await page.locator(".alert").count(), 0);
  await type(page, "once more");
  await saved(page);
  await openList(page);
  assert.deepEqual(await rows(page).allTextContents(), ["program.wat"]);
  await done();
});

test("a project whose sample does not come is not opened: the next change is still one of the project on screen", async () => {
  const { page, errors } = await visit(site);
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  await page.fill("#args", "11");
  await saved(page);
  await writeProgram(page, "mine");
  await page.reload();
  await ready(page);
  await page.route(/fibonacci/, (route) => route.abort());
  await open(page, "Fibonacci");
  await alertOf(page, "sample-missing").waitFor();
  await named(page, "program.wat");
  assert.equal(await page.inputValue("#sample"), "");
  await type(page, "and more of it");
  await page.fill("#args", "of mine");
  await saved(page);
  await page.unroute(/fibonacci/);
  await page.reload();
  await ready(page);
  await named(page, "program.wat");
  await content(page).getByText("and more of it").waitFor();
  await open(page, "Fibonacci");
  await program(page, "fibonacci");
  assert.equal(await page.inputValue("#args"), "11");
  assert.deepEqual(errors.filter((text) => !text.includes("ERR_FAILED")), []);
  await page.context().close();
});

test("a project that comes too late is not opened over what was chosen after it", async () => {
  const { page, done } = await visit(site);
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  await page.fill("#args", "11");
  await saved(page);
  await page.selectOption("#sample", "hello");
  await program(page, "hello");
  await page.reload();
  await ready(page);
  await page.selectOption("#sample", "hello");
  await program(page, "hello");
  let go;
  const held = new Promise((resolve) => (go = resolve));
  const asked = new Promise((resolve) => {
    void page.route(/fibonacci.*\.wasm/, async (route) => {
      resolve();
      await held;
      await route.continue();
    });
  });
  // Loaded again, so that it is not in memory.
  await page.evaluate(() => sessionStorage.clear());
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await ready(page);
  await open(page, "Fibonacci");
  await asked;
  await page.selectOption("#sample", "greet");
  await program(page, "greet");
  const came = page.waitForResponse(/fibonacci.*\.wasm/);
  go();
  await (await came).finished();
  await page.fill("#args", "a change of the sample");
  await saved(page);
  await open(page, "Fibonacci");
  await program(page, "fibonacci");
  assert.equal(await page.inputValue("#args"), "11");
  await done();
});

test("a change made while a sample is on its way is one of the project that is still on screen", async () => {
  const { page, done } = await visit(site);
  await page.fill("#args", "one");
  await saved(page);
  let go;
  const held = new Promise((resolve) => (go = resolve));
  const asked = new Promise((resolve) => {
    void page.route(/fibonacci.*\.wasm/, async (route) => {
      resolve();
      await held;
      await route.continue();
    });
  });
  await page.selectOption("#sample", "fibonacci");
  await asked;
  await page.fill("#args", "two");
  await saved(page);
  go();
  await program(page, "fibonacci");
  await page.fill("#args", "9");
  await saved(page);
  await openList(page);
  assert.deepEqual((await rows(page).allTextContents()).sort(), ["Fibonacci", "Hello"].sort());
  await page.keyboard.press("Escape");
  await open(page, "Hello");
  await program(page, "hello");
  assert.equal(await page.inputValue("#args"), "two");
  await done();
});

test("Export all has what could not be saved too", async () => {
  const { page, done } = await visitSmall();
  await overfull(page, "held back");
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  // Chromium counts what had no room until the database is closed: so this one has none either.
  await page.click("#writeWat");
  await type(page, "on screen", "Home");
  await drop(page, [{ name: "huge.bin", bytes: new Uint8Array(2_500_000) }]);
  await failed(page);
  await openList(page);
  const zip = await downloaded(page, () => page.locator("#projects").getByRole("button", { name: "Export all" }).click());
  const files = unzipSync(zip);
  const manifests = Object.keys(files).filter((path) => path.endsWith("project.json"));
  const all = Object.values(files).map((bytes) => strFromU8(bytes.subarray(0, 10_000)));
  assert.equal(manifests.length, 2);
  assert.ok(all.some((text) => text.includes(";; held back")));
  assert.ok(all.some((text) => text.includes(";; on screen")));
  assert.ok(Object.values(files).some(({ length }) => length === 3_000_000), "the file that made it too large");
  assert.ok(Object.values(files).some(({ length }) => length === 2_500_000));
  await done();
  // And another browser takes it.
  const other = await visit(site);
  await other.page.click("#projectButton");
  await other.page.setInputFiles("#importFile", { name: "verirun-projects.zip", mimeType: "application/zip", buffer: zip });
  await other.page.locator("#projects", { hasText: "2 imported" }).waitFor();
  await rows(other.page).first().click();
  await other.page.locator("#inputs", { hasText: ".bin" }).waitFor();
  await other.done();
});

test("Export all has both sides of what two tabs disagree about", async () => {
  const { page, done } = await visit(site);
  await conflict(page);
  await openList(page);
  const zip = await downloaded(page, () => page.locator("#projects").getByRole("button", { name: "Export all" }).click());
  const all = Object.values(unzipSync(zip)).map((bytes) => strFromU8(bytes));
  assert.ok(all.some((text) => text.includes("from the first tab")));
  assert.ok(all.some((text) => text.includes("from the second tab")));
  await done();
});

test("a project that another tab deletes stays whole where it is open, and can be kept", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "in two tabs");
  await drop(page, [{ name: "with.txt", bytes: "its file" }]);
  await page.locator("#inputs", { hasText: "with.txt" }).waitFor();
  await saved(page);
  const second = await page.context().newPage();
  await second.goto(site.url);
  await ready(second);
  await content(second).getByText("in two tabs").waitFor();
  await openList(page);
  await page.click('#projects button[aria-label="Delete program.wat"]');
  await page.locator("#projects", { hasText: "was deleted" }).waitFor();
  // A new visit: what was deleted is removed for good, where nobody has it open.
  await page.reload();
  await ready(page);
  await type(second, "still here");
  await alertOf(second, "project-deleted").waitFor();
  await screenshot(second, "projects-deleted");
  await second.getByRole("button", { name: "Keep mine as a copy" }).click();
  await saved(second);
  assert.equal(await second.locator(".alert").count(), 0);
  await page.close();
  await second.reload();
  await ready(second);
  await content(second).getByText("still here").waitFor();
  await second.locator("#inputs", { hasText: "with.txt" }).waitFor();
  await second.click("#run");
  await second.locator("#headline", { hasText: "Finished" }).waitFor();
  await done();
});

test("a deleted project that is open in another tab can be brought back, and both tabs agree again", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "in two tabs");
  const second = await page.context().newPage();
  await second.goto(site.url);
  await ready(second);
  await openList(page);
  await page.click('#projects button[aria-label="Delete program.wat"]');
  await page.locator("#projects").getByRole("button", { name: "Undo" }).click();
  await page.locator("#projects", { hasText: "is back" }).waitFor();
  await type(second, "unaware");
  await alertOf(second, "project-changed").waitFor();
  await second.getByRole("button", { name: "Discard mine, load the other" }).click();
  await content(second).getByText("in two tabs").waitFor();
  await type(second, "and on");
  await saved(second);
  await done();
});

test("what was deleted can be brought back though another tab is opened meanwhile", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "deleted by mistake");
  await openList(page);
  await page.click('#projects button[aria-label="Delete program.wat"]');
  await page.locator("#projects", { hasText: "was deleted" }).waitFor();
  const second = await page.context().newPage();
  await second.goto(site.url);
  await ready(second);
  await page.locator("#projects").getByRole("button", { name: "Undo" }).click();
  await page.locator("#projects", { hasText: "is back" }).waitFor();
  await rows(page).getByText("program.wat").click();
  await content(page).getByText("deleted by mistake").waitFor();
  await done();
});

test("without storage what is left is kept in the tab", async () => {
  const prepare = (context) =>
    context.addInitScript(() => {
      Object.defineProperty(globalThis, "indexedDB", {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    });
  const { page, done } = await visit(site, { prepare });
  await page.click("#writeWat");
  await type(page, "only here", "Home");
  await page.selectOption("#sample", "fibonacci");
  await program(page, "fibonacci");
  await open(page, "program.wat");
  await content(page).getByText("only here").waitFor();
  await done();
});
