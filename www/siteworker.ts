/** Starts the page's worker, which loads the runtime by itself. */
export function siteWorker(): Worker {
  // Beside this bundle, wherever the site lies.
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "verirun" });
}
