/** What stands in receipts and packages: docs/receipt.md. Numbers that may be large are decimal strings. */
import type { Preopen } from "../face";

/** Bytes: text if they are UTF-8. */
export type Text = string | { hex: string };

export interface Digested {
  size: string;
  /** Lower-case hex. */
  sha256: string;
}

export interface InputFile {
  path: string;
  type: "file" | "directory" | "symlink" | "hardlink";
  size?: string;
  sha256?: string;
  target?: string;
  readOnly?: boolean;
}

export interface StdinPart {
  kind: "bytes" | "live";
  size?: string;
  events?: string;
  terminal?: boolean;
  sha256: string;
}

/** Something that happened to live input: bytes, or the end. */
export interface PushedEvent {
  calls: string;
  bytes?: Text;
}

export interface Profile {
  version: number;
  clock: "fixed" | "virtual";
  random: "seeded" | "truebit-v1";
  seed?: string;
}

export interface LimitPart {
  gas: string;
  call: string;
  frame: string;
  memory: string;
  output: string;
  files: string;
}

export interface TaskPart {
  module: Digested;
  profile: Profile;
  args: { count: string; sha256: string };
  env: { count: string; sha256: string };
  stdin: StdinPart;
  files: { count: string; root: string };
  preopens: Preopen[];
  limits: LimitPart;
}

export interface FileChange {
  path: string;
  change: "added" | "modified" | "removed";
  type: "file" | "directory" | "symlink";
  size?: string;
  sha256?: string;
  target?: string;
}

export interface ResultPart {
  outcome: { kind: string; code?: number; trap?: string };
  stdout: Digested;
  stderr: Digested;
  files: FileChange[];
  steps: string;
  peakMemoryPages: string;
  peakCallDepth: string;
  peakFrameBytes: string;
}

export interface Given {
  module?: string;
  args?: Text[];
  env?: Text[];
  stdin?: Text;
  pushed?: PushedEvent[];
  files?: InputFile[];
  by?: string;
}

/** A receipt's file. */
export interface Envelope {
  id: string;
  receipt: { version: number; task: TaskPart; result: ResultPart };
  given?: Given;
  signatures?: { key: string; signature: string }[];
}

/** A signature: whose, and whether it is one of the receipt. */
export interface Signer {
  key: string;
  valid: boolean;
}

/** A receipt's file that was read. */
export interface ReadReceipt extends Envelope {
  /** Of the file. */
  sha256: string;
  /** Whether the list of input files beside the receipt is the one in it. */
  listed: boolean;
  signers: Signer[];
}

/** A package's `task.json`. */
export interface Manifest {
  version: number;
  module: Digested;
  name: string;
  profile: Profile;
  args: Text[];
  env: Text[];
  stdin: StdinPart;
  pushed?: PushedEvent[];
  files: InputFile[];
  preopens: Preopen[];
  limits: LimitPart;
}

/** What is in a package or a link. */
export interface Unpacked {
  manifest: Manifest;
  /** Not in a link that has only the module's address. */
  module?: Uint8Array;
  url?: string;
  /** Unless it is live. */
  stdin?: Uint8Array;
  /** The regular files. */
  files: { path: string; bytes: Uint8Array }[];
  /** The receipt's file. */
  receipt?: string;
}

export interface Difference {
  what: string;
  said: string;
  found: string;
  /** Of the output file that is different. */
  path?: string;
}

export interface Verdict {
  verdict: "verified" | "mismatch" | "cannot-tell";
  message: string | null;
  difference: Difference | null;
}
