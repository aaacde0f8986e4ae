/** What the face tells of checkpoints and of the search for where two runs part (`src/web/proof.rs`). */

export interface Checkpoints {
  root: string;
  interval: number;
  steps: number[];
}

/** Between which checkpoints two receipts part. */
export interface Parting {
  /** Of the first checkpoint that differs. */
  number: number | null;
  from: number;
  to: number | null;
  what: string[];
  count: number;
}

/** A pass of the search. */
export interface Level {
  from: number;
  to: number | null;
  interval: number;
  same: number;
}

/** The first value of each pair is that of the right run. */
export interface Finding {
  from: number;
  steps: [number, number];
  function: number | null;
  functionName: string | null;
  what: What;
}

export type What =
  | { kind: "memory"; memory: number; address: number; values: [number, number]; bytes: number }
  | { kind: "memorySize"; memory: number; values: [number, number] }
  | { kind: "global"; global: number; first: number; values: [string, string] }
  | { kind: "tableSize"; table: number; values: [string, string] }
  | { kind: "call"; values: unknown[] }
  | { kind: "output"; fd: number }
  | { kind: "system" | "files" }
  | { kind: "steps"; values: [number, number] }
  | { kind: "end"; values: [string, string] };

export interface Told {
  state: "working" | "found" | "same";
  /** Made so far, both runs together. */
  steps: number;
  levels: Level[];
  finding?: Finding;
}

export interface Bisection {
  advance(): Told;
  free(): void;
}

/** A run that the story tells of. */
export interface StoryRun {
  receipt: string;
  stdout: string;
  checkpoints: Checkpoints;
}
