/** What differs between a browser and Node.js. */
import type { WorkerLike } from "../client";
import type { Report } from "../worker/runtime";

export interface Platform {
  /** Downloads and compiles the runtime; called once, and again after it failed. */
  compile(report: Report): Promise<WebAssembly.Module>;
  /** Starts a worker and hands it the runtime. May throw where workers are forbidden. */
  spawn(module: WebAssembly.Module): WorkerLike;
  /** Reads what is at an address; refused with a `VerirunError`. */
  read(address: string | URL, what: string, signal?: AbortSignal): Promise<Blob>;
  /** How many programs may compute at once. */
  parallel: number;
  /** What to look at when no worker starts. */
  workerHint: string;
}
