/** The guests of tests/guests in Chromium, through the site's worker: all their checks pass, as natively, and the output
 * is the command line's to the byte. One page, one worker, a run for each case. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildCli, CLI } from "./support/cli.mjs";
import { openSite, visit } from "./support/page.mjs";
import { putDirectory, runInWorker, startWorker } from "./support/worker.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const target = join(root, "target");
const RUST = "guests/wasm32-wasip1/release";
const UNSTABLE = "guests-unstable/wasm32-wasip1/release";
const C = "guests/c";
const ASSEMBLY = "guests/assembly";

/** Arguments and environment of those that look at them; the others get none, and `input\n` on stdin. */
const CASES = {
  args_env: { args: ["", "two words", "é"], env: { A: "1", EMPTY: "", B: "x=y" } },
  c_process: { args: ["", "two words", "é"], env: { A: "1", EMPTY: "", B: "x=y" } },
  as_preview1: { args: ["one", "two"], env: { NAME: "text" } },
  as_unstable: { args: ["one", "two"], env: { NAME: "text" } },
  growth: { args: ["remove-batches", "2000"] },
  scale: { args: ["2000"] },
};
/** `fsops` is the native tests' own: it does what it reads, and checks nothing. `stdin`, which copies, and `read_only`,
 * which needs preopens of its own, have tests below. */
const NO_CHECKS = new Set(["fsops", "stdin", "read_only"]);

let site;
let visitor;
let folder;

before(async () => {
  for (const part of [RUST, UNSTABLE, C, ASSEMBLY]) {
    assert.ok(existsSync(join(target, part)), `${join(target, part)} is missing: run \`cargo xtask guests\``);
  }
  site = await openSite(target);
  visitor = await visit(site);
  await startWorker(visitor.page);
  folder = mkdtempSync(join(tmpdir(), "verirun-"));
  buildCli();
});
after(async () => {
  await visitor?.done();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function run(path, { args = [], env = {}, stdin = "input\n", ...options } = {}) {
  const name = basename(path, ".wasm");
  return runInWorker(visitor.page, { ...options, url: path, name, args, env: Object.entries(env), stdin });
}

/** What the command line prints for the same; it names the program after its file. */
function native(path, { args = [], env = {}, stdin = "input\n" } = {}) {
  const input = join(folder, "stdin");
  writeFileSync(input, stdin);
  const variables = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return spawnSync(CLI, ["run", "--stdin", input, ...variables, join(target, path), ...args], { encoding: "utf8" });
}

for (const part of [RUST, UNSTABLE, C, ASSEMBLY]) {
  const place = join(target, part);
  const files = existsSync(place) ? readdirSync(place).filter((file) => file.endsWith(".wasm")) : [];
  for (const file of files.sort()) {
    const name = basename(file, ".wasm");
    if (NO_CHECKS.has(name) || name.includes("unfinished")) continue;
    test(part === UNSTABLE ? `${name}, for wasi_unstable` : name, async () => {
      const path = `${part}/${file}`;
      const { outcome, stdout, stderr } = await run(path, CASES[name]);
      const lines = stdout.trimEnd().split("\n");
      const failed = lines.filter((line) => !line.startsWith("ok "));
      assert.deepEqual(failed, [], `${name}: ${JSON.stringify(outcome)} ${stderr}`);
      assert.deepEqual(outcome, { kind: "exit", code: 0 }, stderr);
      const cli = native(path, CASES[name]);
      // The program's name is one of the things that c_process checks.
      if (name !== "c_process") assert.equal(cli.stdout.replaceAll(`"${file}"`, `"${name}"`), stdout, "on the command line");
    });
  }
}

test("there are guests of every kind", () => {
  for (const part of [RUST, UNSTABLE, C, ASSEMBLY]) {
    const guests = readdirSync(join(target, part)).filter((file) => file.endsWith(".wasm"));
    assert.ok(guests.length >= 2, `${part} has ${guests.length}: run \`cargo xtask guests\``);
  }
});

test("exit codes, signals and traps", async () => {
  const process = `${RUST}/process.wasm`;
  for (const code of [0, 1, 125, 126, 134, 255, 256, 65536, 4294967295]) {
    const { outcome, stdout } = await run(process, { args: ["exit", String(code)] });
    assert.deepEqual(outcome, { kind: "exit", code });
    assert.equal(stdout, "ok before = exit\n", "nothing unwinds");
  }
  for (const [signal, code] of [[6, 134], [9, 137], [15, 143]]) {
    const { outcome } = await run(process, { args: ["raise", String(signal)] });
    assert.deepEqual(outcome, { kind: "exit", code });
  }
  const { outcome, stdout } = await run(process, { args: ["trap"] });
  assert.equal(outcome.kind, "trap");
  assert.equal(stdout, "ok before = trap\n", "output before the trap is kept");
});

test("standard input, all of it", async () => {
  const stdin = "grün\n".repeat(20_000);
  for (const how of ["", "poll"]) {
    const { outcome, stdout } = await run(`${RUST}/stdin.wasm`, { args: [how], stdin });
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
    assert.equal(stdout, `${stdin}ok total = 120000\nok again at the end = ""\n`);
  }
});

// The last one: the directory stays.
test("preopens that can't be changed", async () => {
  await putDirectory(visitor.page, "in");
  const preopens = [
    { name: "/", path: "" },
    { name: "files", path: "in", access: "read-only-files" },
    { name: "all", path: "in", access: "read-only" },
  ];
  for (const part of [RUST, UNSTABLE]) {
    const { outcome, stdout } = await run(`${part}/read_only.wasm`, { preopens });
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(lines.filter((line) => !line.startsWith("ok ")), [], part);
    assert.ok(lines.length > 20, `${lines.length} checks`);
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
  }
});
