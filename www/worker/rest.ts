/**
 * The second part of the runtime: what a first visit does without, above all the interpreter (`docs/architecture.md`).
 *
 * What is known to need it waits for `ready`. The runtime finds out about the rest of cases itself, in the middle of a
 * call: then it is read while the worker waits, which browsers allow in workers.
 */
import type { Face } from "../face";
import { UserError } from "../problem";

/** Its address, or the module. */
export type RestSource = string | WebAssembly.Module;

export class Rest {
  readonly #source: RestSource;
  #loading: Promise<void> | null = null;
  #there = false;
  readonly #exports: WebAssembly.ModuleImports;

  /** `exports` are those of the first part's instance. */
  constructor(face: Face, exports: unknown, source: RestSource) {
    this.#source = source;
    this.#exports = exports as WebAssembly.ModuleImports;
    // A runtime that is in one piece has no tables for a second.
    if (!("t0" in this.#exports)) this.#there = true;
    face.onRest(() => this.#bring());
  }

  /** Once it is there, or the reason why not. */
  async ready(): Promise<void> {
    if (this.#there) return;
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = null; // to be tried again
      throw error;
    }
  }

  async #load(): Promise<void> {
    try {
      const source = this.#source;
      const module = typeof source === "string" ? await compiled(source) : source;
      // It may have come in the middle of a call meanwhile.
      if (this.#there) return;
      await WebAssembly.instantiate(module, { first: this.#exports });
      this.#there = true;
    } catch (error) {
      const other = error instanceof Gone || error instanceof WebAssembly.LinkError;
      throw new UserError({
        code: other ? "version-mixed" : "runtime-missing",
        message: missing(error),
        hint: other ? "The site was updated since this page was loaded. Reload the page." : "Check your connection, then try it again.",
      });
    }
  }

  #bring(): void {
    if (this.#there) return;
    try {
      const module = typeof this.#source === "string" ? new WebAssembly.Module(read(this.#source)) : this.#source;
      new WebAssembly.Instance(module, { first: this.#exports });
    } catch (error) {
      // Of this kind, because what called is in the middle of something and can't be used again.
      throw new WebAssembly.RuntimeError(missing(error));
    }
    this.#there = true;
  }
}

/** The server has no such file: it has another version by now. */
class Gone extends Error {}

async function compiled(address: string): Promise<WebAssembly.Module> {
  const response = await fetch(address);
  if (response.status === 404) throw new Gone("it is not there any more");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  // A plain file server need not know the type that streaming insists on.
  return WebAssembly.compile(await response.arrayBuffer());
}

/** While the worker waits. */
function read(address: string): ArrayBuffer {
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`the server answered ${request.status}`);
  return request.response as ArrayBuffer;
}

function missing(error: unknown): string {
  return `A part of the runtime could not be loaded: verirun_rest.wasm: ${error instanceof Error ? error.message : String(error)}`;
}
