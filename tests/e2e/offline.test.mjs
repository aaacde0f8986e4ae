/** The page without a network, and what happens when a changed site is published. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { writeServiceWorker } from "../../www/offline/build.mjs";
import { headline, launchChromium, screenshot, siteFile, siteFolders, WIDE } from "./support/page.mjs";
import { content, ready, saved, type, writeProgram } from "./support/projects.mjs";
import { serve } from "./support/server.mjs";

/** Begins to come, and does not go on. */
const STALLED = "tasks/slow/stalled.bin";
/** Does not even begin. */
const SILENT = "tasks/slow/silent.bin";

let browser;
/** A copy of the site, that tests publish changes to. */
let folder;
let site;
before(async () => {
  browser = await launchChromium();
  folder = mkdtempSync(join(tmpdir(), "verirun-offline-"));
  cpSync(siteFolders.at(-1), folder, { recursive: true });
  await writeServiceWorker(folder);
  // Below a sub-path, as on GitHub Pages. What comes slowly is of the site, and kept when it is used.
  mkdirSync(join(folder, "tasks/slow"), { recursive: true });
  for (const name of [STALLED, SILENT]) writeFileSync(join(folder, name), "12345678".repeat(20_000));
  await writeServiceWorker(folder);
  const { length } = readFileSync(join(folder, STALLED));
  site = await serve(folder, {
    [`GET ${STALLED}`]: (response) => response.writeHead(200, { "content-length": length }).write("12345678"),
    [`GET ${SILENT}`]: () => {},
  });
});
after(async () => {
  await browser?.close();
  site?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options = {}) {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const visit = async () => {
    await page.goto(site.url);
    await page.locator('#program[data-state="good"]').waitFor();
  };
  return { context, page, errors, visit };
}

/** Waits until the service worker has everything and serves the page. */
const controlled = (page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
    }
  });

/** Publishes a site that says its version in the title. */
async function publish(version) {
  const path = join(folder, "index.html");
  const text = readFileSync(path, "utf8").replace(/<title>[^<]*/, `<title>Verirun playground ${version}`);
  writeFileSync(path, text);
  await writeServiceWorker(folder);
}

/** Takes the new version. What the page loads at the first sign of the mouse must be there before: see register.ts. */
async function update(page) {
  const button = page.locator(".update").getByRole("button", { name: "Reload to update" });
  await button.hover();
  await page.waitForFunction(() => performance.getEntriesByType("resource").some(({ name, responseEnd }) => name.includes("xterm") && responseEnd > 0));
  await Promise.all([page.waitForEvent("framenavigated"), button.click()]);
}

const askForUpdate = (page) => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update().then(() => true));

