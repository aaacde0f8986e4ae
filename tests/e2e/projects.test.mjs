/** Work is kept in the browser: through reloads, crashes, two tabs, full storage and none at all. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS } from "./support/accessibility.mjs";
import { content, openList, ready, rows, saved, writeProgram } from "./support/projects.mjs";
import { downloaded, drop, headline, openSite, plainText, screenshot, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const projectName = (page) => page.locator("#projectButton .project-name").textContent();

/** How often the projects of this browser were saved. */
const revision = (page) =>
  page.evaluate(
    (name) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const all = opening.result.transaction("projects").objectStore("projects").getAll();
          all.onsuccess = () => {
            opening.result.close();
            resolve(all.result.reduce((sum, record) => sum + record.revision, 0));
          };
        };
      }),
    "verirun",
  );

test("what was only looked at is no project; the first change makes it one, and a reload brings all of it back", async () => {
  const { page, done } = await visit(site);
  await page.reload();
  await ready(page);
  await openList(page);
  await page.locator("#projects", { hasText: "None yet" }).waitFor();
  await page.keyboard.press("Escape");
  await drop(page, [{ name: "deep/data.bin", bytes: Uint8Array.from({ length: 100_000 }, (_, index) => index % 251) }]);
  await page.fill("#args", "Grace 'and more'");
  await page.locator("#limitsFold summary").click();
  await page.fill("#limit-gas", "123456789");
  await page.locator("#profileFold summary").click();
  await page.selectOption("#clock", "virtual");
  await page.locator('input[name="stdin"][value="text"]').check({ force: true });
  await page.fill("#stdinText", "typed in advance");
  await saved(page);
  await page.reload();
  await ready(page);
  assert.equal(await page.inputValue("#args"), "Grace 'and more'");
  assert.equal(await page.inputValue("#limit-gas"), "123456789");
  assert.equal(await page.inputValue("#clock"), "virtual");
  assert.equal(await page.inputValue("#stdinText"), "typed in advance");
  await page.locator("#inputs", { hasText: "100 kB" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await (await plainText(page)).has("Hello, Grace");
  await done();
});

test("a page that is killed in the middle of writing loses nothing that was shown as saved", async () => {
  const { page } = await visit(site);
  const context = page.context();
  await writeProgram(page, "before the crash");
  await content(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("\n;; the last words");
  await saved(page);
  const crashed = page.waitForEvent("crash");
  page.goto("chrome://crash").catch(() => {});
  await crashed;
  const again = await context.newPage();
  await again.goto(site.url);
  await ready(again);
  await content(again).getByText("before the crash").waitFor();
  await content(again).getByText("the last words").waitFor();
  await context.close();
});

test("what is typed while a save is under way is not said to be saved with it", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "first");
  await content(page).click();
  await page.evaluate(() => {
    const begin = IDBDatabase.prototype.transaction;
    globalThis.states = [];
    let saves = 0;
    IDBDatabase.prototype.transaction = function (...args) {
      const transaction = begin.apply(this, args);
      if (args[1] === "readwrite") saves += 1;
      if (args[1] === "readwrite" && saves === 1) document.execCommand("insertText", false, ";; meanwhile\n");
      return transaction;
    };
    const state = document.querySelector("#saveState");
    // It is set again and again to what it is.
    const seen = () => {
      if (states.at(-1)?.[0] !== state.dataset.state) states.push([state.dataset.state, saves]);
    };
    new MutationObserver(seen).observe(state, { attributeFilter: ["data-state"] });
  });
  await page.keyboard.press("Control+Home");
  await page.keyboard.insertText(";; second\n");
  await content(page).getByText("meanwhile").waitFor();
  await saved(page);
  const states = await page.evaluate(() => states);
  assert.deepEqual(states.filter(([state]) => state === "saved"), [["saved", 2]], JSON.stringify(states));
  await page.reload();
  await ready(page);
  await content(page).getByText("meanwhile").waitFor();
  await done();
});

test("leaving at once after the last key saves it too", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "one");
  await content(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("\n;; typed and gone");
  await page.reload();
  await ready(page);
  await content(page).getByText("typed and gone").waitFor();
  await done();
});

test("projects are made, renamed, duplicated, deleted and brought back", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "the first");
  await openList(page);
  assert.deepEqual(await rows(page).allTextContents(), ["program.wat"]);
  await page.click('#projects button[aria-label="Rename program.wat"]');
  await page.fill('#projects input[aria-label="New name"]', "My first");
  await page.keyboard.press("Enter");
  await rows(page).getByText("My first").waitFor();
  assert.equal(await projectName(page), "My first");
  await page.click('#projects button[aria-label="Duplicate My first"]');
  await rows(page).getByText("My first (copy)").waitFor();
  await page.click('#projects button[aria-label="Delete My first (copy)"]');
  await page.locator("#projects", { hasText: "“My first (copy)” was deleted." }).waitFor();
  assert.deepEqual(await rows(page).allTextContents(), ["My first"]);
  await page.locator("#projects").getByRole("button", { name: "Undo" }).click();
  await rows(page).getByText("My first (copy)").waitFor();
  await page.locator("#projects").getByRole("button", { name: "New" }).click();
  await page.locator("#sampleAbout", { hasText: /./ }).waitFor();
  await writeProgram(page, "the second");
  await openList(page);
  assert.equal(await rows(page).count(), 3);
  await rows(page).getByText("My first", { exact: true }).click();
  await content(page).getByText("the first").waitFor();
  assert.equal(await projectName(page), "My first");
  await done();
});

