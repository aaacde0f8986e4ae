/** Runs a receipt's task again, in a worker that does nothing else, and compares. */
import type { Face, Run, Stats } from "../face";
import type { InputItem } from "../inputs";
import type { Check } from "../receipt/face";
import type { PlacedBlob, VerifyJob, VerifyResult } from "../receipt/protocol";
import type { Verdict } from "../receipt/types";
import { toProblem } from "../problem";
import { CHUNK, readAll } from "./setup";

/** Some milliseconds. */
const SLICE = 2_000_000;
const PROGRESS_MS = 100;

export interface VerifyEvents {
  progress(done: number, total: number): void;
  /** The verdict is there, but the program goes on and can't be stopped from here. */
  spent(result: VerifyResult): void;
}

/** Verifies; throws only what breaks the runtime. */
export async function verify(face: Face, job: VerifyJob, events: VerifyEvents): Promise<VerifyResult> {
  let check: Check | null = null;
  const result = (verdict: Verdict, spent = false): VerifyResult => ({
    ...verdict,
    id: check?.id() ?? null,
    steps: check?.steps() ?? 0,
    spent,
  });
  try {
    check = new face.Check(await readAll(job.receipt));
    await bring(check, job);
    return result(await again(face, check, job, events, (verdict) => events.spent(result(verdict, true))));
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw error;
    return result(thrown(error));
  } finally {
    check?.free();
  }
}

/** What `Check` throws has a verdict; anything else is why none can be had. */
function thrown(error: unknown): Verdict {
  const { verdict } = error as { verdict?: Verdict };
  if (verdict) return verdict;
  const { message, hint } = toProblem(error);
  return { verdict: "cannot-tell", message: hint === "" ? message : `${message}. ${hint}`, difference: null };
}

async function bring(check: Check, job: VerifyJob): Promise<void> {
  if (job.module) check.loadModule(job.module.name, await readAll(job.module.source));
  if (job.stdin) check.giveStdin(await readAll(job.stdin));
  if (job.args) check.giveArgs(job.args);
  if (job.env) check.giveEnv(job.env);
  for (const item of job.laid) await lay(check, item);
  for (const { path, source } of job.files) {
    check.createFile(path);
    for (let offset = 0; offset < source.size; offset += CHUNK) {
      check.appendFile(path, await readAll(source.slice(offset, offset + CHUNK)));
    }
  }
}

async function lay(check: Check, item: InputItem): Promise<void> {
  if (item.kind === "directory") check.addDirectory(item.path);
  if (item.kind !== "archive") return;
  const bytes = await readAll(item.source);
  if (item.format === "tar") check.mountTar(item.path, bytes, item.readOnly ?? false);
  else check.mountZip(item.path, bytes);
}

async function again(
  face: Face,
  check: Check,
  job: VerifyJob,
  events: VerifyEvents,
  spent: (verdict: Verdict) => void,
): Promise<Verdict> {
  const total = check.steps();
  let last = 0;
  let over = false;
  const tell = (steps: number): void => {
    const time = performance.now();
    if (time - last < PROGRESS_MS) return;
    last = time;
    events.progress(steps, total);
  };
  const watch = (_: unknown, stats: Stats): void => {
    tell(stats.steps);
    const verdict = over ? undefined : check.overrun(stats.steps);
    if (!verdict) return;
    over = true;
    spent(verdict);
  };
  const limits = job.maxSteps === null ? {} : { maxSteps: job.maxSteps };
  const run = check.start({ engine: job.engine, watch, ...limits });
  try {
    for (;;) {
      let state = run.slice(SLICE);
      if (state === "pending") {
        await face.back();
        state = run.slice(SLICE);
      }
      run.takeOutput();
      if (state === "done") return await withByte(check, run, check.verdict(run), job.outputs);
      if (state === "blocked") return check.blocked();
      const { steps } = run.stats();
      const verdict = check.overrun(steps);
      if (verdict) return verdict;
      tell(steps);
    }
  } finally {
    run.free();
  }
}

/** Adds the first different byte of a file, if what the receipt promises is at hand. */
async function withByte(check: Check, run: Run, verdict: Verdict, outputs: PlacedBlob[]): Promise<Verdict> {
  const path = verdict.difference?.path;
  const said = outputs.find((output) => output.path === path);
  if (path === undefined || !said || !verdict.difference) return verdict;
  const detail = check.firstByte(run, path, await readAll(said.source));
  if (detail === undefined) return verdict;
  const found = `${verdict.difference.found}; ${detail}`;
  return { ...verdict, message: `${verdict.message}; ${detail}`, difference: { ...verdict.difference, found } };
}
