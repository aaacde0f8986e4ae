/** What page and worker say to each other about receipts, packages and links. */
import type { EngineChoice } from "../face";
import type { InputItem } from "../inputs";
import type { RunRequest } from "../protocol";
import type { Parting, StoryRun, Told } from "../story/types";
import type { Difference, ReadReceipt, Unpacked, Verdict } from "./types";

export interface NamedBlob {
  name: string;
  source: Blob;
}

export interface PlacedBlob {
  path: string;
  source: Blob;
}

/** A receipt to verify and what it is verified with. Nothing runs unless it has the digests in the receipt. */
export interface VerifyJob {
  /** A receipt, or a package with one. */
  receipt: Blob;
  module: NamedBlob | null;
  /** Archives and directories; the files come over them. */
  laid: InputItem[];
  files: PlacedBlob[];
  stdin: Blob | null;
  /** Those beside the receipt, if null. */
  args: string[] | null;
  env: string[] | null;
  /** Output files that came with the receipt, to tell the first different byte. */
  outputs: PlacedBlob[];
  engine: EngineChoice;
  maxSteps: string | null;
}

export interface VerifyResult extends Verdict {
  id: string | null;
  /** What the receipt says. */
  steps: number;
  /** The worker still runs the program and is of no more use. */
  spent: boolean;
}

export interface Digests {
  size: number;
  sha256: string;
  /** Of the binary, if it is a module. */
  module: { size: number; sha256: string } | null;
}

export type ReceiptRequest =
  | { type: "receipt"; id: number; run: number }
  | { type: "compare"; id: number; run: number; receipt: string }
  /** Whether the task that is set up is the receipt's. */
  | { type: "check-task"; id: number; request: RunRequest; receipt: string }
  | { type: "pack"; id: number; request: RunRequest; receipt: string | null }
  | { type: "link"; id: number; request: RunRequest; receipt: string | null; url: string | null }
  | { type: "open-package"; id: number; source: Blob }
  | { type: "open-link"; id: number; fragment: string }
  | { type: "read-receipt"; id: number; source: Blob }
  | { type: "digest"; id: number; name: string; source: Blob }
  /** The key that these 32 bytes are, and its file; of 32 random ones it is a new key. */
  | { type: "key"; id: number; secret: Uint8Array }
  /** The secret key in a key file. */
  | { type: "read-key"; id: number; source: Blob }
  | { type: "sign"; id: number; receipt: string; secret: Uint8Array }
  /** A run with checkpoints, of the module that is loaded, from start to end. */
  | { type: "story-run"; id: number; request: RunRequest }
  /** Begins the search for where two runs part; null if no checkpoint differs. */
  | { type: "bisect"; id: number; right: string; wrong: string }
  | { type: "bisect-on"; id: number }
  /** For a worker that does nothing else: it does not come back before the end. */
  | { type: "verify"; id: number; job: VerifyJob };

export interface ReceiptReplies {
  receipt: string;
  compare: Verdict;
  "check-task": Difference | null;
  pack: Uint8Array;
  link: string;
  "open-package": Unpacked;
  "open-link": Unpacked;
  "read-receipt": ReadReceipt;
  digest: Digests;
  key: { publicKey: string; file: string };
  "read-key": Uint8Array;
  sign: string;
  "story-run": StoryRun;
  bisect: Parting | null;
  "bisect-on": Told;
  verify: VerifyResult;
}
