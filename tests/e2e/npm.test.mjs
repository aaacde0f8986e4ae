/** The npm package as others use it: installed from the tarball, in a Vite project and in a script for Node.js. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { zipOf } from "./support/archives.mjs";
import { serveOrigin } from "./support/origin.mjs";
import { packedCopy } from "./support/packages.mjs";
import { launchChromium, siteFile } from "./support/page.mjs";
import { GREETING } from "./support/programs.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const tarball = join(root, "target/npm/verirun.tgz");
/** Below the checkout, so that Vite and TypeScript are found there; the package is not. */
const project = join(root, "target/npm/project");
const vite = join(root, "node_modules/vite/bin/vite.js");
const tsc = join(root, "node_modules/typescript/bin/tsc");

let browser;
before(async () => {
  assert.ok(existsSync(tarball), "`cargo xtask npm` makes the package");
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  cpSync(join(root, "tests/npm"), project, { recursive: true });
  mkdirSync(join(project, "vite/public"));
  writeFileSync(join(project, "vite/public/greeting.wat"), GREETING);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // It depends on nothing, so nothing is fetched.
  await run(npm, ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball], { cwd: project });
  browser = await launchChromium();
});
after(() => browser?.close());

/** What the project's page shows when it is done; `url` is where it is served. */
async function look(url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors = [];
  const asked = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  await page.locator('body[data-done="done"]').waitFor();
  const said = await page.locator("#said").textContent();
  const output = await page.locator('wasm-task >> css=[part="output"]').textContent();
  await context.close();
  assert.deepEqual(errors, []);
  assert.equal(said, "3: to stdout\n");
  assert.equal(output, "to stdout\nto stderr\n");
  return asked;
}

test("the types are right for a bundler and for Node.js, without leave to skip any", async () => {
  await run(process.execPath, [tsc, "--project", join(project, "vite/tsconfig.json")]);
  const roots = join(root, "node_modules/@types");
  await run(process.execPath, [tsc, "--project", join(project, "tsconfig.node.json"), "--typeRoots", roots]);
});

test("a project that is built with Vite runs in Chromium, below any path", async () => {
  await run(process.execPath, [vite, "build"], { cwd: join(project, "vite") });
  const server = await serveOrigin({ folders: [join(project, "vite/dist")] });
  const asked = await look(`${server.url}/index.html`);
  server.close();
  const wasm = new Set(asked.filter((url) => /verirun_bg[^/]*\.wasm$/.test(url)));
  assert.equal(wasm.size, 1, "one runtime for the API and the element");
});

test("Vite's development server works too", async () => {
  const child = spawn(process.execPath, [vite, "--port", "0", "--host", "127.0.0.1", "--clearScreen", "false"], { cwd: join(project, "vite") });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = "";
      const hear = (text) => {
        said += String(text).replaceAll(/\x1b\[[\d;]*m/g, "");
        const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
        if (found) resolve(found[0]);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("exit", (code) => reject(new Error(`Vite ended (${code}): ${said}`)));
    });
    await look(url);
  } finally {
    child.kill();
  }
});

test("a script runs tasks in Node.js, and ends", async () => {
  writeFileSync(join(project, "copy.vtask"), await packedCopy());
  writeFileSync(join(project, "in.zip"), zipOf(["a.txt", "a"]));
  const { stdout } = await run(
    process.execPath,
    ["script.mjs", siteFile("tasks/hello/hello.wasm"), siteFile("tasks/tour/tour.wasm"), "copy.vtask", "in.zip"],
    { cwd: project, timeout: 120_000 },
  );
  const said = JSON.parse(stdout);
  assert.match(said.streamed, /Hello, Node!/);
  assert.deepEqual([said.same, said.exitCode], [true, 0]);
  const { interpreter, browser: compiled, both } = said.engines;
  assert.equal(interpreter.outcome.kind, "exit");
  assert.deepEqual([interpreter.ran, compiled.ran], ["interpreter", "browser"]);
  for (const engine of [compiled, both]) {
    assert.deepEqual([engine.outcome, engine.stats, engine.trace], [interpreter.outcome, interpreter.stats, interpreter.trace]);
  }
  assert.deepEqual([said.cancelled, said.stopped, said.aborted], ["cancelled", "cancelled", "TimeoutError"]);
  assert.deepEqual([said.verdict, said.element], ["verified", "function"]);
  assert.deepEqual([said.archives, said.packages], [["verified", "mismatch"], ["verified", "verified"]]);
  assert.equal(said.missing.code, "unreachable");
  assert.ok(said.missing.ours && said.missing.hint);
});

test("the package says what it is, and holds what it needs", () => {
  const about = JSON.parse(readFileSync(join(project, "node_modules/verirun/package.json"), "utf8"));
  const { version } = /^\[workspace\.package\]\s+version = "(?<version>[^"]+)"/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8")).groups;
  assert.equal(about.version, version);
  const licenses = readFileSync(join(project, "node_modules/verirun/licenses.txt"), "utf8");
  assert.match(licenses, /^wasmi 2/m);
  assert.doesNotMatch(licenses, /^(?:rustpython|@codemirror)/m, "what only the site has");
  const named = JSON.stringify(about.exports).match(/\.\/(?:dist|types)\/[\w./-]+/g);
  for (const path of named) assert.ok(existsSync(join(project, "node_modules/verirun", path)), path);
});
