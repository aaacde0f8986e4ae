/**
 * The TypeScript view of the wasm face (`src/web`): what `verirun.js` exports.
 *
 * It is loaded at run time from beside the worker, so these are declarations only.
 */
import type { ReceiptFace, ReceiptRun, ReceiptTask } from "./receipt/face";
import type { PushedEvent } from "./receipt/types";

/** What every error thrown by the face carries: `message` says what, `hint` says what to do. */
export interface VerirunError extends Error {
  code: string;
  hint: string;
  /** For a mistake in a text: where it is, from 1, and what it is in one line. */
  line?: number;
  column?: number;
  brief?: string;
}

export interface ModuleInfo {
  name: string;
  /** Bytes of the binary module. */
  size: number;
  /** Lower-case hex. */
  sha256: string;
  imports: { module: string; name: string }[];
  exports: string[];
  /** In 64 KiB pages. */
  memoryPages: { min: number; max: number | null } | null;
  kind: "command" | "reactor";
}

/** Decimal strings, because the numbers may be larger than a JavaScript number holds exactly. */
export interface Limits {
  /** Steps. */
  gas?: string;
  /** Nested calls. */
  call?: string;
  /** Bytes of the guest's value stack. */
  frame?: string;
  /** 64 KiB pages. */
  memory?: string;
  /** Bytes of stdout and stderr together. */
  outputBytes?: string;
  /** Bytes of all files together. */
  fileBytes?: string;
}

/** A directory that the guest finds open when it starts. */
export interface Preopen {
  /** What the guest calls it. */
  name: string;
  /** Relative to the root of the files. */
  path: string;
  /** What it may be used for; `read-write` by default. */
  access?: "read-write" | "read-only-files" | "read-only";
}

export interface StartOptions {
  args: string[];
  env: [string, string][];
  stdin: Uint8Array | "live" | { terminal: boolean; pushed: PushedEvent[] };
  limits?: Limits;
  /** Whether time stands still (the default) or advances with the steps and the sleeps. */
  clock?: "fixed" | "virtual";
  /** Where random bytes come from: the seed (the default), or all are 42. */
  random?: "seeded" | "truebit-v1";
  /** A hexadecimal number of up to 64 digits; 0 by default. */
  seed?: string;
  /** From descriptor 3 on; one, `/`, by default. */
  preopens?: Preopen[];
  /** The program's own name; that of the module by default, and null for no arguments at all. */
  program?: string | null;
  /** Whether to digest all calls. */
  trace?: boolean;
  /** Whether to take checkpoints; the receipt then commits to them. */
  commit?: boolean;
  /** A fault to make on purpose, `STEP:ADDRESS:BIT` or `STEP:global:INDEX:BIT`, to show how it is found: the result is wrong then. */
  fault?: string;
  /** Whether to record the calls, for `Run.calls`. */
  calls?: boolean;
  /** Whether to find which functions make the steps, for `Run.profile`; then it runs on the interpreter. */
  profile?: boolean;
  /** The interpreter by default. */
  engine?: EngineChoice;
  /** Called from within `slice` by an engine that only comes back at the end; must not use the run. */
  watch?: (output: OutputChunk[], stats: Stats) => void;
}

/** Which engine runs a task; the result is the same. */
export type EngineChoice = "auto" | "interpreter" | "browser" | "both";

/** Which engines ran it. */
export interface Engines {
  ran: "interpreter" | "browser";
  /** Why it was not the one asked for, or why two were not compared. */
  instead: string | null;
  /** Whether two ran it and did the same. */
  compared: boolean;
}

export type FileChange = "same" | "added" | "modified" | "removed";

export interface FileEntry {
  /** Relative to the guest's `/`. */
  path: string;
  type: "file" | "directory" | "symlink";
  size: number;
  change: FileChange;
  /** Of a symlink. */
  target?: string;
}

export interface Stats {
  /** Right at the end; while it runs, as of the last place where it was counted. */
  steps: number;
  /** The most nested calls so far. */
  peakCallDepth: number;
  /** The most bytes of the guest's value stack so far. */
  peakFrameBytes: number;
  memoryPages: number;
  peakMemoryPages: number;
  outputBytes: number;
  fileBytes: number;
}

/** Limits and the user's own stop: how a run ends when the program does not end it. */
export type StoppedKind =
  | "out_of_gas"
  | "call_depth_exceeded"
  | "frame_exceeded"
  | "memory_exceeded"
  | "output_limit_exceeded"
  | "file_limit_exceeded"
  | "cancelled"
  /** The engine or this device failed; that says nothing of the task. */
  | "failed";

export type Outcome =
  | { kind: "exit"; code: number }
  | { kind: "trap"; trap: string; message: string }
  | { kind: StoppedKind; message: string };

