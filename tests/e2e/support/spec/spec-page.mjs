/** Has a worker run each file of the specification's tests, and posts the sums: on the browser's own engine, or with
 * `?interpreter` on Verirun's. A file a worker: only with its worker does a browser surely give back the code of thousands
 * of modules, and the interpreter's memory. */
const post = (body) => fetch("spec-results", { method: "POST", body: JSON.stringify(body) });

const interpreter = location.search === "?interpreter";

/** The module is compiled once. */
async function compiled() {
  const response = await fetch("verirun_spec_bg.wasm");
  if (!response.ok) throw new Error(`verirun_spec_bg.wasm: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

function inWorker(file, module) {
  const worker = new Worker(interpreter ? "interpreter-worker.mjs" : "spec-worker.mjs", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(`${file.name}: ${event.message || "the worker could not be started"}`));
    worker.postMessage({ file, module });
  }).finally(() => worker.terminate());
}

try {
  const files = await (await fetch(interpreter ? "interpreter.json" : "spec.json")).json();
  const module = interpreter ? await compiled() : null;
  const sum = { browser: navigator.userAgent, files: files.length };
  for (const file of files) {
    for (const [name, found] of Object.entries(await inWorker(file, module))) {
      sum[name] = Array.isArray(found) ? [...(sum[name] ?? []), ...found] : (sum[name] ?? 0) + found;
    }
  }
  await post(sum);
} catch (error) {
  await post({ error: String(error?.stack ?? error) });
}
