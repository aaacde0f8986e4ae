/** The page's parts that need no browser, bundled from their TypeScript. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { parseArgs, formatArgs, parseEnv } = await load("args.ts");
const { LineEditor } = await load("lineedit.ts");
const { OutputLog } = await load("worker/outputlog.ts");
const { Ansi } = await load("element/ansi.ts");
const { cleanPath } = await load("inputs.ts");
const { buildTree } = await load("tree.ts");
const { taskOfFolder, taskVerdict, zipMayBeTask } = await load("functiontask.ts");
const { describe } = await load("outcome.ts");
const { checkSeed, readLimits } = await load("limits.ts");
const { bytes, quantity, grouped, percent } = await load("format.ts");

test("arguments are split as a shell splits them", () => {
  const cases = [
    ["", []],
    ["  a  b ", ["a", "b"]],
    ["'a b' \"c d\"", ["a b", "c d"]],
    ["a'b'\"c\"", ["abc"]],
    ["'' \"\"", ["", ""]],
    ["a\\ b \\'", ["a b", "'"]],
    ['"\\" \\\\ \\n"', ['" \\ \\n']],
    ["'\\n'", ["\\n"]],
    ["$HOME *", ["$HOME", "*"]],
  ];
  for (const [text, args] of cases) assert.deepEqual(parseArgs(text), { ok: true, args }, text);
  for (const text of ["'a", 'a"', "a\\"]) assert.equal(parseArgs(text).ok, false, text);
});

test("formatted arguments read back as they were", () => {
  const args = ["plain", "", "two words", "it's", '"', "\\", "a\nb", "$x", "ü", "--k=v"];
  assert.deepEqual(parseArgs(formatArgs(args)), { ok: true, args });
});

test("the environment is one KEY=VALUE a line", () => {
  assert.deepEqual(parseEnv("A=1\n\n# note\nB=x=y\nA=2"), { ok: true, env: [["A", "2"], ["B", "x=y"]] });
  assert.match(parseEnv("A=1\nnothing").message, /Line 2/);
  assert.equal(parseEnv("=x").ok, false);
});

test("a typed line can be edited", () => {
  const editor = new LineEditor();
  for (const key of ["h", "x", "\x7f", "allo", "\x1b[H", "\x1b[C", "\x1b[3~", "e", "\x05", "!"]) editor.key(key);
  assert.deepEqual(editor.key("\r"), { type: "line", text: "hello!" });
  editor.key("\x1b[A");
  assert.equal(editor.before, "hello!");
  editor.key("\x15");
  assert.deepEqual(editor.key("\x04"), { type: "end" });
  assert.deepEqual(editor.key("\x03"), { type: "interrupt" });
  assert.deepEqual(editor.key("\x1b[99~"), { type: "none" });
  editor.key("one two");
  editor.key("\x17");
  assert.equal(editor.before, "one ");
});

test("all output is kept, and no more is sent than was drawn", () => {
  const log = new OutputLog();
  const piece = new Uint8Array(100_000).map((_, index) => index % 251);
  for (let count = 0; count < 10; count++) log.push([{ fd: 1, bytes: piece }, { fd: 2, bytes: Uint8Array.of(count) }]);
  const first = log.next();
  const size = (message) => message.chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0);
  assert.equal(size(first), 384 * 1024);
  assert.equal(log.next(), null, "the window is full");
  log.drawn(1000);
  assert.equal(size(log.next()), 1000);
  log.drawn(1e9);
  assert.equal(log.stdout.length, 1_000_000);
  assert.deepEqual(log.stdout.read(999_998, 10), piece.slice(-2));
  assert.deepEqual(log.stderr.read(0, 10), Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
});

test("a page that fell behind is sent the end, from the start of a line", () => {
  const log = new OutputLog();
  const line = new TextEncoder().encode("0123456789abcde\n");
  const block = new Uint8Array(line.length * 10_000);
  for (let at = 0; at < block.length; at += line.length) block.set(line, at);
  block[block.length - 1] = 33;
  for (let count = 0; count < 40; count++) log.push([{ fd: 1, bytes: block }]);
  let shown = 0;
  let skipped = 0;
  let last = 0;
  for (let next = log.next(); next; next = log.next()) {
    skipped += next.skipped;
    for (const chunk of next.chunks) {
      if (shown === 0) assert.equal(chunk.bytes[0], 48);
      shown += chunk.bytes.length;
      last = chunk.bytes.at(-1);
    }
    log.drawn(1e9);
  }
  assert.equal(shown + skipped, 40 * block.length);
  assert.ok(shown < 5e6);
  assert.equal(last, 33);
});

test("paths stay inside the task", () => {
  assert.equal(cleanPath("/a//./b.txt"), "a/b.txt");
  for (const path of ["", "/", "../a", "a/../b", "a\0b"]) assert.throws(() => cleanPath(path), { code: "bad-path" }, path);
});

test("a list of paths becomes a tree", () => {
  const entry = (path) => ({ path, type: "file", size: 1, change: "same" });
  const [a, b] = buildTree([entry("a/x/1"), entry("a/y"), entry("b")]);
  assert.deepEqual([a.name, a.children.map((node) => node.path), b.path], ["a", ["a/x", "a/y"], "b"]);
});

test("numbers are short", () => {
  assert.deepEqual([bytes(999), bytes(1000), bytes(999_999), bytes(50_000_000)], ["999 B", "1.00 kB", "1.00 MB", "50.0 MB"]);
  assert.deepEqual([quantity(999), quantity(12_345), quantity(2e9)], ["999", "12.3 k", "2.00 G"]);
  assert.equal(grouped(1234567), "1\u202f234\u202f567");
});

test("a folder is a function task if task.wasm lies in it, not below", async () => {
  const file = (path) => ({ kind: "file", path, source: new Blob([path]) });
  const task = taskOfFolder("t", [file("t/task.wasm"), file("t/input.txt"), file("t/README"), file("t/x/fs.tar")]);
  assert.deepEqual([...task.keys()].sort(), ["input.txt", "task.wasm"]);
  assert.equal(taskOfFolder("t", [file("t/x/task.wasm"), file("t/input.txt")]), null);
  assert.equal(await zipMayBeTask(new Blob(["PK … mine/task.wasm … "])), true);
  assert.equal(await zipMayBeTask(new Blob(["PK … photo.png … "])), false);
});

test("a function task without output failed, whatever its exit code says", () => {
  const entry = (size, change = "added") => [{ path: "output.txt", type: "file", size, change }];
  const exit = (code) => ({ kind: "exit", code });
  assert.equal(taskVerdict(exit(0), entry(1)), null);
  assert.match(taskVerdict(exit(0), entry(0)).headline, /is empty/);
  assert.match(taskVerdict(exit(0), []).headline, /wrote no/);
  assert.match(taskVerdict(exit(0), entry(5, "removed")).headline, /wrote no/);
  assert.equal(taskVerdict(exit(1), []), null, "the exit code says it already");
});

test("an empty limit has its preset, or none", () => {
  const limits = readLimits(new Map([["call", "1_000"]]));
  assert.equal(limits.call, "1000");
  assert.equal(limits.memory, "8192");
  assert.equal("gas" in limits, false);
});

test("a share is never rounded up to all of it, nor down to nothing", () => {
  const shown = [[0, 10], [1, 1e6], [1, 100], [999, 1000], [1000, 1000], [0, 0]].map(([used, limit]) => percent(used, limit));
  assert.deepEqual(shown.map((text) => text.replace("\u00a0", " ")), ["0 %", "<1 %", "1 %", "99 %", "100 %", "100 %"]);
});

test("a seed is a hexadecimal number of up to 64 digits", () => {
  for (const seed of ["", " ", "0", "2a", "2A ", "f".repeat(64)]) assert.equal(checkSeed(seed), null, seed);
  for (const seed of ["0x2a", "-1", "g", "1 2", "1.5"]) assert.match(checkSeed(seed), /^Seed must be/, seed);
  assert.match(checkSeed("f".repeat(65)), /64 digits .* at most; this has 65/);
});

test("every outcome says what happened, how far it came, and what to do", () => {
  const message = "it happened in `f`; raise the limit";
  for (const kind of [
    "out_of_gas",
    "call_depth_exceeded",
    "frame_exceeded",
    "memory_exceeded",
    "output_limit_exceeded",
    "file_limit_exceeded",
  ]) {
    const { tone, headline, advice } = describe({ kind, message }, 1);
    assert.equal(tone, "warn");
    assert.notEqual(headline, "");
    assert.equal(advice, "It happened in `f`; raise the limit. Stopped after 1 step; output and files until then are kept.");
  }
  const failed = describe({ kind: "failed", message: "no memory; that is no result of the task" }, 5);
  assert.equal(failed.tone, "bad");
  assert.match(failed.advice, /^No memory; that is no result of the task\. .*run it again/);
  const trap = describe({ kind: "trap", trap: "unreachable", message: "it aborted in `f`" }, 1234);
  assert.equal(trap.headline, "Crashed: it aborted in `f`");
  assert.match(trap.advice, /after 1\u202f234 steps/);
});

test("the element keeps colours and weights, leaves other sequences out, and puts halves together", () => {
  const feed = (...texts) => {
    const ansi = new Ansi();
    return texts.flatMap((text) => ansi.feed(text)).map(({ text, looks }) => [text, looks]);
  };
  assert.deepEqual(feed("plain"), [["plain", {}]]);
  assert.deepEqual(feed("\x1b[1;32mgreen\x1b[0m\r\nplain"), [["green", { bold: true, color: 2 }], ["\nplain", {}]]);
  assert.deepEqual(feed("a\x1b[3", "1mred\x1b[m", "b"), [["a", {}], ["red", { color: 1 }], ["b", {}]]);
  assert.deepEqual(feed("\x1b[38;5;196mx\x1b[48;2;1;2;3my"), [
    ["x", { color: "rgb(255 0 0)" }],
    ["y", { color: "rgb(255 0 0)", background: "rgb(1 2 3)" }],
  ]);
  assert.deepEqual(feed("\x1b[48;5;232m \x1b[97mw\x1b[39;49m."), [[" ", { background: "rgb(8 8 8)" }], ["w", { background: "rgb(8 8 8)" }], [".", {}]]);
  assert.deepEqual(feed("\x1b[2J\x1b]0;title\x07\x1bMtext\x1b[?25l"), [["text", {}]]);
  // What begins like one and never ends is not held back for ever.
  assert.equal(feed(`\x1b[${"1;".repeat(100)}`, "x").map(([text]) => text).join("").endsWith("x"), true);
});
