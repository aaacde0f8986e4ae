/** One run: from what the caller gave to its result. */
import type { Client } from "../client";
import type { Outcome, OutputChunk } from "../face";
import type { InputItem } from "../inputs";
import type { RunRequest, RunStats } from "../protocol";
import { orAborted } from "./abort";
import { VerirunError } from "./errors";
import { complete } from "./expected";
import type { Platform } from "./platform";
import type { Report } from "../worker/runtime";
import type { Pool, Slot } from "./pool";
import { Recording } from "./recording";
import { CANCELLED, collect, type Ended, isRefusal, prove, toResult } from "./result";
import { placeFiles, readArgs, readFiles, readEnv, readLimitValues, readProgram, readSeed, readStdin, type Program } from "./task";
import type { ModuleSource, Run, RunOptions, RunResult } from "./types";
import { readReceipt } from "./verify";

/** Bytes of changed files that are given with the result. */
const COLLECT = 256 * 1024 * 1024;
/** A worker that holds more than this after a run is not kept for another one: pages of memory, and bytes. */
const SMALL = { pages: 1024, bytes: 32 * 1024 * 1024 };

const NO_STATS: RunStats = {
  steps: 0,
  peakCallDepth: 0,
  peakFrameBytes: 0,
  memoryPages: 0,
  peakMemoryPages: 0,
  outputBytes: 0,
  fileBytes: 0,
  busyMs: 0,
  stdoutBytes: 0,
  stderrBytes: 0,
};

export class TaskRun implements Run {
  readonly [Symbol.toStringTag] = "Run";
  readonly #result: Promise<RunResult>;
  readonly #options: RunOptions;
  readonly #platform: Platform;
  readonly #pool: Pool;
  readonly #written = new Recording();
  /** Ends the run at once: the caller's signal, or `cancel` before it has begun. */
  readonly #abort = new AbortController();
  #client: Client | null = null;
  #paused = false;
  /** What was written to stdin before the program began; `null` is its end. */
  #early: (Uint8Array | null)[] = [];
  #streams: Partial<Record<"stdout" | "stderr", ReadableStream<Uint8Array>>> = {};
  #output: ReadableStream<OutputChunk> | null = null;
  #stdin: WritableStream<Uint8Array | string> | null = null;
  #over = false;

