/** The API in Node.js: `import { run } from "verirun"`. */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { WorkerLike } from "../../client";
import { createApi } from "../index";
import { unreachable } from "../task";
import type { Api } from "../types";

export { VerirunError } from "../errors";
export type * from "../types";

const RUNTIME = new URL("./verirun_bg.wasm", import.meta.url);
const REST = new URL("./verirun_rest.wasm", import.meta.url);
const WORKER = new URL("./node-worker.js", import.meta.url);

/** Compiled with the other; it is on the disk already. */
let rest: WebAssembly.Module;

function spawn(module: WebAssembly.Module): WorkerLike {
  const worker = new Worker(WORKER, { name: "verirun" });
  const like: WorkerLike & { ref(): void; unref(): void } = {
    onmessage: null,
    onerror: null,
    postMessage: (message) => worker.postMessage(message),
    terminate: () => worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
  worker.on("message", (data: unknown) => like.onmessage?.({ data } as MessageEvent));
  worker.on("error", (error: Error) => {
    like.onerror?.({ message: error.message, preventDefault: () => {} } as ErrorEvent);
  });
  worker.postMessage({ type: "runtime", module, rest });
  return like;
}

/** The path of a file, or an address. */
async function read(address: string | URL, what: string, signal?: AbortSignal): Promise<Blob> {
  const text = String(address);
  const url = /^(?:https?|data|blob|file):/i.test(text) ? new URL(text) : pathToFileURL(resolve(text));
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    try {
      return new Blob([await readFile(path, signal ? { signal } : {})]);
    } catch (error) {
      signal?.throwIfAborted();
      const { code } = error as NodeJS.ErrnoException;
      throw unreachable(what, path, code === "ENOENT" ? "there is no such file" : String((error as Error).message), "Check the path.");
    }
  }
  let response: Response;
  try {
    response = await fetch(url, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    const { cause } = error as Error;
    throw unreachable(what, text, cause instanceof Error ? cause.message : String(error), "Check the address and your connection.");
  }
  if (!response.ok) throw unreachable(what, text, `the server answered ${response.status}`);
  return response.blob();
}

const api = createApi({
  compile: async () => {
    rest = await WebAssembly.compile(await readFile(REST));
    return WebAssembly.compile(await readFile(RUNTIME));
  },
  spawn,
  read,
  parallel: Math.max(1, availableParallelism() - 1),
  workerHint: "Check the permissions of this process (--permission needs --allow-worker) and its memory.",
});

/** Runs a module; await it for the result, or read its streams meanwhile. */
export const run: Api["run"] = api.run;

/** Runs a receipt's task again and compares. */
export const verify: Api["verify"] = api.verify;

/** Downloads and compiles the runtime ahead of the first run. */
export const preload: Api["preload"] = api.preload;