test("a sample does not take the place of what was written", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "worth keeping");
  await page.selectOption("#sample", "fibonacci");
  await page.locator("#program strong", { hasText: "fibonacci" }).waitFor();
  await openList(page);
  await rows(page).getByText("program.wat").click();
  await content(page).getByText("worth keeping").waitFor();
  await done();
});

test("export and import bring everything into another browser", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "to travel");
  await drop(page, [{ name: "with.txt", bytes: "its file" }]);
  await saved(page);
  await openList(page);
  const zip = await downloaded(page, () => page.locator("#projects").getByRole("button", { name: "Export all" }).click());
  await done();
  const other = await visit(site);
  await other.page.click("#projectButton");
  await other.page.setInputFiles("#importFile", { name: "verirun-projects.zip", mimeType: "application/zip", buffer: zip });
  await other.page.locator("#projects", { hasText: "1 imported" }).waitFor();
  await rows(other.page).getByText("program.wat").click();
  await content(other.page).getByText("to travel").waitFor();
  await other.page.locator("#inputs", { hasText: "with.txt" }).waitFor();
  await other.page.click("#projectButton");
  await other.page.setInputFiles("#importFile", { name: "no.zip", mimeType: "application/zip", buffer: Buffer.from("PK nothing") });
  await other.page.locator('.alert[data-code="bad-export"]').waitFor();
  await other.done();
});

test("two tabs with one project: the later save is not put over the other, and both can be kept", async () => {
  const { page, done } = await visit(site);
  await writeProgram(page, "from the first tab");
  const second = await page.context().newPage();
  await second.goto(site.url);
  await ready(second);
  await content(second).getByText("from the first tab").waitFor();
  await content(second).click();
  await second.keyboard.press("Control+End");
  // Twice, so that the first tab is more than one save behind.
  const before = await revision(second);
  for (const [index, text] of ["from the second tab", "twice"].entries()) {
    await second.keyboard.insertText(`\n;; ${text}`);
    while ((await revision(second)) <= before + index) await second.evaluate(() => new Promise(requestAnimationFrame));
  }
  await content(page).click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("\n;; and the first again");
  await page.locator('.alert[data-code="project-changed"]').waitFor();
  await screenshot(page, "projects-conflict");
  await page.getByRole("button", { name: "Keep mine as a copy" }).click();
  await saved(page);
  assert.equal(await page.locator(".alert").count(), 0);
  await openList(page);
  assert.deepEqual((await rows(page).allTextContents()).sort(), ["program.wat", "program.wat (copy)"]);
  await rows(page).getByText("program.wat", { exact: true }).click();
  await content(page).getByText("from the second tab").waitFor();
  assert.equal(await content(page).getByText("and the first again").count(), 0);
  await done();
});

test("full storage is said, nothing on screen is lost, and saving goes on when there is room", async () => {
  const { origin } = new URL(site.url);
  let devtools;
  const prepare = async (context) => {
    // Before the site stores anything: Chromium remembers for a while how much room there was.
    devtools = await context.newCDPSession(await context.newPage());
    await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 });
  };
  const { page, done } = await visit(site, { prepare });
  await writeProgram(page, "small enough");
  await drop(page, [{ name: "large.bin", bytes: new Uint8Array(3_000_000) }]);
  await page.locator('.alert[data-code="storage-full"]').waitFor();
  await page.locator('#saveState[data-state="failed"]').waitFor();
  await content(page).getByText("small enough").waitFor();
  await page.locator("#inputs", { hasText: "large.bin" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await devtools.send("Storage.overrideQuotaForOrigin", { origin });
  await page.fill("#args", "again");
  await saved(page);
  assert.equal(await page.locator(".alert").count(), 0);
  await page.reload();
  await ready(page);
  await content(page).getByText("small enough").waitFor();
  await page.locator("#inputs", { hasText: "large.bin" }).waitFor();
  await done();
});

test("without storage everything works, and it is said that nothing is kept", async () => {
  const prepare = (context) =>
    context.addInitScript(() => {
      Object.defineProperty(globalThis, "indexedDB", {
        get: () => {
          throw new DOMException("denied", "SecurityError");
        },
      });
    });
  const { page, done } = await visit(site, { prepare });
  await page.locator('#saveState[data-state="unavailable"]', { hasText: "Not kept" }).waitFor();
  await page.click("#projectButton");
  await page.locator("#projects", { hasText: "does not let the page keep projects" }).waitFor();
  await page.keyboard.press("Escape");
  await page.fill("#args", "Ada");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await done();
});

for (const { name, options } of LOOKS) {
  test(`${name}: the list of projects has no accessibility violation`, async () => {
    const { page, done } = await visit(site, options);
    await page.fill("#args", "x");
    await saved(page);
    await openList(page);
    await page.locator("#projects").getByRole("button", { name: "Duplicate this one" }).click();
    await rows(page).nth(1).waitFor();
    await checkAccessibility(page, "the list");
    await screenshot(page, `${name}-projects`);
    await done();
  });
}
