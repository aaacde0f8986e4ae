/** What a program in JavaScript or Python sees, and how its errors are told: the same on both engines. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openSite, siteFile, visit } from "./support/page.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

const index = JSON.parse(readFileSync(siteFile("tasks/index.json"), "utf8"));
const runtimes = index.filter((entry) => entry.runtimeFor);
const runtimeFor = (extension) => runtimes.find((runtime) => runtime.runtimeFor.includes(extension));

let site;
let visitor;
before(async () => {
  site = await openSite();
  visitor = await visit(site);
  await startWorker(visitor.page);
});
after(async () => {
  await visitor?.done();
  await site?.close();
});

/** Runs a program on both engines, which must do the same in all that a result is. */
async function run(extension, program, { args = [], files = {}, ...options } = {}) {
  const runtime = runtimeFor(extension);
  const texts = { [runtime.program.slice(1)]: program, ...files };
  const result = await runInWorker(visitor.page, {
    url: `tasks/${runtime.module}`,
    name: runtime.id,
    args: [...runtime.args, ...args],
    inputs: Object.entries(texts).map(([path, text]) => ({ path, text })),
    contents: true,
    engine: "both",
    ...options,
  });
  assert.deepEqual({ compared: result.engines.compared, instead: result.engines.instead }, { compared: true, instead: null });
  return result;
}

const exit = (code) => ({ kind: "exit", code });
/** The first line of what went wrong. */
const told = ({ stderr }) => stderr.split("\n")[0];

test("each runtime comes with a program to start from", async () => {
  assert.deepEqual(runtimes.map(({ id }) => id), ["javascript", "python"]);
  for (const runtime of runtimes) {
    assert.equal(runtime.files[0].path, runtime.program.slice(1));
    const program = readFileSync(siteFile(`tasks/${runtime.source}`), "utf8");
    const { outcome, stdout, texts } = await run(runtime.runtimeFor[0], program, { args: ["Ada"], stdin: "one\ntwo\n" });
    assert.deepEqual(outcome, exit(0));
    assert.match(stdout, /^Hello, Ada!\nsquares\.json: .*\nYou typed: one\nYou typed: two\n$/);
    assert.deepEqual(JSON.parse(texts["squares.json"]), [0, 1, 4, 9, 16]);
  }
});

test("JavaScript: files, streams, modules, timers, clock and chance", async () => {
  const program = `
    import { double } from "./lib/double.js";
    console.log(double(21), args, env.NAME, "%d %s", 1, "x");
    console.log({ a: [1, "b"], map: new Map([[1, null]]) }, new Uint8Array([1, 2]), -0, 10n, [,1]);
    writeFile("bytes", new Uint8Array([0, 255]));
    appendFile("text", "é"); appendFile("text", "🦀");
    console.log(readFile("bytes", "bytes"), readFile("text"), listFiles(), fileType("lib"), fileType("none"));
    makeDirectory("made"); removeFile("made"); removeFile("bytes");
    console.log(stdin.readLine(), [...stdin]);
    try { readFile("none"); } catch (error) { console.log(error.code, error.message); }
    setTimeout(() => console.log("second"), 3600000);
    setTimeout(() => console.log("first"), 5);
    await null;
    console.log(Date.now(), new Date().toISOString(), Math.random() === Math.random(), performance.now() >= 0);
    console.error("to stderr");`;
  const { outcome, stdout, stderr, texts } = await run("js", program, {
    args: ["a b", ""],
    env: [["NAME", "value"]],
    stdin: "one\n\nlast",
    files: { "lib/double.js": "export const double = (x) => 2 * x;" },
  });
  assert.deepEqual(outcome, exit(0), stderr);
  assert.equal(
    stdout,
    `42 ["a b", ""] value %d %s 1 x
{ a: [1, "b"], map: Map(1) { 1 => null } } Uint8Array(2) [1, 2] -0 10n [(empty), 1]
Uint8Array(2) [0, 255] é🦀 ["bytes", "lib", "task.js", "text"] directory null
one ["", "last"]
ENOENT cannot read none: No such file or directory
100000 1970-01-01T00:01:40.000Z false true
first
second
`,
  );
  assert.equal(stderr, "to stderr\n");
  assert.deepEqual(Object.keys(texts), ["text"]);
});

