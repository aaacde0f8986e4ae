/** The worker: owns the wasm runtime, one task and its latest run, and answers the page. */
import type { Face, Task } from "./face";
import type { Control, FromWorker, Problem, Replies, Request, ToWorker } from "./protocol";
import { unreachable } from "./protocol";
import { failure, toProblem, UserError } from "./problem";
import type { ReceiptRequest } from "./receipt/protocol";
import { answerReceipts, startOptions } from "./worker/receipts";
import { sum } from "./worker/kept";
import type { KeptModules } from "./worker/keptmodules";
import { RunLoop } from "./worker/runloop";
import { MissingPart, type Rest } from "./worker/rest";
import type { Report, Runtime } from "./worker/runtime";
import { isBinary, loadModule, mount, putFile, readAll } from "./worker/setup";

/** The part of `DedicatedWorkerGlobalScope` used here; TypeScript's DOM and worker libraries exclude each other. */
interface WorkerScope {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope;
const post = (message: FromWorker, transfer: Transferable[] = []): void => scope.postMessage(message, transfer);

let face: Face;
let rest: Rest;
let task: Task;
let loop: RunLoop | null = null;
/** Controls of a run that has yet to start: what it needs may still be loading. Cancel ends that wait. */
let early: Control[] = [];
let broken = false;
/** Only of the site's own page: in other people's pages nothing is stored. */
let kept: KeptModules | null = null;

/** Requests are done one after the other, so that a file is whole before a run starts that reads it. */
let queue: Promise<void> = Promise.resolve();

function isCrash(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/** After a panic nothing in the runtime can be trusted, nor where a call ended in its middle: the page replaces this worker. */
function crashed(error: unknown): void {
  if (broken) return;
  broken = true;
  const stdout = loop?.output.stdout.surrender() ?? [];
  const stderr = loop?.output.stderr.surrender() ?? [];
  const problem = error instanceof MissingPart ? error.problem : failure(toProblem(error).message);
  post({ type: "crashed", problem, stdout, stderr });
}

function current(run: number): RunLoop {
  if (loop?.number === run) return loop;
  throw new UserError({
    code: "run-gone",
    message: "This run's results are no longer there.",
    hint: "Run the program again.",
  });
}

async function start(request: Extract<Request, { type: "start" }>): Promise<void> {
  const { everything, engine = "interpreter" } = request.request;
  // The interpreter is the reference, and never uses what was kept.
  const toKeep = engine === "interpreter" ? null : ((await kept?.restore(task)) ?? null);
  const run = task.start({
    ...(await startOptions(request.request)),
    watch: (chunks, stats) => loop?.heard(chunks, stats),
  });
  loop?.free();
  loop = new RunLoop(request.run, run, post, () => face.back(), crashed, everything);
  loop.start();
  const waiting = early.filter(({ run }) => run === request.run);
  early = [];
  for (const message of waiting) control(message);
  if (toKeep !== null) kept?.keep(task, toKeep);
}

/** Whether the runtime's second part has a share in the answer; better loaded before than in the middle of it. */
async function needsRest(request: Request | ReceiptRequest): Promise<boolean> {
  switch (request.type) {
    case "load-module":
    case "lint":
      return !(await isBinary(request.source));
    case "start": {
      const { engine = "interpreter", profile } = request.request;
      return profile === true || engine === "interpreter" || engine === "both" || !face.suspends();
    }
    case "reset":
    case "put-directory":
    case "put-file":
    case "remove":
    case "kept":
    case "clear-kept":
    case "list-files":
    case "read-file":
    case "read-output":
    case "calls":
      return false;
    default:
      return true;
  }
}

async function answer(request: Request | ReceiptRequest): Promise<Replies[keyof Replies]> {
  const progress = (done: number, total: number): void => post({ type: "progress", id: request.id, done, total });
  if (await needsRest(request)) await rest.ready();
  switch (request.type) {
    case "load-module":
      return loadModule(task, request.name, request.source);
    case "reset":
      task.free();
      task = new face.Task();
      return null;
    case "put-directory":
      task.addDirectory(request.path);
      return null;
    case "put-file":
      await putFile(task, request.path, request.source, progress);
      return null;
    case "remove":
      task.remove(request.path);
      return null;
    case "mount":
      return mount(task, request.format, request.path, request.source, request.readOnly);
    case "lint":
      return face.lint(request.name, await readAll(request.source));
    case "read-task-zip":
      return face.readTaskZip(await readAll(request.source));
    case "read-config":
      return face.readConfig(await readAll(request.source));
    case "start":
      await start(request);
      return null;
    case "kept":
      return kept ? sum() : null;
    case "clear-kept":
      await kept?.clear();
      return null;
    case "list-files":
      return current(request.run).run.files();
    case "read-file":
      return current(request.run).run.readFile(request.path, request.offset, request.length);
    case "export-zip":
      return current(request.run).run.exportZip(request.paths);
    case "calls":
      return current(request.run).run.calls() ?? null;
    case "profile":
      return current(request.run).run.profile() ?? null;
    case "read-output":
      return current(request.run).output.of(request.fd).read(request.offset, request.length);
    default:
      return answerReceipts(request, {
        face,
        task,
        current,
        progress,
        early: (value) => post({ type: "reply", id: request.id, value }),
      });
  }
}

async function reply(request: Request | ReceiptRequest): Promise<void> {
  if (broken) return;
  let problem: Problem;
  try {
    const value = await answer(request);
    post({ type: "reply", id: request.id, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
    return;
  } catch (error) {
    if (isCrash(error)) {
      crashed(error);
      return;
    }
    problem = toProblem(error);
    // It will never start, and the next run has another number.
    if (request.type === "start") early = early.filter(({ run }) => run !== request.run);
  }
  post({ type: "refused", id: request.id, problem });
}

/** Controls act at once, ahead of queued requests; those for a run that is gone are dropped, and those for the next wait. */
function control(message: Control): void {
  if (message.run > (loop?.number ?? 0)) {
    early.push(message);
    if (message.type === "cancel") rest.abandon();
    return;
  }
  if (!loop || loop.number !== message.run) return;
  switch (message.type) {
    case "stdin":
      return loop.pushStdin(message.bytes);
    case "end-stdin":
      return loop.endStdin();
    case "pause":
      return loop.pause();
    case "resume":
      return loop.resume();
    case "cancel":
      return loop.cancel();
    case "drawn":
      return loop.drawn(message.bytes);
    default:
      return unreachable(message);
  }
}

/** Loads the runtime with `load`, then answers the page. */
export async function serve(load: (report: Report) => Promise<Runtime>, modules: KeptModules | null = null): Promise<void> {
  kept = modules;
  try {
    ({ face, rest } = await load(post));
    task = new face.Task();
    rest.waited = (does) => post({ type: "waiting", does });
    rest.deaf = () => loop?.deafen();
  } catch (error) {
    post({ type: "unusable", problem: toProblem(error) });
    return;
  }
  scope.onmessage = ({ data }) => {
    if (broken) return;
    if ("id" in data) {
      queue = queue.then(() => reply(data));
      return;
    }
    try {
      if (data.type === "abandon") rest.abandon();
      else control(data);
    } catch (error) {
      crashed(error);
    }
  };
  post({ type: "ready", version: face.version() });
  // Most runs will be the interpreter's here. If it does not come now, the run that needs it says so.
  if (!face.suspends()) void rest.ready().catch(() => {});
}
