/** The golden runs of tests/golden/traces.json in Chromium and in Firefox, with the site's own runtime, on the
 * interpreter and on the browser's engine: digests of all calls, figures, outcomes, output and files are those that
 * tests/golden.rs finds natively. And every trap, since browsers name traps as they like. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { findFirefox, openFirefox } from "./support/firefox.mjs";
import { launchChromium, siteFolders } from "./support/page.mjs";
import { serve } from "./support/server.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("./support/golden", import.meta.url));
const cases = JSON.parse(readFileSync(join(root, "tests/golden/traces.json"), "utf8"));

/** What the page posts when `open` shows it: `open` gets its address, and returns `{ended?, close()}`. */
async function results(open) {
  let receive;
  const posted = new Promise((resolve) => (receive = resolve));
  const server = await serve(...siteFolders, pages, root, { "golden-results": receive });
  const browser = await open(`${server.url}golden.html`);
  try {
    return JSON.parse(await Promise.race([posted, browser.ended ?? posted]));
  } finally {
    await browser.close();
    server.close();
  }
}

function check({ error, browser, suspends, found, traps }) {
  assert.equal(error, undefined);
  assert.equal(found.length, cases.length);
  const instead = [];
  for (const [index, { name, expect }] of cases.entries()) {
    assert.match(expect.trace, /^[0-9a-f]{64}$/);
    for (const [which, made] of ["interpreter", "interpreter, small slices", "browser", "browser, small slices"].entries()) {
      const run = found[index][which];
      assert.deepEqual(run.found, expect, `${name}, ${made}`);
      const { ran, instead: why } = run.engines;
      if (made.startsWith("interpreter")) assert.equal(ran, "interpreter");
      else if (ran !== "browser") instead.push(`${name}, ${made}: ${why}`);
    }
  }
  // Where the browser's engine gave up, its own limits are the reason: no JSPI to wait with, or its stack.
  console.log(`${found.length} golden runs in ${browser}; JSPI: ${suspends}\non the interpreter instead:\n${instead.join("\n")}`);
  for (const line of instead) assert.match(line, /live|wait|input|stack|call/i, line);
  assert.ok(instead.length < cases.length, "the browser's engine ran next to nothing");
  for (const { trap, body, reference, compiled } of traps) {
    const what = `${body}: ${JSON.stringify(compiled)}`;
    assert.equal(reference.outcome.trap, trap, what);
    assert.deepEqual(compiled.outcome, reference.outcome, what);
    assert.deepEqual(compiled.stats, reference.stats, what);
    if (compiled.engines.instead !== null) assert.match(compiled.engines.instead, /does not tell which trap/, what);
  }
  const named = traps.filter(({ compiled }) => compiled.engines.ran === "browser");
  console.log(`${named.length} of ${traps.length} traps named: ${named.map(({ trap }) => trap).join(", ")}`);
  assert.ok(named.length >= 5);
}

test("golden runs in Chromium", async () => {
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
// Left out where a person can't have it, never in CI (.ci/run).
test("golden runs in Firefox", { skip: !firefox && !process.env.CI && missing }, async () => {
  assert.ok(firefox, missing);
  check(await results(async (url) => openFirefox(firefox, url)));
});
