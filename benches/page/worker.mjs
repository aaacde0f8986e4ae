/** One engine. The first message says which; every further one is a job, answered with a measurement. */
const KINDS = {
  harness: () => import("./harness.mjs"),
  direct: () => import("./direct.mjs"),
};

let engine;
const files = new Map();

/** The bytes at an address, fetched once. */
async function bytes(url) {
  if (!files.has(url)) {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    files.set(url, new Uint8Array(await response.arrayBuffer()));
  }
  return files.get(url);
}

async function digest(output) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", output));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function run(job) {
  const wasm = await bytes(job.url);
  const stdin = job.stdin ? await bytes(job.stdin) : new Uint8Array();
  const started = performance.now();
  const program = await engine.load(wasm, job);
  const loaded = performance.now();
  let result;
  for (let count = 0; count < job.repeat; count += 1) result = program.run([job.program, ...job.args], stdin);
  const ended = performance.now();
  const text = new TextDecoder().decode(result.output.subarray(0, 200));
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${text}`);
  return { load: loaded - started, ms: (ended - loaded) / job.repeat, digest: await digest(result.output) };
}

onmessage = async ({ data }) => {
  try {
    if (engine) {
      postMessage(await run(data));
    } else {
      engine = await (await KINDS[data.kind]()).open(data.url);
      postMessage({});
    }
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
