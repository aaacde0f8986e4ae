/** The specification's test suites on the browsers' own engines: an assertion that holds in a module as it is holds in
 * the instrumented one. `cargo xtask test` has examples/spec.rs write them to target/spec/spec.json. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findFirefox, openFirefox } from "./support/firefox.mjs";
import { launchChromium } from "./support/page.mjs";
import { serve } from "./support/server.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("./support/spec", import.meta.url));
const written = process.env.VERIRUN_SPEC ?? join(root, "target/spec");

const LACK = /^(wasm-v2\/(imports|linking)|multi-memory\/(imports4|linking2|memory_grow))\.wast:\d+: plain ok, metered Error: lack$/;

/** What the page posts when `open` shows it: `open` gets its address, and returns `{ended?, close()}`. */
async function results(open) {
  let receive;
  const posted = new Promise((resolve) => (receive = resolve));
  const server = await serve(pages, written, { "spec-results": receive });
  const browser = await open(`${server.url}spec.html`);
  try {
    return JSON.parse(await Promise.race([posted, browser.ended ?? posted]));
  } finally {
    await browser.close();
    server.close();
  }
}

function check({ error, browser, files, directives, passed, metered, failed, differ }) {
  assert.equal(error, undefined);
  console.log(`${browser}: ${files} files, ${directives} directives; ${passed} hold as it is, ${metered} instrumented`);
  // These take or give what JavaScript can't: references of the suite's host, vectors outside of a probe.
  console.log(`  not: ${failed.map((line) => line.split(": ")[0]).join(" ")}`);
  // An imported memory may have a lower maximum than its import says, so growth fails in the engine and not at our
  // check; a task imports none.
  const [lacks, rest] = [differ.filter((line) => LACK.test(line)), differ.filter((line) => !LACK.test(line))];
  assert.deepEqual(rest, []);
  assert.ok(lacks.length <= 5, lacks.join("\n"));
  assert.ok(passed > directives * 0.99, `${passed} of ${directives}`);
}

test("the specification's tests in Chromium", async () => {
  check(
    await results(async (url) => {
      const browser = await launchChromium();
      await (await browser.newPage()).goto(url);
      return browser;
    }),
  );
});

const firefox = findFirefox();
const missing =
  process.env.VERIRUN_NO_FIREFOX ||
  "there is no Firefox: install it (Debian: apt-get install firefox-esr), or set FIREFOX to its program";
test("the specification's tests in Firefox", { skip: !firefox && !process.env.CI && missing }, async () => {
  assert.ok(firefox, missing);
  check(await results(async (url) => openFirefox(firefox, url)));
});
