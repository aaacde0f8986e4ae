/** The page's end of the protocol: owns the worker, pairs replies with requests, replaces a broken worker. */
import type { Engines, FileEntry, Outcome, OutputChunk, Whereabouts } from "./face";
import type { Control, FromWorker, Problem, Replies, Request, RunRequest, RunState, RunStats, Unsent } from "./protocol";
import { unreachable } from "./protocol";
import { FAILED, failure, UserError } from "./problem";
import type { ReceiptRequest } from "./receipt/protocol";
import { type ByteLog, OutputLog } from "./worker/outputlog";

export interface ClientEvents {
  loading(phase: "download" | "compile", loaded: number, total: number | null): void;
  ready(version: string): void;
  /** Whether a request waits for the runtime's second part; `abandon` ends that. */
  waiting(does: boolean): void;
  unusable(problem: Problem): void;
  output(skipped: number, chunks: OutputChunk[]): void;
  status(state: RunState, stats: RunStats): void;
  /** Whether the run hears pause and resume. */
  hears(does: boolean): void;
  done(outcome: Outcome, stats: RunStats, engines: Engines, trace: string | null, place: Whereabouts | null): void;
  /** A run that could not hear it was stopped with its worker, which is being replaced: its output is left. */
  stopped(stdout: Blob, stderr: Blob): void;
  /**
   * The runtime failed, or could not go on, and is being replaced: what it was told is to be told again. `duringRun`: a run
   * was lost. If it is not replaced any more, `unusable` follows.
   */
  restarted(problem: Problem, duringRun: boolean, stdout: Blob, stderr: Blob): void;
}

interface Waiting {
  resolve(value: Replies[keyof Replies]): void;
  reject(error: UserError): void;
  progress?: ((done: number, total: number) => void) | undefined;
}

/** What is asked of a `Worker`, so that one of Node.js can stand in. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): unknown;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

/** Crashes in a row before the first success: then it is not worth another try. */
const MAX_EARLY_CRASHES = 2;

export class Client {
  readonly #events: ClientEvents;
  readonly #newWorker: () => WorkerLike;
  #worker: WorkerLike;
  #ready: Promise<void> = Promise.resolve();
  #markReady: () => void = () => {};
  #markUnusable: (error: UserError) => void = () => {};
  #nextId = 1;
  #run = 0;
  #live = false;
  #earlyCrashes = 0;
  /** The run can't hear: to cancel is to end its worker. */
  #away = false;
  /** What a run wrote that was away: kept here, and shown from here. */
  #kept: OutputLog | null = null;
  #everything = false;
  readonly #waiting = new Map<number, Waiting>();

  /** `newWorker` starts a worker that runs `serve` (worker.ts). */
  constructor(events: ClientEvents, newWorker: () => WorkerLike) {
    this.#events = events;
    this.#newWorker = newWorker;
    this.#worker = this.#spawn();
  }

  /** Changes with every worker: what was sent to an earlier one is gone. */
  generation = 0;

