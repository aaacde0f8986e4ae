/** Tests of pages that do their work by themselves and post what they found, so that they run in Firefox too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findFirefox, openFirefox } from "./firefox.mjs";
import { launchChromium } from "./page.mjs";
import { serve } from "./server.mjs";

/** What `page` of the folders `places` posts to `report` when `open` shows it: `open` gets its address, and returns
 * `{ended?, close()}`. */
async function reported({ places, page, report }, open) {
  let receive;
  const posted = new Promise((resolve) => (receive = resolve));
  const server = await serve(...places, { [report]: receive });
  const browser = await open(`${server.url}${page}`);
  try {
    return JSON.parse(await Promise.race([posted, browser.ended ?? posted]));
  } finally {
    await browser.close();
    server.close();
  }
}

async function openChromium(url) {
  const browser = await launchChromium();
  await (await browser.newPage()).goto(url);
  return browser;
}

/** A test in Chromium and one in Firefox; `check` gets what the page posts. */
export function testInBrowsers(what, site, check) {
  test(`${what} in Chromium`, async () => check(await reported(site, openChromium)));

  const firefox = findFirefox();
  const missing =
    process.env.VERIRUN_NO_FIREFOX ||
    "there is no Firefox: install it (Debian: apt-get install firefox-esr), or set FIREFOX to its program";
  // Left out where a person can't have it, never in CI (.ci/run).
  test(`${what} in Firefox`, { skip: !firefox && !process.env.CI && missing }, async () => {
    assert.ok(firefox, missing);
    check(await reported(site, async (url) => openFirefox(firefox, url)));
  });
}