test("after one visit the page works without a network: it loads, and runs samples", async () => {
  const { context, page, errors, visit } = await open();
  await visit();
  await controlled(page);
  await context.setOffline(true);
  await page.reload();
  await page.locator('#program[data-state="good"]').waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  // One that was not used before.
  await page.selectOption("#sample", "greet");
  await page.locator('#program[data-state="good"] strong', { hasText: "greet" }).waitFor();
  await page.click("#run");
  await headline(page, "Waiting for input");
  await screenshot(page, "offline");
  assert.equal(await page.evaluate(() => fetch("nowhere").then(() => "an answer", () => "no network")), "no network");
  assert.deepEqual(errors.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED") && !text.includes("ERR_FAILED")), []);
  await context.close();
});

test("what is not fetched ahead is kept when it is used", async () => {
  const later = "embedding/index.html";
  assert.ok(existsSync(join(folder, later)));
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  const get = (path) => page.evaluate((path) => fetch(path).then(({ status }) => status, () => "no network"), path);
  const kept = () =>
    page.evaluate(async () => {
      const [name] = await caches.keys();
      return (await (await caches.open(name)).keys()).map(({ url }) => url);
    });
  assert.equal((await kept()).some((url) => url.includes("wasm-task.js")), false);
  assert.equal(await get("wasm-task.js"), 200);
  await page.waitForFunction(async () => {
    const [name] = await caches.keys();
    return (await (await caches.open(name)).keys()).some(({ url }) => url.includes("wasm-task.js"));
  });
  await context.setOffline(true);
  assert.equal(await get("wasm-task.js"), 200);
  assert.equal(await get("api.js"), "no network");
  await context.close();
});

test("a new version waits until the user reloads; work goes on meanwhile", async () => {
  const { context, page, errors, visit } = await open();
  await visit();
  await controlled(page);
  await publish("two");
  await page.reload();
  assert.doesNotMatch(await page.title(), /two/, "the version that is kept is shown");
  const prompt = page.locator(".update");
  await askForUpdate(page);
  await prompt.waitFor();
  assert.match(await prompt.textContent(), /A new version of Verirun is ready/);
  await screenshot(page, "offline-update");
  await page.locator('#program[data-state="good"]').waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await prompt.getByRole("button", { name: "Later" }).click();
  assert.equal(await prompt.count(), 0);
  assert.doesNotMatch(await page.title(), /two/);
  // It is offered again at the next visit.
  await page.reload();
  await prompt.waitFor();
  await page.evaluate(() => {
    addEventListener("verirun-before-update", (event) => {
      event.waitUntil(new Promise((resolve) => setTimeout(resolve, 50)).then(() => sessionStorage.setItem("saved", "yes")));
    });
  });
  await update(page);
  await page.locator('#program[data-state="good"]').waitFor();
  assert.match(await page.title(), /two/);
  assert.equal(await page.evaluate(() => sessionStorage.getItem("saved")), "yes", "who had something to save was waited for");
  await context.setOffline(true);
  await page.reload();
  await page.locator('#program[data-state="good"]').waitFor();
  assert.match(await page.title(), /two/, "the new version works without a network too");
  assert.deepEqual(errors, []);
  await context.close();
});

test("another tab is told, and not reloaded, and still finds what only its version had", async () => {
  const extra = join(folder, "chunk-extra.js");
  writeFileSync(extra, "// of the version before");
  await writeServiceWorker(folder);
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  const second = await context.newPage();
  await second.goto(site.url);
  await second.locator('#program[data-state="good"]').waitFor();
  rmSync(extra);
  await publish("three");
  await askForUpdate(page);
  await update(page);
  await second.locator(".update", { hasText: "was updated in another tab" }).waitFor();
  assert.doesNotMatch(await second.title(), /three/);
  assert.match(await page.title(), /three/);
  const old = () => second.evaluate(() => fetch("chunk-extra.js").then((response) => response.status));
  assert.equal(await old(), 200);
  // After one more version nothing of it is left.
  await publish("four");
  await askForUpdate(page);
  await update(page);
  await second.waitForFunction(() => fetch("chunk-extra.js").then(({ status }) => status === 404));
  await context.close();
});

/** A second tab, and a new version that the first one is offered. */
async function twoTabs(version, prepare) {
  const opened = await open();
  await prepare?.(opened.page);
  await opened.visit();
  await controlled(opened.page);
  const second = await opened.context.newPage();
  await second.goto(site.url);
  await ready(second);
  await publish(version);
  await askForUpdate(opened.page);
  await opened.page.locator(".update").waitFor();
  return { ...opened, second };
}

test("an update does not wait for a file that is only being kept", async () => {
  const { context, page, second } = await twoTabs("five");
  // The page that wanted it is gone; it would be kept for the next time, if it came.
  await second.evaluate((name) => fetch(name).then(({ body }) => body.getReader().read()).then(({ value }) => value.length), STALLED);
  await second.close();
  await update(page);
  await ready(page);
  assert.match(await page.title(), /five/);
  await context.close();
});

test("an update that another tab holds up says so, and leaves a way on", async () => {
  const { context, page, second } = await twoTabs("six", (page) => page.clock.install());
  await second.evaluate((name) => void fetch(name), SILENT);
  await page.locator(".update").getByRole("button", { name: "Reload to update" }).click();
  await page.locator(".update", { hasText: "Updating…" }).waitFor();
  await page.clock.fastForward(6000);
  await page.locator(".update", { hasText: "waits for something that is being loaded" }).waitFor();
  await screenshot(page, "offline-update-waits");
  await Promise.all([page.waitForEvent("framenavigated"), page.locator(".update").getByRole("button", { name: "Reload now" }).click()]);
  await ready(page);
  await context.close();
});

test("what was just typed is saved before an update", async () => {
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  await writeProgram(page, "before");
  await publish("seven");
  await askForUpdate(page);
  await page.locator(".update").waitFor();
  await type(page, "in the last moment");
  await update(page);
  await ready(page);
  assert.match(await page.title(), /seven/);
  await content(page).getByText("in the last moment").waitFor();
  await context.close();
});

test("an update waits until it is decided what becomes of work that is not saved", async () => {
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  await writeProgram(page, "the begin");
  const second = await context.newPage();
  await second.goto(site.url);
  await content(second).getByText("the begin").waitFor();
  await type(second, "from the second tab");
  await saved(second);
  await type(page, "from the first tab");
  await page.locator('.alert[data-code="project-changed"]').waitFor();
  await publish("eight");
  await askForUpdate(page);
  await page.locator(".update").getByRole("button", { name: "Reload to update" }).click();
  await page.locator('.alert[data-code="update-waits"]').waitFor();
  await screenshot(page, "offline-update-unsaved");
  assert.doesNotMatch(await page.title(), /eight/);
  await Promise.all([page.waitForEvent("framenavigated"), page.getByRole("button", { name: "Keep mine as a copy" }).click()]);
  await ready(page);
  assert.match(await page.title(), /eight/);
  await page.locator("#projectButton", { hasText: "program.wat (copy)" }).waitFor();
  await content(page).getByText("from the first tab").waitFor();
  await context.close();
});

const sha256 = (name) => createHash("sha256").update(readFileSync(join(folder, name))).digest("hex");
/** The script of the page that starts its worker. */
const starter = () => readdirSync(folder).find((name) => /^(main|chunk-.*)\.js$/.test(name) && readFileSync(join(folder, name), "utf8").includes(`worker.js?sha256=${sha256("worker.js")}`));

/** Publishes a version whose worker and runtime are other ones, as its page knows. */
async function publishParts(version, between = async () => {}) {
  const parts = ["verirun.js", "worker.js"];
  const script = starter();
  const contents = new Map([script, ...parts].map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const before = sha256("worker.js");
  for (const name of parts) writeFileSync(join(folder, name), `${contents.get(name)}\n// ${version}`);
  writeFileSync(join(folder, script), contents.get(script).replaceAll(before, sha256("worker.js")));
  await publish(version);
  await between();
  for (const [name, text] of contents) writeFileSync(join(folder, name), text);
  await writeServiceWorker(folder);
}

test("a tab gets parts of its own version, or none, after another tab has updated", async () => {
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  const second = await context.newPage();
  await second.goto(site.url);
  await ready(second);
  const worker = `worker.js?sha256=${sha256("worker.js")}`;
  const glue = `verirun.js?sha256=${sha256("verirun.js")}`;
  assert.ok(starter(), "the page names its worker by digest");
  assert.ok(readFileSync(join(folder, "worker.js"), "utf8").includes(glue), "and that its runtime");
  const texts = [worker, glue].map((name) => readFileSync(join(folder, name.split("?")[0]), "utf8"));
  await publishParts("nine", async () => {
    await askForUpdate(page);
    await update(page);
    await ready(page);
    assert.match(await page.title(), /nine/);
    const get = (name) => second.evaluate((name) => fetch(name).then((response) => response.text()), name);
    assert.deepEqual([await get(worker), await get(glue)], texts);
    assert.match(await get("worker.js"), /nine$/, "what does not say its version gets the latest");
    const gone = () => second.evaluate(() => fetch(`worker.js?sha256=${"0".repeat(64)}`).then(({ status }) => status));
    assert.equal(await gone(), 404);
  });
  await context.close();
});

test("without a service worker a tab notices that the site was updated, and says what to do", async () => {
  const { context, page, visit } = await open({ serviceWorkers: "block" });
  await visit();
  // The site's worker is another version's from now on.
  const name = /verirun ([0-9a-f]{16})/.exec(readFileSync(join(folder, starter()), "utf8"))[1];
  await page.route(/worker\.js/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replaceAll(name, "0123456789abcdef") });
  });
  await page.click("#verifyButton");
  await page.reload();
  await page.getByText("The site was updated since this page was loaded").first().waitFor();
  await context.close();
});

