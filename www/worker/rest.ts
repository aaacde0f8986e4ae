/**
 * The second part of the runtime: what a first visit does without, above all the interpreter (`docs/architecture.md`).
 *
 * What is known to need it waits for `ready`. The runtime finds out about the rest of cases itself, in the middle of a
 * call: then it is read while the worker waits, which browsers allow in workers.
 */
import type { Face } from "../face";
import { UserError } from "../problem";
import type { Problem } from "../protocol";

/** Its address, or the module. */
export type RestSource = string | WebAssembly.Module;

/** How long the server may be silent. */
const PATIENCE_MS = 20_000;
/** How long all of it may take when everything waits for it. */
const SYNC_PATIENCE_MS = 60_000;

/** Why nobody waits any more. */
const ABANDONED: Problem = {
  code: "cancelled",
  message: "It was cancelled while a part of the runtime was loading.",
  hint: "Run it again.",
};

export class Rest {
  readonly #source: RestSource;
  readonly #patience: number;
  #loading: Promise<void> | null = null;
  #stop = new AbortController();
  #there = false;
  readonly #exports: WebAssembly.ModuleImports;
  /** Told when somebody begins to wait for it, and when nobody does any more. */
  waited: (does: boolean) => void = () => {};
  /** Told when it is about to be read in the middle of a call, during which nothing is heard. */
  deaf: () => void = () => {};

  /** `exports` are those of the first part's instance. */
  constructor(face: Face, exports: unknown, source: RestSource, patience = PATIENCE_MS) {
    this.#source = source;
    this.#patience = patience;
    this.#exports = exports as WebAssembly.ModuleImports;
    // A runtime that is in one piece has no tables for a second.
    if (!("t0" in this.#exports)) this.#there = true;
    face.onRest(() => this.#bring());
  }

  /** Once it is there, or the reason why not. */
  async ready(): Promise<void> {
    if (this.#there) return;
    if (this.#loading === null) {
      this.#stop = new AbortController();
      this.#loading = this.#load(this.#stop);
    }
    const loading = this.#loading;
    this.waited(true);
    try {
      await loading;
    } catch (error) {
      if (this.#loading === loading) this.#loading = null; // to be tried again
      throw error;
    } finally {
      this.waited(false);
    }
  }

  /** Nobody wants to wait any more: who does is refused, with `cancelled`. */
  abandon(): void {
    this.#stop.abort(new UserError(ABANDONED));
  }

  async #load(stop: AbortController): Promise<void> {
    try {
      const source = this.#source;
      const module = typeof source === "string" ? await compiled(source, stop, this.#patience) : source;
      // It may have come in the middle of a call meanwhile.
      if (this.#there) return;
      await WebAssembly.instantiate(module, { first: this.#exports });
      this.#there = true;
    } catch (reason) {
      // What is thrown for an aborted request differs between browsers.
      const error: unknown = stop.signal.aborted ? stop.signal.reason : reason;
      if (error instanceof UserError) throw error;
      throw new UserError(missing(error));
    }
  }

  #bring(): void {
    if (this.#there) return;
    this.deaf();
    try {
      const module = typeof this.#source === "string" ? new WebAssembly.Module(read(this.#source)) : this.#source;
      new WebAssembly.Instance(module, { first: this.#exports });
    } catch (error) {
      throw new MissingPart(missing(error));
    }
    this.#there = true;
  }
}

/** It did not come in the middle of a call. A trap, since what called is in the middle of something and can't be used again. */
export class MissingPart extends WebAssembly.RuntimeError {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The server has no such file: it has another version by now. */
class Gone extends Error {}

/** Not before the file is known to be there. */
function checkStatus(status: number): void {
  if (status === 404) throw new Gone("it is not there any more");
  if (status !== 200) throw new Error(`the server answered ${status}`);
}

/** Downloads and compiles it; gives up when the server is silent for too long, not when it is slow. */
async function compiled(address: string, stop: AbortController, patience: number): Promise<WebAssembly.Module> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new Error(`the server has been silent for ${patience / 1000} s`)), patience);
  };
  heard();
  try {
    const response = await fetch(address, { signal: stop.signal });
    checkStatus(response.status);
    if (!response.body) throw new Error("the server answered nothing");
    const listener = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        heard();
        controller.enqueue(chunk);
      },
    });
    const bytes = await new Response(response.body.pipeThrough(listener)).arrayBuffer();
    // To compile it may take as long as it likes.
    clearTimeout(timer);
    // A plain file server need not know the type that streaming insists on.
    return await WebAssembly.compile(bytes);
  } finally {
    clearTimeout(timer);
  }
}

/** While the worker waits. */
function read(address: string): ArrayBuffer {
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  request.responseType = "arraybuffer";
  request.timeout = SYNC_PATIENCE_MS;
  try {
    request.send();
  } catch (error) {
    // What browsers say of it names the address alone.
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Error(late ? `it did not come within ${SYNC_PATIENCE_MS / 1000} s` : "the server could not be reached");
  }
  checkStatus(request.status);
  return request.response as ArrayBuffer;
}

/** Why it is not there. */
function missing(error: unknown): Problem {
  const other = error instanceof Gone || error instanceof WebAssembly.LinkError;
  return {
    code: other ? "version-mixed" : "runtime-missing",
    message: `A part of the runtime could not be loaded: verirun_rest.wasm: ${error instanceof Error ? error.message : String(error)}`,
    hint: other ? "The site was updated since this page was loaded. Reload the page." : "Check your connection, then try it again.",
  };
}
