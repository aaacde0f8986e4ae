/** The parts of receipts and links that need no browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { asked, asElement, asMarkdown, linkTo } = await load("share/link.ts");
const { Extras, setUp } = await load("share/opened.ts");
const { moduleUrl } = await load("share/fetched.ts");
const verifyPlan = await load("verify/plan.ts");
const { resultLines, summaryLine } = await load("verify/results.ts");
const { limitsText, outcomeText, textOf, visible } = await load("receipt/text.ts");

const plan = (receipt, materials, typed = { args: null, env: null }) => verifyPlan.plan(receipt, materials, typed);
const { bitsText, placeText, whatText } = await load("story/text.ts");
const digest = (letter) => letter.repeat(64);
const UNLIMITED = "9223372036854775807";

test("what a search found is told in sentences", () => {
  assert.equal(bitsText(0x101, 0x1), "bit 8");
  assert.equal(bitsText(0x80000001, 0), "bits 0, 31");
  const memory = whatText({ kind: "memory", memory: 0, address: 5000, values: [1, 0], bytes: 1 });
  assert.deepEqual(memory.values, ["0x00000001", "0x00000000"]);
  assert.equal(memory.note, "They differ in bit 0.");
  const finding = { from: 1000, steps: [1010, 1010], function: 3, functionName: null, what: { kind: "files" } };
  assert.equal(placeText(finding), "after step 1\u202f000 and before step 1\u202f010 in function 3");
  assert.equal(placeText({ ...finding, functionName: "count" }), "after step 1\u202f000 and before step 1\u202f010 in count");
});

test("a fragment is a link, a place in the page, or nothing", () => {
  assert.deepEqual(asked(""), { kind: "nothing" });
  assert.deepEqual(asked("#setup"), { kind: "nothing" });
  assert.deepEqual(asked("#verify"), { kind: "verify" });
  assert.deepEqual(asked("#story"), { kind: "story" });
  assert.deepEqual(asked("#1abc"), { kind: "link", fragment: "1abc" });
  // Of another version: it is refused as that, not passed over.
  assert.deepEqual(asked("#7abc"), { kind: "link", fragment: "7abc" });
  assert.equal(linkTo("https://x/y/?a=b#old", "1abc"), "https://x/y/?a=b#1abc");
});

test("what is copied is no markup of the title's", () => {
  assert.equal(asMarkdown("a](b) *c*\nd", "L"), "[a\\]\\(b\\) \\*c\\* d](L)");
  const { html } = asElement({ title: '<x> & "y"', link: "L", script: "S", element: null });
  assert.equal(html, '<a href="L">&lt;x&gt; &amp; &quot;y&quot;</a>');
});

test("an element is written where the attributes can say it all", () => {
  const element = { src: "https://x/m.wasm", args: ["a", "two words", "it's"], env: [["A", 'x "y"']], stdin: "t\n", limits: { gas: "10", outputBytes: "5" }, clock: "virtual", random: "seeded", seed: "2a" };
  const { html } = asElement({ title: "m", link: "L", script: "S", element });
  assert.equal(
    html,
    `<script type="module" src="S"></script>\n<wasm-task src="https://x/m.wasm" args="a 'two words' 'it'\\''s'" env="{&quot;A&quot;:&quot;x \\&quot;y\\&quot;&quot;}" stdin="t\n" limits="gas=10 outputBytes=5" clock="virtual" seed="2a"></wasm-task>\n`,
  );
});

test("only this site and https are fetched from", () => {
  const base = "http://127.0.0.1:1/site/";
  assert.equal(moduleUrl("tasks/a.wasm", base).href, "http://127.0.0.1:1/site/tasks/a.wasm");
  assert.equal(moduleUrl("https://x/a.wasm", base).href, "https://x/a.wasm");
  for (const url of ["http://x/a.wasm", "javascript:alert(1)", "data:,a", "file:///etc/passwd", "https://"]) {
    assert.throws(() => moduleUrl(url, base), { code: "bad-url" }, url);
  }
});

test("text of strangers is shown for what it is", () => {
  assert.equal(visible("a\u202eb\u0000c\n\u{1b}"), "a\\u{202e}b\\u{0}c↵\\u{1b}");
  assert.equal(visible("é 猫 🎉"), "é 猫 🎉");
  assert.equal(visible("x".repeat(300)), `${"x".repeat(200)}…`);
  assert.equal(textOf({ hex: "ff00" }), "0xff00");
  assert.equal(outcomeText({ kind: "out_of_gas" }), "out of gas");
  assert.equal(outcomeText({ kind: "exit", code: 3 }), "exit code 3");
  const limits = { gas: "1000", call: UNLIMITED, frame: UNLIMITED, memory: "16", output: UNLIMITED, files: UNLIMITED };
  assert.equal(limitsText(limits), "gas 1\u202f000, memory 1.05 MB");
});

function receipt(change = () => {}) {
  const task = {
    module: { size: "8", sha256: digest("a") },
    args: { count: "1", sha256: digest("0") },
    env: { count: "0", sha256: digest("0") },
    stdin: { kind: "bytes", size: "3", sha256: digest("b") },
    files: { count: "2", root: digest("0") },
  };
  const result = { files: [{ path: "out", change: "added", type: "file", size: "1", sha256: digest("e") }] };
  const given = {
    module: "m.wasm",
    args: ["m.wasm"],
    files: [
      { path: "d", type: "directory" },
      { path: "d/in", type: "file", size: "5", sha256: digest("c") },
    ],
  };
  const whole = { id: digest("1"), sha256: digest("2"), listed: true, signers: [], receipt: { version: 1, task, result }, given };
  change(whole);
  return whole;
}

const material = (path, letter, module = null) => ({ path, source: new Blob([path]), size: 1, sha256: digest(letter), module });
const MODULE = material("some/name.wat", "9", { size: 8, sha256: digest("a") });

test("what a receipt needs is found by digest, whatever it is called", () => {
  const found = plan(receipt(), [MODULE, material("x", "b"), material("y", "c"), material("z", "e")]);
  assert.deepEqual(found.missing, []);
  assert.equal(found.job.module.source, MODULE.source);
  assert.equal(found.job.module.name, "m.wasm");
  assert.deepEqual(found.job.files.map(({ path }) => path), ["d/in"]);
  assert.deepEqual(found.job.outputs.map(({ path }) => path), ["out"]);
});

test("what is missing is named", () => {
  const what = (...args) => plan(...args).missing.map((each) => each.what);
  assert.deepEqual(what(receipt(), []), ["module m.wasm", "standard input", "input file d/in"]);
  const stripped = receipt((whole) => {
    whole.given = undefined;
    whole.listed = false;
  });
  assert.deepEqual(what(stripped, []), ["module", "standard input", "arguments", "input files"]);
  assert.deepEqual(what(stripped, [], { args: ["m.wasm"], env: null }), ["module", "standard input", "input files"]);
  const live = receipt(({ receipt }) => (receipt.task.stdin = { kind: "live", terminal: true, events: "1", sha256: digest("b") }));
  assert.ok(what(live, []).includes("typed input"));
});

test("the only module, and a file at the right place, are tried even if they are others: that is a mismatch", () => {
  const other = material("other.wasm", "8", { size: 9, sha256: digest("8") });
  const { job, missing } = plan(receipt(), [other, material("folder/d/in", "7"), material("x", "b")]);
  assert.deepEqual(missing, []);
  assert.equal(job.module.source, other.source);
  assert.deepEqual(job.files.map(({ path }) => path), ["d/in"]);
  const third = material("third.wasm", "6", { size: 9, sha256: digest("6") });
  assert.deepEqual(plan(receipt(), [other, third, material("d/in", "c"), material("x", "b")]).missing.map(({ what }) => what), ["module m.wasm"]);
});

test("results are counted, and written as the command line writes them", () => {
  const result = (receipt, verdict, message, earlier = false) => ({ receipt, sha256: digest("a"), id: digest("b"), verdict, message, earlier });
  const results = [result("a", "verified", null, true), result("b", "mismatch", "steps: …"), result("c", "cannot-tell", "…")];
  assert.equal(summaryLine(results, 4), "4 receipts: 1 verified (1 of them earlier), 1 different, 1 can’t be told, 1 to check");
  const [first, second] = resultLines(results).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(first, { receipt: "a", sha256: digest("a"), id: digest("b"), verdict: "verified" });
  assert.equal(second.message, "steps: …");
});

function unpacked(change = () => {}) {
  const manifest = {
    version: 1,
    module: { size: "1", sha256: digest("a") },
    name: "m.wasm",
    profile: { version: 1, clock: "fixed", random: "seeded", seed: "0".repeat(62) + "2a" },
    args: ["m.wasm", "one"],
    env: ["A=x=y"],
    stdin: { kind: "bytes", size: "2", sha256: digest("b") },
    files: [
      { path: "d", type: "directory" },
      { path: "d/in", type: "file", size: "1", sha256: digest("c") },
      { path: "e", type: "directory" },
    ],
    preopens: [{ name: "/", path: "", access: "read-write" }],
    limits: { gas: UNLIMITED, call: "65536", frame: "1", memory: "1", output: UNLIMITED, files: "1" },
  };
  change(manifest);
  return { manifest, module: Uint8Array.of(1), stdin: Uint8Array.of(1, 2), files: [{ path: "d/in", bytes: Uint8Array.of(1) }] };
}

test("a package is set up in the page's own terms", () => {
  const { request, items, name } = setUp(unpacked(), new Blob());
  assert.equal(name, "m.wasm");
  assert.deepEqual(items.map(({ kind, path }) => [kind, path]), [["file", "d/in"], ["directory", "e"]]);
  const { stdin, ...rest } = request;
  assert.equal(stdin.kind, "bytes");
  assert.deepEqual(rest, { args: ["one"], env: [["A", "x=y"]], limits: { call: "65536", frame: "1", memory: "1", fileBytes: "1" }, clock: "fixed", random: "seeded", seed: "2a" });
  const special = setUp(unpacked((manifest) => {
    manifest.args = [];
    manifest.preopens = [{ name: "in", path: "d" }];
    manifest.files.push({ path: "z", type: "symlink", target: "d" });
    manifest.stdin = { kind: "live", terminal: false, events: "0", sha256: digest("b") };
  }), new Blob());
  assert.equal(special.request.program, null);
  assert.deepEqual(special.request.preopens, [{ name: "in", path: "d" }]);
  assert.equal(special.request.stdin.kind, "script");
  assert.equal(special.items[0].format, "vtask");
  for (const change of [(m) => m.args.push({ hex: "ff" }), (m) => m.env.push("nothing"), (m) => m.env.push({ hex: "ff" })]) {
    assert.throws(() => setUp(unpacked(change), new Blob()), { code: "unfit" });
  }
});

test("what the fields lose is kept until the user changes that field", async () => {
  const extras = new Extras();
  const stdin = (text) => ({ kind: "bytes", source: new Blob([text]) });
  const wanted = { args: ["a"], env: [], stdin: stdin("x"), limits: { gas: "1" }, preopens: [{ name: "in", path: "d" }], program: null };
  const read = { args: ["a"], env: [], stdin: stdin("x"), limits: { memory: "8192", gas: "1" } };
  await extras.keep(wanted, read);
  assert.deepEqual(extras.names, ["limits", "preopens", "program"]);
  const again = await extras.apply({ ...read, stdin: stdin("x") });
  assert.deepEqual([again.limits, again.preopens, again.program], [{ gas: "1" }, wanted.preopens, null]);
  const changed = await extras.apply({ ...read, limits: { gas: "2" } });
  assert.deepEqual(changed.limits, { gas: "2" });
  assert.deepEqual(changed.preopens, wanted.preopens);
  assert.deepEqual(extras.names, ["preopens", "program"]);
  extras.clear();
  assert.equal((await extras.apply(read)).preopens, undefined);
});
