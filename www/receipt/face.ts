/** The part of the wasm face that is about receipts (`src/web/receipts.rs`, `src/web/check.rs`). */
import type { EngineChoice, ModuleInfo, Run, StartOptions, Task } from "../face";
import type { Bisection, Parting } from "../story/types";
import type { Difference, ReadReceipt, Unpacked, Verdict } from "./types";

export interface ReceiptRun {
  /** The file of the receipt of a run that ended. */
  receipt(): string;
  compare(receipt: Uint8Array): Verdict;
}

export interface ReceiptTask {
  pack(options: StartOptions, receipt?: Uint8Array): Uint8Array;
  /** The fragment of a link, without `#`. */
  link(options: StartOptions, receipt?: Uint8Array, url?: string): string;
  /** The first thing in which the task is not the receipt's. */
  checkReceipt(options: StartOptions, receipt: Uint8Array): Difference | undefined;
  /** Puts a package's input files in place of the task's. */
  mountPackage(bytes: Uint8Array): number;
}

/** A receipt that is being verified; a verdict that is there before anything runs is thrown. */
export interface Check {
  id(): string;
  steps(): number;
  loadModule(name: string, bytes: Uint8Array): void;
  giveStdin(bytes: Uint8Array): void;
  giveArgs(args: string[]): void;
  giveEnv(env: string[]): void;
  createFile(path: string): void;
  appendFile(path: string, chunk: Uint8Array): void;
  addDirectory(path: string): void;
  mountTar(dir: string, bytes: Uint8Array, readOnly?: boolean): number;
  mountZip(dir: string, bytes: Uint8Array): number;
  start(options: { engine: EngineChoice; maxSteps?: string; watch?: StartOptions["watch"] }): Run;
  overrun(steps: number): Verdict | undefined;
  blocked(): Verdict;
  verdict(run: Run): Verdict;
  firstByte(run: Run, path: string, bytes: Uint8Array): string | undefined;
  free(): void;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): string;
  free(): void;
}

export interface ReceiptFace {
  /** Between which checkpoints two receipts part. */
  parting(a: string, b: string): Parting | undefined;
  Bisection: new (task: Task, wrong: string, from: number, to?: number) => Bisection;
  /** From 32 random bytes that are used for nothing else. */
  generateKey(random: Uint8Array): { publicKey: string; secretKey: Uint8Array };
  keyFile(secret: Uint8Array): string;
  readKeyFile(text: Uint8Array): Uint8Array;
  signReceipt(receipt: string, secret: Uint8Array): string;
  readReceipt(text: Uint8Array): ReadReceipt;
  openPackage(bytes: Uint8Array): Unpacked;
  openLink(fragment: string): Unpacked;
  moduleInfo(name: string, bytes: Uint8Array): ModuleInfo;
  Check: new (bytes: Uint8Array) => Check;
  Hasher: new () => Hasher;
}
