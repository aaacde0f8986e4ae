/** Parts of the workbench that need no browser, bundled from their TypeScript. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

async function load(path) {
  const entry = fileURLToPath(new URL(`../../www/${path}`, import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

const { parseRows } = await load("preview/csv.ts");
const { span } = await load("editor/marks.ts");
const { scriptError } = await load("scripterrors.ts");
const { answerText, argumentsText } = await load("watch/signatures.ts");
const { byFunction, frames } = await load("watch/tree.ts");
const { describe } = await load("outcome.ts");

test("comma-separated values are read as RFC 4180 has them, and forgivingly", () => {
  const all = (text, separator = ",") => parseRows(text, separator, true).rows;
  assert.deepEqual(all("a,b\n1,2\n"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(all("a,b\r\n1,2"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(all('"a, ""b""\n",c\n'), [['a, "b"\n', "c"]]);
  assert.deepEqual(all("a,\n,b"), [["a", ""], ["", "b"]]);
  assert.deepEqual(all('"open,b\n'), [['"open', "b"]]);
  assert.deepEqual(all("a\tb\n", "\t"), [["a", "b"]]);
  assert.deepEqual(all(""), []);
  assert.deepEqual(all("a,"), [["a", ""]]);
  // Of a part of a file the last row may be cut off: it is left for the next part.
  const { rows, length } = parseRows("a,b\nc,d\ne,", ",", false);
  assert.deepEqual([rows, length], [[["a", "b"], ["c", "d"]], 8]);
  assert.deepEqual(parseRows('a\n"b', ",", false), { rows: [["a"]], length: 2 });
});

test("a mark covers the word at its place; columns count characters", () => {
  const text = "(module\n  (fnc x)\n\n🎉🎉 end";
  const marked = (line, column) => {
    const { from, to } = span(text, { line, column, message: "" });
    return text.slice(from, to);
  };
  assert.equal(marked(2, 4), "fnc");
  assert.equal(marked(2, null), "(fnc x)");
  assert.equal(marked(4, 4), "end");
  assert.equal(marked(2, 99), ")");
  assert.equal(marked(99, 99), "d");
  assert.deepEqual(span("", { line: 1, column: 1, message: "" }), { from: 0, to: 0 });
});

test("the place of a script's error is found in what its interpreter says", () => {
  const quickjs = "noise\nTypeError: not a function\n    at inner (/task.js:3:7)\n    at <eval> (/task.js:9:1)\n";
  assert.deepEqual(scriptError(quickjs, "task.js"), { line: 3, column: 7, message: "TypeError: not a function" });
  assert.deepEqual(scriptError("SyntaxError: unexpected token in expression: ';'\n    at /task.js:2:11\n", "task.js"), {
    line: 2,
    column: 11,
    message: "SyntaxError: unexpected token in expression: ';'",
  });
  const python = 'Traceback (most recent call last):\n  File "/task.py", line 7, in <module>\n    f()\n  File "/task.py", line 3, in f\n    return x\n           ^\nNameError: name \'x\' is not defined\n';
  assert.deepEqual(scriptError(python, "task.py"), { line: 3, column: 8, message: "NameError: name 'x' is not defined" });
  assert.equal(scriptError("just talk\n", "task.js"), null);
  assert.equal(scriptError("Error\n at other.js:1:2", "task.js"), null);
});

test("calls read as people write them", () => {
  const call = (name, args, more = {}) => ({ number: 0, steps: 0, function: name, args: args.map(String), answer: "success", errno: 0, paths: [], result: null, ...more });
  const open = call("path_open", [3, 0, 64, 8, 9, "18446744073709551615", 0, 1, 16], { paths: ["a.txt"], result: "4" });
  assert.equal(argumentsText(open), 'fd=3, "a.txt", creat|trunc, append');
  assert.equal(answerText(open), "fd = 4");
  assert.equal(argumentsText(call("fd_seek", [4, "18446744073709551615", 1, 8])), "fd=4, offset=-1, whence=1");
  assert.equal(argumentsText(call("fd_write", [1, 1024, 2, 16])), "fd=1, iovs=0x400, count=2");
  assert.equal(answerText(call("fd_close", [4])), "ok");
  assert.equal(answerText(call("fd_close", [9], { answer: "badf", errno: 8 })), "badf (8)");
  assert.equal(answerText(call("proc_exit", [1], { answer: "exit", errno: null })), "exit");
});

test("a profile's frames lie within their callers, and sums account for all steps", () => {
  const nodes = [
    { function: null, name: null, parent: 0, steps: 0, calls: 0 },
    { function: 1, name: "main", parent: 0, steps: 10, calls: 1 },
    { function: 2, name: "small", parent: 1, steps: 20, calls: 1 },
    { function: 3, name: null, parent: 1, steps: 60, calls: 5 },
    { function: 2, name: "small", parent: 3, steps: 10, calls: 2 },
  ];
  const all = frames(nodes);
  assert.deepEqual(all.map(({ total }) => total), [100, 100, 20, 70, 10]);
  assert.deepEqual(all.map(({ start }) => start), [0, 0, 0.7, 0, 0]);
  assert.deepEqual(byFunction(nodes), [
    { name: "function 3", self: 60, calls: 5 },
    { name: "small", self: 30, calls: 3 },
    { name: "main", self: 10, calls: 1 },
  ]);
});

test("every bad ending says where it was", () => {
  const place = { function: 3, name: "parse_header", offset: 0x1a3, source: { file: "src/main.rs", line: 12, column: 5 } };
  const gas = describe({ kind: "out_of_gas", message: "it is out of gas" }, 1234, { ...place, offset: null, source: null });
  assert.equal(gas.headline, "Out of gas at step 1\u202f234 in `parse_header`");
  const trap = describe({ kind: "trap", trap: "unreachable", message: "it executed `unreachable` in `parse_header`" }, 10, place);
  assert.match(trap.advice, /It was at src\/main\.rs:12:5\./);
  const bare = describe({ kind: "trap", trap: "unreachable", message: "x" }, 10, { ...place, source: null });
  assert.match(bare.advice, /byte 0x1a3 .*debug information/);
});
