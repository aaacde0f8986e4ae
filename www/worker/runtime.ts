/** Loads `verirun.js` and `verirun_bg.wasm` from beside the worker, with progress. */
import type { Face } from "../face";
import type { FromWorker } from "../protocol";
import { UserError } from "../problem";
import { Rest } from "./rest";

export type Report = (message: Extract<FromWorker, { type: "loading" }>) => void;

/** The runtime, and what brings its second part. */
export interface Runtime {
  face: Face;
  rest: Rest;
}

/** The names of the runtime's files. */
export interface RuntimeFiles {
  glue: string;
  module: string;
  rest: string;
}

/** The names are relative to `base`. */
export async function loadRuntime(base: string, report: Report, names: RuntimeFiles): Promise<Runtime> {
  // Both at once; the glue is small, so only the module's bytes are counted.
  const glueUrl = new URL(names.glue, base).href;
  const glue = import(glueUrl) as Promise<Face>;
  glue.catch(() => {}); // looked at below, after the module
  const module = await compile(new URL(names.module, base).href, report);
  const face = await glue.catch((error: unknown) => {
    throw missing("verirun.js", String(error));
  });
  const exports = await face.default({ module_or_path: module });
  return { face, rest: new Rest(face, exports, new URL(names.rest, base).href) };
}

/** Downloads and compiles the runtime; says how far it is. */
export async function compile(url: string, report: Report): Promise<WebAssembly.Module> {
  report({ type: "loading", phase: "download", loaded: 0, total: null });
  const response = await fetch(url).catch((error: unknown) => {
    throw missing("verirun_bg.wasm", String(error));
  });
  if (!response.ok || !response.body) {
    throw missing("verirun_bg.wasm", `the server answered ${response.status}`);
  }
  const length = Number(response.headers.get("content-length"));
  let total = length > 0 ? length : null;
  let loaded = 0;
  let reported = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      loaded += chunk.byteLength;
      // With compression the header counts compressed bytes and we count the others: then there is no total.
      if (total !== null && loaded > total) total = null;
      if (loaded - reported > 64 * 1024 || loaded === total) {
        reported = loaded;
        report({ type: "loading", phase: "download", loaded, total });
      }
      controller.enqueue(chunk);
    },
    flush() {
      report({ type: "loading", phase: "compile" });
    },
  });
  // Streaming compilation insists on this type, and a plain file server need not know it.
  const counted = new Response(response.body.pipeThrough(counter), {
    headers: { "content-type": "application/wasm" },
  });
  return WebAssembly.compileStreaming(counted).catch((error: unknown) => {
    throw new UserError({
      code: "runtime-invalid",
      message: `The runtime did not compile: ${String(error)}`,
      hint: "Reload the page. If that does not help, this browser may be too old: it needs WebAssembly with SIMD.",
    });
  });
}

function missing(file: string, detail: string): UserError {
  return new UserError({
    code: "runtime-missing",
    message: `The runtime could not be loaded: ${file}: ${detail}`,
    hint: "Check your connection and reload the page.",
  });
}