test("a site that is only half published is not taken", async () => {
  const { context, page, visit } = await open();
  await visit();
  await controlled(page);
  const title = await page.title();
  // The list is there before a file that it names.
  const path = join(folder, "index.html");
  const before = readFileSync(path);
  await publish("half");
  writeFileSync(path, before);
  const state = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    const found = new Promise((resolve) => registration.addEventListener("updatefound", () => resolve(registration.installing), { once: true }));
    await registration.update().catch(() => {});
    const worker = await found;
    if (worker.state === "installing") await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
    return worker.state;
  });
  assert.equal(state, "redundant");
  assert.equal(await page.locator(".update").count(), 0);
  await context.setOffline(true);
  await page.reload();
  await page.locator('#program[data-state="good"]').waitFor();
  assert.equal(await page.title(), title);
  await context.close();
  await writeServiceWorker(folder);
});

test("where service workers are forbidden the page is as before, without a word", async () => {
  const { context, page, errors, visit } = await open({ serviceWorkers: "block" });
  await visit();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.deepEqual(errors, []);
  await context.close();
});

test("the list of files holds what a first visit needs, and stays small", () => {
  const text = readFileSync(siteFile("sw.js"), "utf8");
  for (const name of ["index.html", "main.js", "worker.js", "verirun.js", "verirun_bg.wasm", "app.css", "tasks/index.json"]) {
    assert.ok(text.includes(name), name);
  }
  const chunks = readdirSync(siteFolders.at(-1)).filter((name) => name.startsWith("chunk-"));
  for (const chunk of chunks) assert.ok(text.includes(chunk), chunk);
  assert.ok(statSync(siteFile("sw.js")).size < 40_000);
});
