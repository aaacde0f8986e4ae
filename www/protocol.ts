/**
 * What the page and the worker say to each other.
 *
 * The worker says `ready` before a request is accepted. A request has an id and gets one reply with
 * that id; everything about a run carries the run's number. So whatever arrives late, from a request
 * given up or from a run that was replaced, is recognised and dropped.
 */
import type {
  Calls,
  EngineChoice,
  Engines,
  FileEntry,
  Limits,
  LintReport,
  ModuleInfo,
  Outcome,
  OutputChunk,
  Preopen,
  ProfileNode,
  StartOptions,
  Stats,
  TaskConfig,
  Whereabouts,
} from "./face";
import type { KeptSum } from "./worker/kept";
import type { ArchiveFormat } from "./inputs";
import type { TextPlace } from "./problem";
import type { ReceiptReplies, ReceiptRequest } from "./receipt/protocol";
import type { PushedEvent } from "./receipt/types";

/** Where a run's stdin comes from. A blob is read by the worker, so that it is never copied through the page. */
export type StdinSource =
  | { kind: "live" }
  | { kind: "bytes"; source: Blob }
  /** Live input of an earlier run, at the same moments again. */
  | { kind: "script"; terminal: boolean; pushed: PushedEvent[] };

export interface RunRequest {
  args: string[];
  env: [string, string][];
  stdin: StdinSource;
  limits: Limits;
  clock?: NonNullable<StartOptions["clock"]>;
  random?: NonNullable<StartOptions["random"]>;
  seed?: string;
  preopens?: Preopen[];
  engine?: EngineChoice;
  /** The program's own name; that of the module by default, and null for no arguments at all. */
  program?: string | null;
  /** Whether to digest all calls; the digest comes with `done`. */
  trace?: boolean;
  /** Whether to take checkpoints; the receipt then commits to them. */
  commit?: boolean;
  /** A fault to make on purpose (StartOptions). */
  fault?: string;
  /** Whether to record the calls, for `calls`. */
  calls?: boolean;
  /** Whether to find which functions make the steps, for `profile`; then it runs on the interpreter. */
  profile?: boolean;
  /** Whether to send all output as it is written, and not only what a page can draw (`drawn` is not needed then). */
  everything?: boolean;
}

/** Answered by exactly one `reply` or `refused` with the same id, in the order sent. */
export type Request =
  | { type: "load-module"; id: number; name: string; source: Blob }
  /** Forget module and input files. */
  | { type: "reset"; id: number }
  | { type: "put-directory"; id: number; path: string }
  | { type: "put-file"; id: number; path: string; source: Blob }
  | { type: "remove"; id: number; path: string }
  | { type: "mount"; id: number; format: ArchiveFormat; path: string; source: Blob; readOnly: boolean }
  | { type: "lint"; id: number; name: string; source: Blob }
  /** The files of a function task in a zip. */
  | { type: "read-task-zip"; id: number; source: Blob }
  | { type: "read-config"; id: number; source: Blob }
  | { type: "start"; id: number; run: number; request: RunRequest }
  /** How much is kept of programs that were instrumented. */
  | { type: "kept"; id: number }
  | { type: "clear-kept"; id: number }
  | { type: "list-files"; id: number; run: number }
  | { type: "read-file"; id: number; run: number; path: string; offset: number; length: number }
  | { type: "export-zip"; id: number; run: number; paths: string[] | null }
  | { type: "calls"; id: number; run: number }
  | { type: "profile"; id: number; run: number }
  /** Bytes of what the program wrote to stdout or stderr, all of which the worker keeps. */
  | { type: "read-output"; id: number; run: number; fd: 1 | 2; offset: number; length: number };

/** Told to a run; nothing is replied, the run's own messages show the effect. */
export type Control =
  | { type: "stdin"; run: number; bytes: Uint8Array }
  | { type: "end-stdin"; run: number }
  | { type: "pause"; run: number }
  | { type: "resume"; run: number }
  | { type: "cancel"; run: number }
  /** The page has drawn this many bytes of output: the worker may send as many more. */
  | { type: "drawn"; run: number; bytes: number };

/** Nobody wants to wait for the runtime's second part any more: requests that do are refused, with `cancelled`. */
export interface Abandon {
  type: "abandon";
}

export type ToWorker = Request | ReceiptRequest | Control | Abandon;

export interface Replies extends ReceiptReplies {
  "load-module": ModuleInfo;
  reset: null;
  "put-directory": null;
  "put-file": null;
  remove: null;
  /** Entries added. */
  mount: number;
  lint: LintReport;
  "read-task-zip": { name: string; bytes: Uint8Array }[];
  "read-config": TaskConfig;
  start: null;
  /** Null where the browser keeps nothing. */
  kept: KeptSum | null;
  "clear-kept": null;
  "list-files": FileEntry[];
  "read-file": Uint8Array;
  "export-zip": Uint8Array;
  calls: Calls | null;
  profile: ProfileNode[] | null;
  "read-output": Uint8Array;
}

/** An error as it crosses from the worker to the page. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
  /** For a mistake in a text. */
  place?: TextPlace;
}

/** `repeating`: it has trapped, and is run once more for the exact count; only said where that takes a while. */
export type RunState = "running" | "blocked" | "repeating" | "paused";

export interface RunStats extends Stats {
  /** Milliseconds spent executing the program: no pauses, no waiting for input, no repeating after a trap. */
  busyMs: number;
  stdoutBytes: number;
  stderrBytes: number;
}

export type FromWorker =
  | { type: "loading"; phase: "download"; loaded: number; total: number | null }
  | { type: "loading"; phase: "compile" }
  | { type: "ready"; version: string }
  /** Whether a request waits for the runtime's second part. */
  | { type: "waiting"; does: boolean }
  /** The runtime could not be loaded; this worker is of no use. */
  | { type: "unusable"; problem: Problem }
  | { type: "reply"; id: number; value: Replies[keyof Replies] }
  | { type: "refused"; id: number; problem: Problem }
  /** How far a request with a blob has come, in bytes. */
  | { type: "progress"; id: number; done: number; total: number }
  /** `skipped` bytes before these chunks were left out: the program writes faster than the page draws. */
  | { type: "output"; run: number; skipped: number; chunks: OutputChunk[] }
  | { type: "status"; run: number; state: RunState; stats: RunStats }
  /**
   * From now on the run does not hear controls: the engine comes back only at its end. To stop it the worker must be
   * ended, so the page keeps the output itself. `written` is all of it so far.
   */
  | { type: "away"; run: number; written: OutputChunk[] }
  /** What an engine wrote that is away: all of it, as it comes. */
  | { type: "written"; run: number; chunks: OutputChunk[] }
  /** The run hears controls again. */
  | { type: "back"; run: number }
  | { type: "done"; run: number; outcome: Outcome; stats: RunStats; engines: Engines; trace: string | null; place: Whereabouts | null }
  /**
   * The runtime can't go on: it failed itself (a panic: `runtime-crashed`), or its second part did not come when it was
   * needed in the middle. What the program had written comes along; the worker must be replaced.
   */
  | { type: "crashed"; problem: Problem; stdout: Uint8Array[]; stderr: Uint8Array[] };

/** A request as the page states it; the client gives it its id. */
export type Unsent<R extends Request | ReceiptRequest> = R extends unknown ? Omit<R, "id"> : never;

/** For the `default` of a `switch` over a union: fails to compile when a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`unexpected message: ${JSON.stringify(value)}`);
}