  constructor(module: ModuleSource, options: RunOptions, platform: Platform, pool: Pool) {
    this.#options = options;
    this.#platform = platform;
    this.#pool = pool;
    this.#result = this.#run(module).then(
      (result) => {
        this.#end();
        return result;
      },
      (error: unknown) => {
        const { signal } = this.#options;
        const reason = signal?.aborted ? signal.reason : VerirunError.from(error);
        this.#end(reason);
        throw reason;
      },
    );
  }

  // biome-ignore lint/suspicious/noThenProperty: a run is to be awaited, as `fetch` and child processes are
  then<A = RunResult, B = never>(
    done?: ((result: RunResult) => A | PromiseLike<A>) | null,
    failed?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(done, failed);
  }

  catch<B = never>(failed?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<RunResult | B> {
    return this.#result.catch(failed);
  }

  finally(settled?: (() => void) | null): Promise<RunResult> {
    return this.#result.finally(settled);
  }

  get stdout(): ReadableStream<Uint8Array> {
    return (this.#streams.stdout ??= this.#stream(1));
  }

  get stderr(): ReadableStream<Uint8Array> {
    return (this.#streams.stderr ??= this.#stream(2));
  }

  /** Copies, so that whoever reads may do with them as they like. */
  get output(): ReadableStream<OutputChunk> {
    return (this.#output ??= this.#written.stream(({ fd, bytes }) => ({ fd, bytes: bytes.slice() })));
  }

  #stream(fd: 1 | 2): ReadableStream<Uint8Array> {
    return this.#written.stream((chunk) => (chunk.fd === fd ? chunk.bytes.slice() : null));
  }

  get stdin(): WritableStream<Uint8Array | string> {
    return (this.#stdin ??= this.#input());
  }

  #input(): WritableStream<Uint8Array | string> {
    const utf8 = new TextEncoder();
    const check = (): void => {
      if (!this.#options.live) {
        throw new VerirunError({
          code: "stdin-not-live",
          message: "Standard input was given from the start.",
          hint: "To write it while the program runs, start the run with `live: true`.",
        });
      }
    };
    return new WritableStream({
      write: (chunk) => {
        check();
        const bytes = typeof chunk === "string" ? utf8.encode(chunk) : new Uint8Array(chunk);
        if (this.#client) this.#client.stdin(bytes);
        else this.#early.push(bytes);
      },
      close: () => {
        check();
        if (this.#client) this.#client.endStdin();
        else this.#early.push(null);
      },
    });
  }

  pause(): void {
    this.#paused = true;
    this.#client?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#client?.resume();
  }

  cancel(): void {
    if (this.#client) this.#client.cancel();
    else if (!this.#over) {
      this.#abort.abort(
        new VerirunError({ code: "cancelled", message: "The run was cancelled before it began.", hint: "Run it again." }),
      );
    }
  }

  #end(error?: unknown): void {
    this.#over = true;
    this.#client = null;
    this.#written.end(error);
  }

  async #run(module: ModuleSource): Promise<RunResult> {
    const { signal: outer } = this.#options;
    outer?.throwIfAborted();
    const stop = (): void => this.#abort.abort(outer?.reason);
    outer?.addEventListener("abort", stop, { once: true });
    try {
      return await this.#prepare(module);
    } finally {
      outer?.removeEventListener("abort", stop);
    }
  }

  async #prepare(module: ModuleSource): Promise<RunResult> {
    const { signal } = this.#abort;
    const { expected: source } = this.#options;
    const expected =
      source === undefined ? null : await orAborted(readReceipt(source, this.#platform, signal).then((file) => file.text()), signal);
    const { options, stdin: typed } = expected === null ? { options: this.#options, stdin: null } : complete(this.#options, expected);
    // All that can be refused is, before anything is loaded.
    const args = readArgs(options.args);
    const env = readEnv(options.env);
    const limits = readLimitValues(options.limits);
    const seed = readSeed(options.seed);
    const report: Report = ({ phase, ...rest }) => {
      // It goes on for others when this run has failed.
      if (!this.#over) options.onLoading?.({ loaded: 0, total: null, ...rest, phase });
    };
    // At once, and the first that fails ends it; a worker is taken when everything is there.
    const [program, files, stdin] = await orAborted(
      Promise.all([
        readProgram(module, options.name, this.#platform, signal),
        readFiles(options, this.#platform, signal),
        typed ?? readStdin(options.stdin, options.live ?? false),
        this.#pool.module(report),
      ]),
      signal,
    );
    const slot = await this.#pool.acquire(signal);
    const { generation } = slot.client;
    let reusable = false;
    try {
      const request: RunRequest = {
        args,
        env,
        stdin,
        limits,
        ...seed,
        ...(options.clock && { clock: options.clock }),
        ...(options.random && { random: options.random }),
        ...(options.preopens && { preopens: options.preopens }),
        engine: options.engine ?? "auto",
        trace: options.trace ?? false,
        everything: true,
      };
      const result = await orAborted(this.#inWorker(slot, program, files, request, expected), signal);
      const { stats } = result;
      reusable =
        result.outcome.kind !== "cancelled" &&
        result.outcome.kind !== "failed" &&
        stats.peakMemoryPages <= SMALL.pages &&
        stats.outputBytes + stats.fileBytes <= SMALL.bytes;
      return result;
    } catch (error) {
      // A refusal (a bad module, a bad path) leaves a good worker; whatever else, this one is not used again.
      reusable = slot.ready && slot.problem === null && slot.client.generation === generation && isRefusal(error);
      if (signal.aborted) reusable = false;
      if (slot.problem && !slot.ready) throw this.#pool.blocked(slot.problem.message);
      throw error;
    } finally {
      this.#client = null;
      this.#pool.release(slot, reusable);
    }
  }

  async #inWorker(
    slot: Slot,
    program: Program,
    files: InputItem[],
    request: RunRequest,
    expected: string | null,
  ): Promise<RunResult> {
    const { client } = slot;
    if (slot.used) await client.request({ type: "reset" });
    await placeFiles(client, files);
    const module = await client.request({ type: "load-module", name: program.name, source: program.source });
    const ended = this.#watch(slot);
    ended.catch(() => {});
    await client.start(request);
    this.#begin(client);
    const end = await ended;
    const entries = end.filesLost ? [] : await client.files();
    const changed = await collect(client, entries, this.#options.collectBytes ?? COLLECT);
    const proof = end.filesLost ? CANCELLED : await prove(client, request, this.#options.receipt ?? true, expected);
    return toResult(this.#written, module, end, changed, proof);
  }

  /** From now on the run hears what it is told; it is told what came before. */
  #begin(client: Client): void {
    if (this.#client || this.#over) return;
    this.#client = client;
    for (const bytes of this.#early) {
      if (bytes) client.stdin(bytes);
      else client.endStdin();
    }
    this.#early = [];
    if (this.#paused) client.pause();
  }

  /** Passes on what the run does; settles at its end. */
  #watch(slot: Slot): Promise<Ended> {
    let last = NO_STATS;
    return new Promise((resolve, reject) => {
      slot.events = {
        output: (_, chunks) => {
          this.#begin(slot.client);
          this.#written.push(chunks);
        },
        status: (state, stats) => {
          // The first word of a run may come before the answer that it was started.
          this.#begin(slot.client);
          last = stats;
          this.#pool.waiting(slot, state === "blocked" || state === "paused");
          if (state !== "paused") this.#options.onStatus?.({ state, stats });
        },
        done: (outcome, stats, engines, trace, place) => resolve({ outcome, stats, engines, trace, place, filesLost: false }),
        stopped: () => {
          const outcome: Outcome = { kind: "cancelled", message: "the run was cancelled" };
          resolve({ outcome, stats: last, engines: null, trace: null, place: null, filesLost: true });
        },
        restarted: (problem) =>
          reject(new VerirunError({ ...problem, hint: `${problem.hint} What the program wrote until then is in the streams.` })),
      };
    });
  }
}