/** A call of the program to its system; numbers of 64 bits are decimal strings. */
export interface CallEntry {
  /** Among all calls, from 0. */
  number: number;
  /** Steps before it. */
  steps: number;
  function: string;
  args: string[];
  /** The errno's name, `exit`, or which limit it passed. */
  answer: string;
  /** Null if it did not return. */
  errno: number | null;
  paths: string[];
  /** What it gave back in memory: a descriptor, bytes, a position, a time. */
  result: string | null;
}

export interface Calls {
  total: number;
  /** The first and the last ones, if there are very many. */
  calls: CallEntry[];
}

/** A function as it was called from a certain chain of functions. */
export interface ProfileNode {
  /** Null for the root, and for what is nested too deeply. */
  function: number | null;
  name: string | null;
  /** The index of its caller's node; the root's is its own. */
  parent: number;
  /** Steps that it made itself. */
  steps: number;
  calls: number;
}

/** Where a run was when it trapped or passed a limit. */
export interface Whereabouts {
  function: number;
  name: string | null;
  /** In the module; null where only the function is known. */
  offset: number | null;
  source: { file: string; line: number; column: number | null } | null;
}

export interface OutputChunk {
  fd: 1 | 2;
  bytes: Uint8Array;
}

export interface Run extends ReceiptRun {
  /** After `pending` the run must be left alone until `back` has settled. */
  slice(steps: number): "running" | "blocked" | "done" | "pending";
  pushStdin(bytes: Uint8Array): void;
  closeStdin(): void;
  takeOutput(): OutputChunk[];
  stats(): Stats;
  /** Whether the program has trapped, and is run once more to learn the exact count and place. */
  repeating(): boolean;
  /** Whether the next slice only comes back at the end of the run. */
  isAway(): boolean;
  engines(): Engines;
  /** SHA-256 of all calls and results so far, if the run was started with `trace`. */
  trace(): string | undefined;
  /** The checkpoints so far, if the run was started with `commit`. */
  checkpoints(): { root: string; interval: number; steps: number[] } | undefined;
  cancel(): void;
  outcome(): Outcome | undefined;
  whereabouts(): Whereabouts | undefined;
  /** If the run was started with `calls`. */
  calls(): Calls | undefined;
  /** If the run was started with `profile`; the root first, each node behind its parent. */
  profile(): ProfileNode[] | undefined;
  files(): FileEntry[];
  readFile(path: string, offset: number, length: number): Uint8Array;
  exportZip(paths: string[] | null): Uint8Array;
  free(): void;
}

export interface Task extends ReceiptTask {
  loadModule(name: string, bytes: Uint8Array): ModuleInfo;
  addDirectory(path: string): void;
  createFile(path: string): void;
  appendFile(path: string, chunk: Uint8Array): void;
  remove(path: string): void;
  mountTar(guestDir: string, bytes: Uint8Array, readOnly?: boolean): number;
  mountZip(guestDir: string, bytes: Uint8Array): number;
  start(options: StartOptions): Run;
  inputFiles(): FileEntry[];
  /** Under which name its instrumented module is kept; `undefined` for a small one. */
  keptAs(): string | undefined;
  /** Whether its module was instrumented already: then nothing kept is needed. */
  isInstrumented(): boolean;
  /** Takes an instrumented module that `toKeep` gave earlier; throws if it is none of this module. */
  takeKept(bytes: Uint8Array): void;
  /** The instrumented module, if it was made. */
  toKeep(): Uint8Array<ArrayBuffer> | undefined;
  free(): void;
}

/** Where the lint found something. */
export interface Location {
  offset: number;
  function?: { index: number; name: string | null };
}

/** What the lint found (`docs/lint.md`). */
export interface LintReport {
  version: 1;
  runs: boolean;
  refused: { code: string; message: string; count: number; first: Location[] }[];
  fixed: { what: string; how: string; count: number; first: Location[] }[];
  features: { name: string; supported: boolean; count: number; first: Location[] }[];
  memories: { min: number; max: number | null; pageBytes: number }[];
  tables: { min: number; max: number | null; element: string }[];
  functions: number;
  functionTask: { likely: boolean };
}

export interface TaskConfig {
  limits: { [K in keyof Limits]-?: string | null };
  warnings: string[];
}

/** The module `verirun.js`. */
export interface Face extends ReceiptFace {
  /** Takes the compiled module, a `WebAssembly.Module`; gives the instance's exports. */
  default(options: { module_or_path: object }): Promise<unknown>;
  Task: new () => Task;
  version(): string;
  /** Says what instantiates the runtime's second part (`worker/rest.ts`). */
  onRest(bring: () => void): void;
  /** Waits for a slice that is pending. */
  back(): Promise<unknown>;
  /** Whether the browser's engine can be paused and can wait for input. */
  suspends(): boolean;
  lint(name: string, bytes: Uint8Array): LintReport;
  /** The files of a function task in a zip. */
  readTaskZip(zip: Uint8Array): { name: string; bytes: Uint8Array }[];
  /** A `config.json`; limits that it does not set are null. */
  readConfig(text: Uint8Array): TaskConfig;
}
