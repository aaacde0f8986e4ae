/** Every sample task, in every run that its task.json describes, does in Chromium on both engines what it should and
 * what the command line makes of it: outcome, output, files, steps. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSite, siteFile, visit } from "./support/page.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const sources = join(root, "tasks");
const index = JSON.parse(readFileSync(siteFile("tasks/index.json"), "utf8"));

let site;
let visitor;
let folder;
before(async () => {
  site = await openSite();
  visitor = await visit(site);
  await startWorker(visitor.page);
  folder = mkdtempSync(join(tmpdir(), "verirun-"));
  const built = spawnSync("cargo", ["build", "--quiet", "--locked", "--bin", "verirun"], { cwd: root });
  assert.equal(built.status, 0, `the command line does not build: ${built.error ?? built.stderr}`);
});
after(async () => {
  await visitor?.done();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** The bytes of a file or text, one character each. */
const bytesOf = (content) => Buffer.from(content).toString("latin1");

/** The runs of a task: what it is given, and what should come of it. */
function runsOf(id) {
  const read = (path) => readFileSync(join(sources, id, path));
  const spec = JSON.parse(read("task.json").toString());
  const entry = index.find((entry) => entry.id === id);
  const program = entry.program ? { [entry.program.slice(1)]: read(spec.source) } : {};
  const given = Object.fromEntries((spec.files ?? []).map((path) => [path, read(path)]));
  const runs = (spec.checks ?? []).map(({ name, expected, stdin = "", ...check }) => ({
    name,
    args: check.args ?? spec.args ?? [],
    env: check.env ?? spec.env ?? {},
    stdin,
    files: check.files ?? given,
    expected: { ...expected, files: expected.files ?? {} },
  }));
  if (spec.expected) {
    const files = Object.fromEntries((spec.expected.files ?? []).map((path) => [path, read(path)]));
    runs.unshift({
      name: "as published",
      args: spec.args ?? [],
      env: spec.env ?? {},
      stdin: spec.stdinText ?? "",
      files: given,
      expected: { ...spec.expected, files },
    });
  }
  for (const run of runs) {
    run.files = { ...run.files, ...program };
    if (entry.program) run.args = [entry.program, ...run.args];
  }
  return { entry, runs };
}

/** The same with the command line. */
function native(module, { args, env, stdin, files }) {
  const [inputs, json, input] = ["in", "result.json", "stdin"].map((name) => join(folder, name));
  rmSync(inputs, { recursive: true, force: true });
  mkdirSync(inputs);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(inputs, path)), { recursive: true });
    writeFileSync(join(inputs, path), content);
  }
  writeFileSync(input, stdin);
  const variables = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const cli = join(root, `target/debug/verirun${process.platform === "win32" ? ".exe" : ""}`);
  const options = ["--dir", `${inputs}::/`, "--stdin", input, "--json", json, ...variables];
  const { stdout, stderr } = spawnSync(cli, ["run", ...options, module, ...args], { encoding: "latin1" });
  const { outcome, stats } = JSON.parse(readFileSync(json, "utf8"));
  return { outcome, stdout, stderr, stats };
}

const ids = readdirSync(sources).filter((id) => existsSync(join(sources, id, "task.json")));

test("all tasks are published, in all languages that are there", () => {
  const published = index.filter((entry) => !entry.runtimeFor).map((entry) => entry.id);
  assert.deepEqual(published, ids.sort());
  for (const entry of index) assert.ok(siteFile(`tasks/${entry.module}`), `${entry.id}: ${entry.module} is missing`);
});

for (const id of ids) {
  const { entry, runs } = runsOf(id);
  assert.ok(runs.length > 0, `${id} has no run`);
  for (const run of runs) {
    test(`${id} (${entry.language}): ${run.name}`, async () => {
      const { expected } = run;
      const { engines, texts, ...result } = await runInWorker(visitor.page, {
        url: `tasks/${entry.module}`,
        // As the command line calls it, so that a program that shows its name shows the same.
        name: entry.module.split("/").at(-1),
        args: run.args,
        env: Object.entries(run.env),
        stdin: run.stdin,
        inputs: Object.entries(run.files).map(([path, content]) => ({ path, text: String(content) })),
        contents: true,
        engine: "both",
      });
      assert.deepEqual({ compared: engines.compared, instead: engines.instead }, { compared: true, instead: null });
      const { outcome, stdout, stderr, stats } = result;
      assert.deepEqual(outcome, { kind: "exit", code: expected.exit }, stderr);
      if ("stdout" in expected) assert.equal(stdout, expected.stdout);
      assert.ok(stdout.includes(expected.stdoutContains ?? ""), stdout);
      assert.ok(stderr.includes(expected.stderrContains ?? ""), stderr);
      for (const [path, content] of Object.entries(expected.files)) assert.equal(texts[path], bytesOf(content), path);
      const cli = native(siteFile(`tasks/${entry.module}`), run);
      assert.deepEqual({ ...result, files: undefined, trace: undefined, stdout: bytesOf(stdout), stderr: bytesOf(stderr) }, {
        ...cli,
        files: undefined,
        trace: undefined,
      });
    });
  }
}
