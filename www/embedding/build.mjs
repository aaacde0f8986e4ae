/**
 * Makes `embedding/` of the site out of docs/embedding.md: its examples marked `live` are on the page as they are in the
 * text, HTML as elements and scripts with a button to run them.
 */
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { marked, Renderer } from "marked";

const here = dirname(fileURLToPath(import.meta.url));
/** What the text calls the site. */
const SITE = "https://verirun.example/";
/** Documents that are not pages of the site. */
const DOCS = "https://github.com/verirun/verirun/blob/main/docs/";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'";

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const slug = (text) => text.toLowerCase().replaceAll(/<[^>]*>|[^\w\s-]/g, "").trim().replaceAll(/\s+/g, "-");

/** An example script as a module: what it imports at the top, the rest in a function that gets its console. */
function moduleOf(code) {
  const lines = code.split("\n");
  const isImport = (line) => /^import .* from "/.test(line);
  const here = (text) => text.replaceAll(`"${SITE}api.js"`, '"../api.js"').replaceAll(`"${SITE}"`, 'new URL("../", import.meta.url)');
  const imports = lines.filter(isImport).map(here);
  const body = lines.filter((line) => !isImport(line)).map(here);
  return `${imports.join("\n")}\nexport default async function (console) {\n${body.join("\n")}\n}\n`;
}

export async function buildEmbedding(outdir, target) {
  const out = join(outdir, "embedding");
  await mkdir(out, { recursive: true });
  const text = await readFile(join(here, "../../docs/embedding.md"), "utf8");
  const scripts = [];
  const styles = [];
  const renderer = new Renderer();
  const plainCode = (code, what) => `<pre class="code" tabindex="0" aria-label="${what}"><code>${escape(code)}</code></pre>`;
  let section = "";
  renderer.heading = function ({ tokens, depth, text }) {
    section = text;
    return `<h${depth} id="${slug(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
  };
  renderer.table = ((table) =>
    function (token) {
      return `<div class="wide" tabindex="0" role="region" aria-label="${escape(section)}: table">${table.call(this, token)}</div>`;
    })(renderer.table);
  renderer.link = function ({ href, tokens }) {
    const address = /^[\w-]+\.md/.test(href) ? DOCS + href : href;
    return `<a href="${escape(address)}">${this.parser.parseInline(tokens)}</a>`;
  };
  renderer.code = ({ text: code, lang = "" }) => {
    const [language, live] = lang.split(" ");
    if (language === "css") styles.push(code);
    if (live !== "live") return plainCode(code, language ? `Example, ${language}` : "Example");
    if (language === "html") {
      // The page has the script and its styles already.
      const element = code.replaceAll(/<script.*<\/script>|<link.*>/g, "").replaceAll(SITE, "../").trim();
      return `<div class="live">${plainCode(code, "Example, HTML")}${element}</div>`;
    }
    scripts.push(moduleOf(code));
    const name = `example-${scripts.length}`;
    return `<div class="live">${plainCode(code, "Example, JavaScript")}<p><button type="button" data-example="./${name}.js">Run this</button></p><pre class="said" role="status" hidden></pre></div>`;
  };
  const body = marked.parse(text, { renderer, async: false });
  const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="${escape(POLICY)}">
    <title>Embedding Verirun</title>
    <meta name="description" content="WebAssembly tasks in your own pages and programs: the element, the JavaScript API, the npm package.">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" type="image/svg+xml" href="../icon.svg">
    <link rel="stylesheet" href="./page.css">
    <link rel="stylesheet" href="./examples.css">
    <script type="module" src="../wasm-task.js"></script>
    <script type="module" src="./page.js"></script>
  </head>
  <body>
    <header><a href="../"><img src="../icon.svg" alt="" width="24" height="24"> Verirun</a></header>
    <main>
${body}
    </main>
  </body>
</html>
`;
  await writeFile(join(out, "index.html"), page);
  await Promise.all(scripts.map((script, index) => writeFile(join(out, `example-${index + 1}.js`), script)));
  await writeFile(join(out, "examples.css"), `${styles.join("\n")}\n`);
  const entryPoints = [join(here, "page.ts"), join(here, "page.css")];
  await build({ entryPoints, outdir: out, bundle: true, minify: true, format: "esm", target, logLevel: "warning" });
}
