/**
 * Drives one run in slices and returns to the event loop between them, so that pause, cancel and
 * input are heard while a program computes, even in an endless loop.
 */
import type { OutputChunk, Run, Stats } from "../face";
import type { FromWorker, RunState, RunStats } from "../protocol";
import { OutputLog } from "./outputlog";

/** What a slice should take: short enough to be heard within 100 ms, long enough that yielding costs nothing. */
const SLICE_MS = 15;
const FIRST_SLICE = 100_000;
const MIN_SLICE = 1_000;
const MAX_SLICE = 2_000_000_000;
/** How often the page is told the numbers. */
const STATUS_MS = 100;
/** Repeating a run after a trap is worth a word when it takes longer. */
const REPEATING_MS = 250;

type Post = (message: FromWorker, transfer?: Transferable[]) => void;

export class RunLoop {
  readonly output: OutputLog;
  readonly #turns = new MessageChannel();
  #slice = FIRST_SLICE;
  #busyMs = 0;
  #repeatingMs = 0;
  #lastStatus = 0;
  #scheduled = false;
  #paused = false;
  #done = false;
  /** The engine is inside a slice that lasts until the end of the run. */
  #away = false;
  #awayFrom = 0;

  constructor(
    readonly number: number,
    readonly run: Run,
    readonly post: Post,
    /** Waits for a slice that is pending. */
    readonly back: () => Promise<unknown>,
    /** Called with what a slice throws: the runtime is broken then, not the program. */
    readonly crashed: (error: unknown) => void,
    everything = false,
  ) {
    this.output = new OutputLog(everything);
    // Not setTimeout: browsers stretch nested timeouts to 4 ms and more.
    this.#turns.port1.onmessage = () => {
      this.#scheduled = false;
      void this.#turn();
    };
  }

  start(): void {
    this.#status("running", true);
    this.#schedule();
  }

  pushStdin(bytes: Uint8Array): void {
    if (this.#done) return;
    this.run.pushStdin(bytes);
    this.#schedule();
  }

  endStdin(): void {
    if (this.#done) return;
    this.run.closeStdin();
    this.#schedule();
  }

  pause(): void {
    if (this.#done || this.#paused) return;
    this.#paused = true;
    this.#status("paused", true);
  }

  resume(): void {
    if (this.#done || !this.#paused) return;
    this.#paused = false;
    this.#status(this.#going(), true);
    this.#schedule();
  }

  cancel(): void {
    if (this.#done) return;
    this.run.cancel();
    this.#finish();
  }

  drawn(bytes: number): void {
    this.output.drawn(bytes);
    this.#send();
  }

  free(): void {
    this.#done = true;
    this.#turns.port1.close();
    this.run.free();
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#done) return;
    this.#scheduled = true;
    this.#turns.port2.postMessage(null);
  }

  async #turn(): Promise<void> {
    if (this.#paused || this.#done) return;
    let state: "running" | "blocked" | "done";
    try {
      const repeating = this.run.repeating();
      this.#goAway();
      const started = performance.now();
      this.#awayFrom = started;
      let now = this.run.slice(this.#slice);
      if (now === "pending") {
        // The guest runs in microtasks, so no message is heard before it has stopped.
        await this.back();
        now = this.run.slice(this.#slice);
      }
      if (now === "pending") throw new Error("a slice did not end");
      state = now;
      const spent = performance.now() - started;
      if (repeating) this.#repeatingMs += spent;
      else this.#busyMs += spent;
      if (state === "running" && !this.#away) this.#adapt(spent);
      const chunks = this.run.takeOutput();
      if (this.#away) this.#tellWritten(chunks);
      else this.output.push(chunks);
      this.#comeBack();
    } catch (error) {
      this.#done = true;
      this.crashed(error);
      return;
    }
    if (state === "done") {
      this.#finish();
      return;
    }
    this.#send();
    if (state === "blocked") {
      this.#status("blocked", true);
    } else {
      this.#status(this.#going(), false);
      this.#schedule();
    }
  }

  #going(): RunState {
    return this.#repeatingMs > REPEATING_MS ? "repeating" : "running";
  }

  #goAway(): void {
    if (this.run.isAway()) this.deafen();
  }

  /** Nothing is heard from now on until the end of this slice. Said from within one, so the run itself must be left alone. */
  deafen(): void {
    if (this.#away || this.#done) return;
    this.#away = true;
    const written: OutputChunk[] = [];
    for (const fd of [1, 2] as const) {
      const log = this.output.of(fd);
      if (log.length > 0) written.push({ fd, bytes: log.read(0, log.length) });
    }
    // What the page had yet to be sent goes first, all of it; the whole is kept there, not shown.
    this.#send(Number.POSITIVE_INFINITY);
    this.post({ type: "away", run: this.number, written });
  }

  #comeBack(): void {
    if (!this.#away || this.run.isAway()) return;
    this.#away = false;
    this.post({ type: "back", run: this.number });
  }

  /** From within a slice of an engine that is away. */
  heard(chunks: OutputChunk[], stats: Stats): void {
    this.#tellWritten(chunks);
    const time = performance.now();
    if (time - this.#lastStatus < STATUS_MS) return;
    this.#lastStatus = time;
    const full = this.#complete(stats, this.#busyMs + time - this.#awayFrom);
    this.post({ type: "status", run: this.number, state: "running", stats: full });
  }

  /** Sends all of it: the page must have it even if this worker is ended in the next moment. */
  #tellWritten(chunks: OutputChunk[]): void {
    if (chunks.length === 0) return;
    this.output.push(chunks);
    this.output.markSent();
    this.post(
      { type: "written", run: this.number, chunks },
      chunks.map((chunk) => chunk.bytes.buffer as ArrayBuffer),
    );
  }

  /** Programs differ by a factor of a thousand in time per step, so each run finds its own slice. */
  #adapt(spent: number): void {
    const factor = Math.min(2, Math.max(0.1, SLICE_MS / Math.max(spent, 0.1)));
    this.#slice = Math.round(Math.min(MAX_SLICE, Math.max(MIN_SLICE, this.#slice * factor)));
  }

  #finish(): void {
    this.#done = true;
    try {
      this.output.push(this.run.takeOutput());
      const outcome = this.run.outcome();
      if (!outcome) throw new Error("the run ended without an outcome");
      this.#send();
      const [engines, trace, place] = [this.run.engines(), this.run.trace() ?? null, this.run.whereabouts() ?? null];
      this.post({ type: "done", run: this.number, outcome, stats: this.#stats(), engines, trace, place });
    } catch (error) {
      this.crashed(error);
    }
  }

  #send(most?: number): void {
    const next = this.output.next(most);
    if (!next) return;
    this.post(
      { type: "output", run: this.number, ...next },
      next.chunks.map((chunk) => chunk.bytes.buffer as ArrayBuffer),
    );
  }

  #status(state: RunState, now: boolean): void {
    const time = performance.now();
    if (!now && time - this.#lastStatus < STATUS_MS) return;
    this.#lastStatus = time;
    this.post({ type: "status", run: this.number, state, stats: this.#stats() });
  }

  #stats(): RunStats {
    return this.#complete(this.run.stats(), this.#busyMs);
  }

  #complete(stats: Stats, busyMs: number): RunStats {
    return {
      ...stats,
      busyMs,
      stdoutBytes: this.output.stdout.length,
      stderrBytes: this.output.stderr.length,
    };
  }
}
