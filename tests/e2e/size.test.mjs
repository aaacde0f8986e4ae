/** The first visit loads no more than it should: what that is shows the browser itself, from the address to a page that
 * is ready to run. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { headline, openSite, siteFile, visit } from "./support/page.mjs";
import { BASE } from "./support/server.mjs";

/** Bytes of HTML, scripts, styles and the runtime together, compressed with Brotli as a server would keep them. */
const MOST = 450_000;

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

function compressed(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params }).length;
}

/** Two numbers and a name a line, for people. */
function table(files) {
  const line = ({ raw, small, name }) => `${String(raw).padStart(9)} ${String(small).padStart(8)}  ${name}`;
  const sum = (key) => files.reduce((sum, file) => sum + file[key], 0);
  const total = { raw: sum("raw"), small: sum("small"), name: "all of it" };
  return { total: total.small, text: ["    bytes   brotli", ...files.map(line), line(total)].join("\n") };
}

test("the first visit", async () => {
  const names = new Set();
  const visitor = await visit(site, {
    prepare: (context) => {
      context.on("response", (response) => {
        // The service worker then fetches all of the site for later, without anyone waiting.
        if (response.request().serviceWorker()) return;
        const { pathname } = new URL(response.url());
        if (pathname.startsWith(BASE)) names.add(pathname.slice(BASE.length) || "index.html");
      });
    },
  });
  await visitor.page.locator("#version", { hasText: /\d/ }).waitFor();
  await visitor.page.waitForLoadState("networkidle");
  const seen = new Set(names);
  const files = [...seen].map((name) => {
    const bytes = readFileSync(siteFile(name));
    return { name, raw: bytes.length, small: compressed(bytes) };
  });
  files.sort((a, b) => b.small - a.small);
  // A sample is content, and another one tomorrow.
  const [content, own] = [files.filter(({ name }) => name.startsWith("tasks/")), files.filter(({ name }) => !name.startsWith("tasks/"))];
  const { total, text } = table(own);
  console.log(`${text}\n${total} of ${MOST} bytes allowed\n\nand the first sample:\n${table(content).text}`);
  for (const name of ["index.html", "main.js", "app.css", "worker.js", "verirun_bg.wasm"]) assert.ok(seen.has(name), `${name} was not seen`);
  const kinds = new Set(own.map(({ name }) => extname(name)));
  assert.deepEqual([...kinds].sort(), [".css", ".html", ".js", ".svg", ".wasm"]);
  for (const heavy of ["xterm", "codemirror", "verirun_rest"]) {
    assert.ok(!own.some(({ name }) => name.includes(heavy)), `${heavy} is loaded when it is needed`);
  }
  assert.ok(total <= MOST, `${total} bytes, and ${MOST} are allowed`);

  // Nor does the first run need the rest; the interpreter does.
  const { page } = visitor;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.ok(!names.has("verirun_rest.wasm"), "the first run needs no second part of the runtime");
  await page.locator("#engineFold").evaluate((fold) => (fold.open = true));
  await page.selectOption("#engine", "interpreter");
  await Promise.all([page.waitForResponse(/verirun_rest\.wasm/), page.click("#run")]);
  await headline(page, "Finished with exit code 0");
  await visitor.done();
});

test("the interpreter is hinted which branches lead to calls", async () => {
  // Only the last step of the build adds the section, to a loop that is shaped and still so.
  const rest = await WebAssembly.compile(readFileSync(siteFile("verirun_rest.wasm")));
  const [hints, ...more] = WebAssembly.Module.customSections(rest, "metadata.code.branch_hint");
  assert.equal(more.length, 0);
  assert.ok(hints?.byteLength > 1000, `${hints?.byteLength} bytes of hints`);
});
