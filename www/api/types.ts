/** The types of the JavaScript API: what `import { run, verify } from "verirun"` takes and gives. */
import type { Envelope } from "../receipt/types";
import type { EngineChoice, Engines, FileChange, Limits, ModuleInfo, Outcome, OutputChunk, Preopen, Stats, Whereabouts } from "../face";

export type { EngineChoice, Engines, FileChange, ModuleInfo, Outcome, OutputChunk, Preopen, Stats, Whereabouts };

/** Content: text is encoded as UTF-8. */
export type Content = string | Uint8Array | ArrayBuffer | Blob;

/**
 * A module: an address (in Node.js also the path of a file), what `fetch` gives, bytes of a `.wasm` or `.wat` file, or
 * the text format itself.
 */
export type ModuleSource =
  | string
  | URL
  | Response
  | Promise<Response>
  | Uint8Array
  | ArrayBuffer
  | Blob
  | { readonly wat: string };

/** Several at once, laid over the files. */
export interface Archive {
  format: "zip" | "tar";
  content: Content;
  /** Where its entries go; the root by default. */
  path?: string;
  /** Of a tar: whether the program can't change what it brings. */
  readOnly?: boolean;
}

/** A limit: whole numbers; `null` is none, and what is left out has the default. */
export type LimitValues = { [K in keyof Limits]?: number | bigint | string | null };

/** What a task is made of, beside its module. */
export interface TaskOptions {
  /** What the program sees as its own name; by default the last part of the module's address. */
  name?: string;
  /** Arguments, without the program's name. */
  args?: readonly string[];
  /** Environment variables, in this order. */
  env?: Readonly<Record<string, string>> | readonly (readonly [string, string])[];
  /** Standard input, all of it; a stream is read to its end first. Empty by default. */
  stdin?: Content | ReadableStream<Uint8Array | string>;
  /** Input files by path (`in/data.csv`): content, or a `URL` to fetch it from; `null` makes an empty directory. */
  files?: Readonly<Record<string, Content | URL | null>>;
  archives?: readonly Archive[];
}

export interface RunOptions extends TaskOptions {
  /** Standard input is written while the program runs, through `run.stdin`; the program takes it for a terminal. */
  live?: boolean;
  /** Steps, nested calls, frame bytes, memory pages, bytes of output and of files. */
  limits?: LimitValues;
  /** Whether time stands still (the default) or advances with the steps and the sleeps. */
  clock?: "fixed" | "virtual";
  /** Where random bytes come from: the seed (the default), or all are 42. */
  random?: "seeded" | "truebit-v1";
  /** A hexadecimal number of up to 64 digits; 0 by default. */
  seed?: string;
  /** The directories that the program finds open; one, `/`, by default. */
  preopens?: Preopen[];
  /** What executes the program; the result is the same. `auto` by default. */
  engine?: EngineChoice;
  /** Aborting ends the run at once: what is awaited rejects with the signal's reason. To keep the output, `cancel()`. */
  signal?: AbortSignal;
  /** Whether the result has a receipt; it has by default. */
  receipt?: boolean;
  /**
   * A receipt that the run is compared with: `verification` of the result. Options that are not given are as in it, and
   * those that it only has digests of are taken from beside it.
   */
  expected?: ReceiptSource;
  /** Whether the result has a digest of all system calls. */
  trace?: boolean;
  /** Files that the run changed are given with their content while all together have no more bytes; 256 MiB by default. */
  collectBytes?: number;
  /** Called some ten times a second. */
  onStatus?: (status: RunStatus) => void;
  /** Called while the runtime is downloaded and compiled, which is done once a page. */
  onLoading?: (loading: Loading) => void;
}

export interface Loading {
  phase: "download" | "compile";
  /** Bytes. */
  loaded: number;
  total: number | null;
}

export interface RunStatus {
  /** `blocked`: it waits for input. `repeating`: it has trapped, and is run again for the exact place. */
  state: "running" | "blocked" | "repeating";
  stats: Stats;
}

