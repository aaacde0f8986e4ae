/** The API in a browser: `import { run } from "verirun"`, or from a site's `api.js`, also of another origin. */
import type { WorkerLike } from "../client";
import { compile } from "../worker/runtime";
import { createApi } from "./index";
import { unreachable } from "./task";
import type { Api } from "./types";

export { VerirunError } from "./errors";
export type * from "./types";

// In this form bundlers find the files and bring them along.
const RUNTIME = new URL("./verirun_bg.wasm", import.meta.url);
const REST = new URL("./verirun_rest.wasm", import.meta.url);
const WORKER = new URL("./api-worker.js", import.meta.url);

const WORKER_HINT =
  "A Content-Security-Policy of this page has to allow it: `worker-src 'self'`, or, if Verirun comes from another origin, `worker-src blob:` together with that origin, which `script-src` needs too, with 'wasm-unsafe-eval'.";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** Pages that require trusted types have to allow the policy `verirun`. */
const trusted = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("verirun", {
  createScriptURL: (url) => url,
});

/** Browsers start workers only from the page's own origin; but a worker of the page may import from elsewhere. */
function workerUrl(): { url: string; free(): void } {
  if (WORKER.origin === location.origin || WORKER.protocol === "data:" || WORKER.protocol === "blob:") {
    return { url: WORKER.href, free: () => {} };
  }
  const url = URL.createObjectURL(new Blob([`import ${JSON.stringify(WORKER.href)};`], { type: "text/javascript" }));
  return { url, free: () => URL.revokeObjectURL(url) };
}

function spawn(module: WebAssembly.Module): WorkerLike {
  const { url, free } = workerUrl();
  const worker = new Worker(trusted?.createScriptURL(url) ?? url, { type: "module", name: "verirun" });
  // The address must last until the worker has read it: its first word, or its failure.
  for (const event of ["message", "error"]) worker.addEventListener(event, free, { once: true });
  worker.postMessage({ type: "runtime", module, rest: REST.href });
  return worker;
}

async function read(address: string | URL, what: string, signal?: AbortSignal): Promise<Blob> {
  let url: URL;
  try {
    // In a worker there is no document.
    url = new URL(address, globalThis.document?.baseURI ?? location.href);
  } catch {
    throw unreachable(what, String(address), "this is not an address");
  }
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch {
    signal?.throwIfAborted();
    throw url.origin === location.origin
      ? unreachable(what, url.href, "the server did not answer", "Check your connection, and that this page's Content-Security-Policy allows it (connect-src).")
      : unreachable(
          what,
          url.href,
          "it is on another origin, and could not be read from this page",
          `The server there must send \`Access-Control-Allow-Origin: *\` (or this page's origin), and a Content-Security-Policy of this page must allow it: connect-src ${url.origin}.`,
        );
  }
  if (!response.ok) throw unreachable(what, url.href, `the server answered ${response.status}`);
  return response.blob();
}

/** One processor is the page's; more than eight runs at once would want too much memory. */
const parallel = Math.min(8, Math.max(2, (navigator.hardwareConcurrency ?? 2) - 1));

const api = createApi({
  compile: (report) => compile(RUNTIME.href, report),
  spawn,
  read,
  parallel,
  workerHint: WORKER_HINT,
});

/** Runs a module; await it for the result, or read its streams meanwhile. */
export const run: Api["run"] = api.run;

/** Runs a receipt's task again and compares. */
export const verify: Api["verify"] = api.verify;

/** Downloads and compiles the runtime ahead of the first run. */
export const preload: Api["preload"] = api.preload;