  #spawn(): WorkerLike {
    this.generation += 1;
    // Who still waits for the worker before waits for this one.
    const [ready, unusable] = [this.#markReady, this.#markUnusable];
    this.#ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#markUnusable = reject;
    });
    this.#ready.then(ready, unusable); // and whoever waits for it hears of it
    const worker = this.#newWorker();
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (worker === this.#worker) this.#receive(data);
    };
    worker.onerror = (event) => {
      if (worker !== this.#worker) return;
      event.preventDefault();
      this.#replace(failure(event.message || "the worker could not be started"), [], []);
    };
    return worker;
  }

  /** Asks the worker; refused with the worker's problem, or with `runtime-crashed`. */
  async request<R extends Unsent<Request | ReceiptRequest>>(
    request: R,
    progress?: (done: number, total: number) => void,
  ): Promise<Replies[R["type"]]> {
    await this.#ready;
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      // The reply's type follows from the request's; the wire does not carry types.
      const settle = resolve as (value: Replies[keyof Replies]) => void;
      this.#waiting.set(id, { resolve: settle, reject, progress });
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Starts a run; from now on only its messages are passed on, those of earlier runs are dropped. */
  async start(request: RunRequest): Promise<void> {
    const run = this.#run + 1;
    this.#run = run;
    this.#live = true;
    this.#away = false;
    this.#kept = null;
    this.#everything = request.everything ?? false;
    try {
      await this.request({ type: "start", run, request });
    } catch (error) {
      if (this.#run === run) this.#live = false;
      throw error;
    }
  }

  get run(): number {
    return this.#run;
  }

  stdin(bytes: Uint8Array): void {
    this.#control({ type: "stdin", run: this.#run, bytes });
  }

  endStdin(): void {
    this.#control({ type: "end-stdin", run: this.#run });
  }

  pause(): void {
    this.#control({ type: "pause", run: this.#run });
  }

  resume(): void {
    this.#control({ type: "resume", run: this.#run });
  }

  cancel(): void {
    if (this.#away) {
      this.#stop();
      return;
    }
    this.#control({ type: "cancel", run: this.#run });
  }

  /** Ends the wait of all requests for the runtime's second part: they are refused with `cancelled`. */
  abandon(): void {
    this.#worker.postMessage({ type: "abandon" });
  }

  drawn(bytes: number): void {
    this.#kept?.drawn(bytes);
    this.#show();
    this.#control({ type: "drawn", run: this.#run, bytes });
  }

  files(): Promise<FileEntry[]> {
    return this.request({ type: "list-files", run: this.#run });
  }

  /** Ends the worker; this client is of no use then. */
  dispose(): void {
    this.#worker.terminate();
    const error = new UserError({ code: "run-gone", message: "The worker was ended.", hint: "Run the program again." });
    this.#markUnusable(error);
    this.#abandon(error);
  }

  #control(message: Control): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if ("run" in message && message.run !== this.#run) return;
    switch (message.type) {
      case "loading":
        if (message.phase === "download") this.#events.loading("download", message.loaded, message.total);
        else this.#events.loading("compile", 0, null);
        return;
      case "ready":
        this.#markReady();
        return this.#events.ready(message.version);
      case "waiting":
        return this.#events.waiting(message.does);
      case "unusable":
        this.#markUnusable(new UserError(message.problem));
        return this.#events.unusable(message.problem);
      case "reply":
        return this.#take(message.id)?.resolve(message.value);
      case "refused":
        return this.#take(message.id)?.reject(new UserError(message.problem));
      case "progress":
        return this.#waiting.get(message.id)?.progress?.(message.done, message.total);
      case "output":
        if (!this.#kept) return this.#events.output(message.skipped, message.chunks);
        this.#kept.push(message.chunks, message.skipped);
        return this.#show();
      case "away":
        this.#away = true;
        this.#kept ??= new OutputLog(this.#everything);
        if (this.#kept.isEmpty) {
          this.#kept.push(message.written);
          this.#kept.markSent();
        }
        return this.#events.hears(false);
      case "written":
        this.#kept?.push(message.chunks);
        return this.#show();
      case "back":
        this.#away = false;
        return this.#events.hears(true);
      case "status":
        return this.#events.status(message.state, message.stats);
      case "done":
        this.#live = false;
        this.#earlyCrashes = 0;
        this.#away = false;
        return this.#events.done(message.outcome, message.stats, message.engines, message.trace, message.place);
      case "crashed":
        return this.#replace(message.problem, message.stdout, message.stderr);
      default:
        return unreachable(message);
    }
  }

  /** Shows what is kept, as fast as it is drawn. */
  #show(): void {
    const next = this.#kept?.next();
    if (next) this.#events.output(next.skipped, next.chunks);
  }

  #stop(): void {
    this.#worker.terminate();
    const kept = this.#kept;
    // What it wrote and is not shown yet is shown now: nothing more will come.
    const rest = kept?.next(Number.POSITIVE_INFINITY);
    if (rest) this.#events.output(rest.skipped, rest.chunks);
    this.#abandon(
      new UserError({
        code: "run-gone",
        message: "The run was stopped together with its worker.",
        hint: "Run the program again.",
      }),
    );
    this.#worker = this.#spawn();
    this.#events.stopped(toBlob(kept?.stdout), toBlob(kept?.stderr));
  }

  /** Whoever waits for the worker that was ended hears why. */
  #abandon(error: UserError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    this.#events.waiting(false);
    this.#live = false;
    this.#away = false;
    this.#kept = null;
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #replace(problem: Problem, stdout: Uint8Array[], stderr: Uint8Array[]): void {
    this.#worker.terminate();
    // What did not come may come the next time, however often it did not.
    if (problem.code === FAILED) this.#earlyCrashes += 1;
    const error = new UserError(problem);
    const givenUp = this.#earlyCrashes > MAX_EARLY_CRASHES;
    if (givenUp) this.#giveUp(error);
    else this.#worker = this.#spawn();
    const duringRun = this.#live;
    this.#abandon(error);
    this.#events.restarted(problem, duringRun, blobOf(stdout), blobOf(stderr));
    if (givenUp) this.#events.unusable({ ...problem, hint: "It failed repeatedly. Reload the page to try again." });
  }

  /** Whoever waits for a worker hears of it, and whoever asks one from now on: the last may have been ready before it failed. */
  #giveUp(error: UserError): void {
    this.#markUnusable(error);
    this.#ready = Promise.reject(error);
    this.#ready.catch(() => {});
  }
}

const blobOf = (parts: Uint8Array[]): Blob => new Blob(parts as Uint8Array<ArrayBuffer>[]);
const toBlob = (log?: ByteLog): Blob => blobOf(log?.surrender() ?? []);
