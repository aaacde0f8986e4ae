/**
 * Carries out the plan of `cargo xtask bench` and reports each measurement.
 *
 * Every engine has a worker of its own that stays. The rounds go through all jobs, so that what
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
  return ask;
}

/** What failed once is left out from then on. */
const failed = new Set();

try {
  const engines = new Map();
  for (const engine of plan.engines) engines.set(engine.name, await start(engine));
  for (let round = 0; round <= plan.rounds; round += 1) {
    for (let index = 0; index < plan.jobs.length; index += 1) {
      // Each round begins elsewhere, so that no engine always runs after the same other.
      const number = (index + round * 7) % plan.jobs.length;
      const job = plan.jobs[number];
      if (failed.has(number)) continue;
      at.textContent = `round ${round} of ${plan.rounds}: ${job.program} on ${job.engine}`;
      const { engine, program, args } = job;
      try {
        await report({ sample: { engine, program, args, warmUp: round === 0, ...(await engines.get(engine)(job)) } });
      } catch (error) {
        failed.add(number);
        await report({ failure: { engine, program, error: error.message } });
        // A trap may have left the engine's own memory in any state.
        engines.set(engine, await start(plan.engines.find(({ name }) => name === engine)));
      }
    }
  }
  await report({ done: true });
} catch (error) {
  await report({ error: String(error?.stack ?? error) });
}
