/** The site in Chromium, and what tests do with its page. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
/** Another folder than dist/ may be tested, and one laid over it (the page's developers use a double of the runtime). */
export const siteFolders = (process.env.VERIRUN_SITE ?? join(root, "dist")).split(":");
const screens = join(root, "target/screens");
mkdirSync(screens, { recursive: true });

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export function launchChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** `more` folders are served where the site has no such file. */
export const openSite = (...more) => open(...siteFolders, ...more);

/** A site whose files are those in `over`, where it has some. */
export const openSiteUnder = (over, ...more) => open(over, ...siteFolders, ...more);

/** Where a file of the site is. */
export const siteFile = (name) => siteFolders.map((folder) => join(folder, name)).find((path) => existsSync(path));

async function open(...served) {
  const server = await serve(...served);
  const browser = await launchChromium();
  return {
    url: server.url,
    browser,
    async close() {
      await browser.close();
      server.close();
    },
  };
}

/** A fresh visit. `errors` collects what the console and the page complain about; tests end with `done`.
 * `prepare` gets the browser context before the page is loaded. */
export async function visit(site, { prepare, ...options } = {}) {
  // What is tested is the site that is served, not one that was kept (offline.test.mjs).
  const context = await site.browser.newContext({ viewport: WIDE, acceptDownloads: true, serviceWorkers: "block", ...options });
  await prepare?.(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("response", (response) => response.status() >= 400 && errors.push(`${response.status()} ${response.url()}`));
  await page.goto(site.url);
  await page.locator('#program[data-state="good"]').waitFor();
  const done = async () => {
    await context.close();
    assert.deepEqual(errors, [], "the console has errors");
  };
  return { page, errors, done };
}

export function headline(page, text) {
  return page.locator("#headline", { hasText: text }).waitFor();
}

/** The output, as the plain text view shows it. */
export async function plainText(page) {
  await page.locator('input[name="outputView"][value="text"]').check({ force: true });
  const plain = page.locator("#plain");
  await plain.waitFor();
  return { text: () => plain.textContent(), has: (text) => page.locator("#plain", { hasText: text }).waitFor() };
}

/** Drops files on the window, as a user would. */
export async function drop(page, files) {
  const list = files.map(({ name, bytes }) => ({ name, data: Buffer.from(bytes).toString("base64") }));
  await page.evaluate((items) => {
    const transfer = new DataTransfer();
    for (const { name, data } of items) {
      const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
      transfer.items.add(new File([bytes], name));
    }
    for (const type of ["dragenter", "dragover", "drop"]) {
      document.body.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }
  }, list);
}

/** Drops a text module and waits until it is accepted. */
export async function dropProgram(page, name, text) {
  await drop(page, [{ name, bytes: text }]);
  await page.locator('#program[data-state="good"] strong', { hasText: name }).waitFor();
}

export async function chooseStdin(page, kind) {
  await page.locator(`input[name="stdin"][value="${kind}"]`).check({ force: true });
}

/** The bytes that a click downloads. */
export async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent("download"), click()]);
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  return Buffer.concat(parts);
}

export function screenshot(page, name) {
  return page.screenshot({ path: join(screens, `${name}.png`) });
}

export function screenPath(name) {
  return join(screens, name);
}
