/** The API and the element in Firefox: in a page of another origin, under the strict policy. The page reports by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { findFirefox, openFirefox } from "./support/firefox.mjs";
import { CORS, serveOrigin, strictPolicy } from "./support/origin.mjs";
import { siteFolders } from "./support/page.mjs";
import { ECHO, ENDLESS, GREETING } from "./support/programs.mjs";

const firefox = findFirefox();
const missing =
  process.env.VERIRUN_NO_FIREFOX ||
  "there is no Firefox: install it (Debian: apt-get install firefox-esr), or set FIREFOX to its program";

/** Runs in the page; what it returns is reported. */
async function probe(verirun, programs) {
  const { run, verify } = await import(`${verirun}/api.js`);
  const hello = `${verirun}/tasks/hello/hello.wasm`;
  const first = await run(hello, { args: ["Firefox"] });
  const engines = await Promise.all(
    ["interpreter", "browser", "both"].map((engine) => run(hello, { args: ["Firefox"], engine }).then(({ receipt }) => receipt.id)),
  );
  const live = run({ wat: programs.ECHO }, { live: true });
  const writer = live.stdin.getWriter();
  await writer.write("typed\n");
  await writer.close();
  const endless = run({ wat: programs.ENDLESS });
  await endless.stdout.getReader().read();
  endless.cancel();
  // Here nothing comes back from the browser's engine before its end: it is stopped with its worker.
  const away = run({ wat: programs.ENDLESS }, { engine: "browser" });
  await away.stdout.getReader().read();
  away.cancel();
  const missing = await run(`${verirun}/nowhere.wasm`).catch(({ code }) => code);
  const element = document.querySelector("wasm-task");
  await customElements.whenDefined("wasm-task");
  const shown = await element.run();
  const { verdict } = await verify(first.receipt, { module: hello });
  return {
    text: first.stdoutText.includes("Hello, Firefox!"),
    engines: new Set([first.receipt.id, ...engines]).size,
    live: (await live).stdoutText,
    cancelled: (await endless).outcome.kind,
    away: [(await away).outcome.kind, (await away).stdoutText],
    missing,
    element: [shown.exitCode, element.shadowRoot.querySelector("pre").textContent],
    styled: getComputedStyle(element.shadowRoot.querySelector("section")).display,
    verdict,
  };
}

test("runs, streams, cancels and verifies in Firefox, from another origin", { skip: !firefox && !process.env.CI && missing }, async () => {
  assert.ok(firefox, missing);
  const verirun = await serveOrigin({ folders: siteFolders, headers: CORS });
  // The page has a script of its own, and posts to itself.
  const policy = strictPolicy(verirun.url).replace("script-src", "script-src 'self'");
  const programs = JSON.stringify({ ECHO, ENDLESS });
  const script = `${probe}
probe("${verirun.url}", ${programs}).catch((error) => ({ error: String(error), hint: error.hint })).then((found) => fetch("/found", { method: "POST", body: JSON.stringify(found) }));`;
  const page = `<!doctype html><title>A page</title><script type="module" src="${verirun.url}/wasm-task.js"></script>
<script type="module" src="/probe.js"></script><wasm-task src="/greeting.wat"></wasm-task>`;
  const found = deferred();
  const blog = await serveOrigin({
    pages: { "/page.html": page, "/probe.js": script, "/greeting.wat": GREETING, "/favicon.ico": "" },
    headers: { "content-security-policy": policy },
    receive: (path, body) => path === "/found" && found.resolve(JSON.parse(body)),
  });
  const browser = openFirefox(firefox, `${blog.url}/page.html`);
  try {
    assert.deepEqual(await Promise.race([found.promise, browser.ended]), {
      text: true,
      engines: 1,
      live: "> typed\n[end]\n",
      cancelled: "cancelled",
      away: ["cancelled", "before the loop\n"],
      missing: "unreachable",
      element: [3, "to stdout\nto stderr\n"],
      styled: "grid",
      verdict: "verified",
    });
  } finally {
    await browser.close();
    blog.close();
    verirun.close();
  }
});

/** A promise with its resolver. */
function deferred() {
  const self = {};
  self.promise = new Promise((resolve) => (self.resolve = resolve));
  return self;
}