test("JavaScript: an error is told with its place, and ends the program", async () => {
  for (const [program, line, code = 1] of [
    ["let x = 1;\nlet y = ;", "/task.js:2:9: SyntaxError: unexpected token in expression: ';'"],
    ["function f() {\n  null.x;\n}\nf();", "/task.js:2:3: TypeError: cannot read property 'x' of null"],
    ["await Promise.reject(new RangeError('no'));", "/task.js:1:26: RangeError: no"],
    ["Promise.reject(new Error('nobody waits'));", "/task.js:1:20: Error: nobody waits"],
    ["setTimeout(() => { throw new Error('late'); });", "/task.js:1:30: Error: late"],
    ["throw 5;", "Uncaught 5"],
    ["await new Promise(() => {});", "/task.js: an `await` waits for something that never comes"],
    ["import './none.js';", "Error: cannot import none.js: No such file or directory"],
    ["console.error('leaving'); exit(7);", "leaving", 7],
  ]) {
    const result = await run("js", program);
    assert.deepEqual(result.outcome, exit(code), program);
    assert.equal(told(result), line);
  }
});

test("JavaScript: recursion without end is a RangeError", async () => {
  const { outcome, stdout } = await run("js", "let n = 0; const f = () => { n++; f(); };\ntry { f(); } catch (e) { console.log(e.name, n > 1000); }");
  assert.deepEqual(outcome, exit(0));
  assert.equal(stdout, "RangeError true\n");
});

test("Python: files, streams, modules, library, clock and chance", async () => {
  const program = `
import collections, csv, datetime, hashlib, io, itertools, json, math, os, random, re, struct, sys, time, zlib
from lib.double import double
print(double(21), sys.argv, os.environ["NAME"])
open("bytes", "wb").write(bytes([0, 255]))
with open("text", "w", encoding="utf-8") as file: file.write("é🦀")
print(open("bytes", "rb").read(), open("text", encoding="utf-8").read(), sorted(os.listdir("/")))
os.remove("bytes")
print(repr(sys.stdin.readline()), [line for line in sys.stdin])
print(json.dumps({"a": [1.5, None, "é"]}), re.findall(r"\\d+", "a1b22"), hashlib.sha256(b"").hexdigest()[:8], zlib.crc32(b"x"))
print(math.pi, 2**100, 0.1 + 0.2, f"{1/3:.3f}", collections.Counter("aab").most_common(1), list(itertools.accumulate([1, 2, 3])))
print(time.time(), datetime.datetime.fromtimestamp(100, datetime.timezone.utc).isoformat(), random.random() != random.random())
print("to stderr", file=sys.stderr)`;
  const { outcome, stdout, stderr, texts } = await run("py", program, {
    args: ["a b"],
    env: [["NAME", "value"]],
    stdin: "one\n\nlast",
    files: { "lib/double.py": "def double(x): return 2 * x" },
  });
  assert.deepEqual(outcome, exit(0), stderr);
  assert.equal(
    stdout,
    `42 ['/task.py', 'a b'] value
b'\\x00\\xff' é🦀 ['bytes', 'lib', 'task.py', 'text']
'one\\n' ['\\n', 'last']
{"a": [1.5, null, "\\u00e9"]} ['1', '22'] e3b0c442 2363233923
3.141592653589793 1267650600228229401496703205376 0.30000000000000004 0.333 [('a', 2)] [1, 3, 6]
100.0 1970-01-01T00:01:40+00:00 True
`,
  );
  assert.equal(stderr, "to stderr\n");
  assert.deepEqual(Object.keys(texts), ["text"], "no __pycache__");
});

test("Python: an error is told with its place, and ends the program", async () => {
  for (const [program, line, code = 1] of [
    ["x = 1\nprint(x +)", "/task.py:2:10: SyntaxError: invalid syntax"],
    ["def f():\n  return 1 + nope\nf()", "/task.py:2:14: NameError: name 'nope' is not defined"],
    ["import json\njson.loads('[')", "/task.py:2:1: JSONDecodeError: Expecting value: line 1 column 2 (char 1)"],
    ["import sys\nsys.exit('leaving')", "leaving"],
    ["import sys\nsys.exit(7)", "", 7],
    ["import none", "/task.py:1:1: ModuleNotFoundError: No module named 'none'"],
  ]) {
    const result = await run("py", program);
    assert.deepEqual(result.outcome, exit(code), program);
    assert.equal(told(result), line);
  }
});

test("Python: recursion without end is a RecursionError", async () => {
  const { outcome, stdout } = await run("py", "def f(): f()\ntry: f()\nexcept RecursionError as e: print('caught')");
  assert.deepEqual(outcome, exit(0));
  assert.equal(stdout, "caught\n");
});
