/** Two runs of one task, one with a fault, and the search for where they part. */
import type { Face, Task } from "../face";
import type { RunRequest } from "../protocol";
import type { Bisection, Parting, StoryRun, Told } from "../story/types";
import { UserError } from "../problem";

const SLICE = 2_000_000;
/** Of search, before the page hears how far it is. */
const STEP_MS = 60;

let bisection: Bisection | null = null;

/** Runs to the end; the program has all its input. */
export function storyRun(task: Task, request: RunRequest): StoryRun {
  const run = task.start({ ...request, stdin: new Uint8Array(), engine: "interpreter", commit: true });
  const decoder = new TextDecoder();
  let stdout = "";
  try {
    while (run.slice(SLICE) === "running") stdout += textOf(run.takeOutput(), decoder);
    stdout += textOf(run.takeOutput(), decoder);
    const checkpoints = run.checkpoints();
    if (!checkpoints) throw new UserError({ code: "no-checkpoints", message: "The run took no checkpoints.", hint: "Please report this." });
    return { receipt: run.receipt(), stdout, checkpoints };
  } finally {
    run.free();
  }
}

function textOf(chunks: { fd: 1 | 2; bytes: Uint8Array }[], decoder: TextDecoder): string {
  return chunks.map(({ fd, bytes }) => (fd === 1 ? decoder.decode(bytes, { stream: true }) : "")).join("");
}

export function startBisection(face: Face, task: Task, right: string, wrong: string): Parting | null {
  bisection?.free();
  bisection = null;
  const parting = face.parting(right, wrong);
  if (!parting) return null;
  bisection = new face.Bisection(task, wrong, parting.from, parting.to ?? undefined);
  return parting;
}

/** Searches on for a moment. */
export function searchOn(): Told {
  if (!bisection) throw new UserError({ code: "no-search", message: "No search has begun.", hint: "Please report this." });
  const end = performance.now() + STEP_MS;
  let told = bisection.advance();
  while (told.state === "working" && performance.now() < end) told = bisection.advance();
  return told;
}
