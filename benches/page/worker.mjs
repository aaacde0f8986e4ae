/** One engine. The first message says which; every further one is a job, answered with a measurement. */
const KINDS = {
  harness: () => import("./harness.mjs"),
  direct: () => import("./direct.mjs"),
  verirun: () => import("./verirun.mjs"),
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
  for (let count = 0; count < job.repeat; count += 1) result = await program.run([job.program, ...job.args], stdin);
  // An engine may know better when what is measured was over.
  const ms = result.ms ?? performance.now() - loaded;
  const output = typeof result.output === "function" ? await result.output() : result.output;
  const text = new TextDecoder().decode(output.subarray(0, 200));
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${text}`);
  // Of a program that was given more to do, what it took for as much as the others do.
  return { load: loaded - started, ms: ms / job.repeat / (job.work ?? 1), digest: await digest(output) };
}

onmessage = async ({ data }) => {
  try {
    if (engine) {
      postMessage(await run(data));
    } else {
      engine = await (await KINDS[data.kind]()).open(data.url, data);
      postMessage({});
    }
  } catch (error) {
    postMessage({ error: String(error?.message ?? error) });
  }
};
