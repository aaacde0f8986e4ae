/** Where the worker of this page's version is, and what it calls itself; put in by www/build.mjs. */
declare const WORKER: string;
declare const WORKER_ID: string;

/** Starts the page's worker, which loads the runtime by itself, and says so if it is another version's. */
export function siteWorker(): Worker {
  // Beside this bundle, wherever the site lies.
  return new Worker(new URL(WORKER, import.meta.url), { type: "module", name: `verirun ${WORKER_ID}` });
}
