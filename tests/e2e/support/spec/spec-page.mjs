/** Has a worker run each file of spec.json, and posts the sums. A file a worker: only with its worker does a browser
 * surely give back the code of thousands of modules. */
const post = (body) => fetch("spec-results", { method: "POST", body: JSON.stringify(body) });

function inWorker(file) {
  const worker = new Worker("spec-worker.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(`${file.name}: ${event.message || "the worker could not be started"}`));
    worker.postMessage(file);
  }).finally(() => worker.terminate());
}

try {
  const files = await (await fetch("spec.json")).json();
  const sum = { browser: navigator.userAgent, files: files.length, directives: 0, passed: 0, metered: 0, failed: [], differ: [] };
  for (const file of files) {
    const found = await inWorker(file);
    sum.directives += file.directives.length;
    sum.passed += found.passed;
    sum.metered += found.metered;
    sum.failed.push(...found.failed);
    sum.differ.push(...found.differ);
  }
  await post(sum);
} catch (error) {
  await post({ error: String(error?.stack ?? error) });
}
