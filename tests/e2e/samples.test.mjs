/** Every sample task, in every run that its task.json describes, does in Chromium on both engines what it should and
 * what the command line makes of it: outcome, output, files, steps. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildCli, workFolder } from "./support/cli.mjs";
import { openSite, siteFile, visit } from "./support/page.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

const sources = fileURLToPath(new URL("../../tasks", import.meta.url));
const index = JSON.parse(readFileSync(siteFile("tasks/index.json"), "utf8"));

let site;
let visitor;
before(async () => {
  site = await openSite();
  visitor = await visit(site);
  await startWorker(visitor.page);
  buildCli();
});
after(async () => {
  await visitor?.done();
  await site?.close();
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
  const work = workFolder();
  mkdirSync(work.at("in"));
  for (const [path, content] of Object.entries(files)) work.write(`in/${path}`, content);
  work.write("stdin", stdin);
  const variables = Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  const options = ["--dir", "in::/", "--out-dir", "out", "--stdin", "stdin", "--json", "result.json", ...variables];
  const { stdout, stderr } = work.verirun(["run", ...options, module, ...args]);
  const { outcome, stats, files: left } = JSON.parse(work.read("result.json").toString());
  const changed = left.filter(({ type, change }) => type === "file" && change !== "same" && change !== "removed");
  const texts = Object.fromEntries(changed.map(({ path }) => [path, bytesOf(work.read(`out/${path}`))]));
  work.remove();
  return { outcome, stdout, stderr, stats, texts };
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
      const { engines, files: _, trace: __, ...result } = await runInWorker(visitor.page, {
        url: `tasks/${entry.module}`,
        // As the command line calls it, for programs that show their name.
        name: entry.module.split("/").at(-1),
        args: run.args,
        env: Object.entries(run.env),
        stdin: run.stdin,
        inputs: Object.entries(run.files).map(([path, content]) => ({ path, text: String(content) })),
        contents: true,
        engine: "both",
      });
      assert.deepEqual({ compared: engines.compared, instead: engines.instead }, { compared: true, instead: null });
      // The page's own, beside the figures of a result.
      delete result.stats.stdoutBytes;
      delete result.stats.stderrBytes;
      const { outcome, stdout, stderr, texts } = result;
      assert.deepEqual(outcome, { kind: "exit", code: expected.exit }, stderr);
      if ("stdout" in expected) assert.equal(stdout, expected.stdout);
      assert.ok(stdout.includes(expected.stdoutContains ?? ""), stdout);
      assert.ok(stderr.includes(expected.stderrContains ?? ""), stderr);
      for (const [path, content] of Object.entries(expected.files)) assert.equal(texts[path], bytesOf(content), path);
      assert.deepEqual(result, native(siteFile(`tasks/${entry.module}`), run), "on the command line");
    });
  }
}
