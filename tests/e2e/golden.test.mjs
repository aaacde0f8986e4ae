/** The golden runs of tests/golden/traces.json in Chromium and in Firefox, with the site's own runtime, on the
 * interpreter and on the browser's engine: digests of all calls, figures, outcomes, output and files are those that
 * tests/golden.rs finds natively. And every trap, since browsers name traps as they like. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { siteFolders } from "./support/page.mjs";
import { testInBrowsers } from "./support/reports.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("./support/golden", import.meta.url));
const cases = JSON.parse(readFileSync(join(root, "tests/golden/traces.json"), "utf8"));

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

testInBrowsers("golden runs", { places: [...siteFolders, pages, root], page: "golden.html", report: "golden-results" }, check);
