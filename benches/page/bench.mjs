/**
 * Carries out the plan of `cargo xtask bench` and reports each measurement.
 *
 * Every engine has a worker of its own that stays, unless a job asks for a fresh one. The rounds go through all jobs, so that what
 * else the machine does hits all engines alike; the first round warms up and is marked as such.
 */
import { openCold } from "./cold.mjs";

const plan = await (await fetch("plan.json")).json();
const report = (body) => fetch("report", { method: "POST", body: JSON.stringify(body) });
const at = document.querySelector("#at");

/** A worker whose answers come in the order of the questions. */
async function start(engine) {
  // The page itself can't be opened in a worker.
  if (engine.kind === "cold") return openCold(engine.url);
  const worker = new Worker("worker.mjs", { type: "module" });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error === undefined ? resolve(data) : reject(new Error(data.error)));
      worker.onerror = (event) => reject(new Error(event.message || "the worker did not start"));
      worker.postMessage(message);
    });
  await ask(engine);
  ask.end = () => worker.terminate();
  return ask;
}

/** One measurement in a worker of its own. */
async function alone(engine, job) {
  const ask = await start(engine);
  try {
    return await ask(job);
  } finally {
    ask.end();
  }
}

/** What failed once is left out from then on. */
const failed = new Set();

try {
  const engines = new Map();
  const named = (name) => plan.engines.find((engine) => engine.name === name);
  for (const { engine: name, fresh } of plan.jobs) {
    if (!fresh && !engines.has(name)) engines.set(name, await start(named(name)));
  }
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (let index = 0; index < plan.jobs.length; index += 1) {
      // Each round begins elsewhere, so that no engine always runs after the same other.
      const number = (index + round * 7) % plan.jobs.length;
      const job = plan.jobs[number];
      if (failed.has(number)) continue;
      at.textContent = `round ${round} of ${plan.rounds}: ${job.program} on ${job.engine}`;
      const { engine, program, args } = job;
      try {
        const measured = job.fresh ? await alone(named(engine), job) : await engines.get(engine)(job);
        await report({ sample: { engine, program, args, warmUp: round === 0, ...measured } });
      } catch (error) {
        failed.add(number);
        await report({ failure: { engine, program, error: error.message } });
        // A trap may have left the engine's own memory in any state.
        if (!job.fresh) engines.set(engine, await start(named(engine)));
      }
    }
  }
  await report({ done: true });
} catch (error) {
  await report({ error: String(error?.stack ?? error) });
}