/** A file that is there after the run and that the run added or changed, or one that it removed. */
export interface ResultFile {
  path: string;
  type: "file" | "directory" | "symlink";
  change: Exclude<FileChange, "same">;
  /** Bytes. */
  size: number;
  /** Of a symbolic link. */
  target?: string;
  /** Of a file that is there, unless all together are more than `collectBytes`. */
  bytes: Uint8Array | null;
}

export interface RunResult {
  outcome: Outcome;
  /** Whether the program ended by itself with exit code 0. */
  ok: boolean;
  /** The exit code, if it ended by itself. */
  exitCode: number | null;
  /** A sentence for people: how it ended, and what to do about it. */
  summary: string;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** The same as text; what is not UTF-8 is replaced. */
  readonly stdoutText: string;
  readonly stderrText: string;
  /** What the run changed, by path. Empty with `filesLost`. */
  files: Map<string, ResultFile>;
  /** Whether the run was cancelled where the engine gives files only at the end. */
  filesLost: boolean;
  stats: Stats;
  /** Milliseconds spent executing the program; not part of the result. */
  busyMs: number;
  engines: Engines | null;
  module: ModuleInfo;
  trace: string | null;
  /** Where a trap or a limit ended it: the function, and the source line if the module has line tables. */
  place: Whereabouts | null;
  /** What was run and what came of it, for `verify`; `null` with the reason in `noReceipt`. */
  receipt: Receipt | null;
  noReceipt: string | null;
  /** What comparing with `expected` came to. */
  verification: Verification | null;
}

/** A receipt with what stands beside it (docs/receipt.md). `JSON.stringify` makes the file of it. */
export type Receipt = Envelope;

/** A receipt, its file's text or bytes, or an address; also a package that holds one with its task. */
export type ReceiptSource = Receipt | string | URL | Uint8Array | ArrayBuffer | Blob;

/** A run under way. Awaiting it gives its result; the streams may be read, or not, meanwhile or afterwards. */
export interface Run extends Promise<RunResult> {
  /** Standard output from the start, whenever it is first asked for. */
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  /** Both, in the order written. */
  readonly output: ReadableStream<OutputChunk>;
  /** With `live`; closing it is the end of input. */
  readonly stdin: WritableStream<Uint8Array | string>;
  pause(): void;
  resume(): void;
  /**
   * Stops the run: the result's outcome is `cancelled`, and has what was written until then. Before the program has
   * begun there is no result, and what is awaited rejects with the code `cancelled`.
   */
  cancel(): void;
}

/** What is not given is taken from beside the receipt, where it may stand, and from a package. */
export interface VerifyOptions extends TaskOptions {
  /** Not needed for a package. */
  module?: ModuleSource;
  engine?: EngineChoice;
  signal?: AbortSignal;
  /** Tell nothing of receipts that claim more steps than this. */
  maxSteps?: number | bigint;
  /** How many steps were made, of how many the receipt says. */
  onProgress?: (steps: number, total: number) => void;
  onLoading?: (loading: Loading) => void;
}

export interface Verification {
  /**
   * `verified`: a second run gave the same in every respect. `mismatch`: `what` is the first thing that is different.
   * `cannot-tell`: something is missing, or the receipt can't be read.
   */
  verdict: "verified" | "mismatch" | "cannot-tell";
  /** A sentence for people. */
  reason: string;
  /** Of a mismatch: what differs, and both sides of it. */
  what: string | null;
  expected: string | null;
  found: string | null;
  /** The receipt's id, if it can be read. */
  id: string | null;
}

/** The functions of the API. */
export interface Api {
  /** Runs a module; await it for the result. */
  run(module: ModuleSource, options?: RunOptions): Run;
  /** Runs a receipt's task again and compares. Refused only if that can't be tried; a verdict is no error. */
  verify(receipt: ReceiptSource, options?: VerifyOptions): Promise<Verification>;
  /** Downloads and compiles the runtime ahead of the first run. */
  preload(): Promise<void>;
}
