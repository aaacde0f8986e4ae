/** What a run came to: its result, its files, its receipt. */
import type { Client } from "../client";
import type { Engines, FileEntry, ModuleInfo, Outcome, Whereabouts } from "../face";
import { describe } from "../outcome";
import { FAILED } from "../problem";
import type { RunRequest, RunStats } from "../protocol";
import { VerirunError } from "./errors";
import type { Recording } from "./recording";
import type { Receipt, ResultFile, RunResult } from "./types";
import { explain, idOf, verification } from "./verify";

export interface Ended {
  outcome: Outcome;
  stats: RunStats;
  engines: Engines | null;
  trace: string | null;
  place: Whereabouts | null;
  filesLost: boolean;
}

export type Proof = Pick<RunResult, "receipt" | "noReceipt" | "verification">;

export const CANCELLED: Proof = { receipt: null, noReceipt: "a cancelled run has no receipt", verification: null };

/** Whether an error is an answer, and not a failure of the runtime. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code !== FAILED && error.code !== "run-gone";

/** The receipt, and what comparing with the one that was expected comes to. */
export async function prove(
  client: Client,
  request: RunRequest,
  wanted: boolean,
  expected: string | null,
): Promise<Proof> {
  const proof: Proof = { receipt: null, noReceipt: null, verification: null };
  if (wanted) {
    try {
      proof.receipt = JSON.parse(await client.request({ type: "receipt", run: client.run })) as Receipt;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      proof.noReceipt = (error as Error).message;
    }
  }
  if (expected !== null) {
    try {
      let verdict = await client.request({ type: "compare", run: client.run, receipt: expected });
      if (verdict.difference?.what === "task") {
        // The parts of the task tell more than its digest.
        const part = await client.request({ type: "check-task", request, receipt: expected });
        if (part) verdict = { ...verdict, message: explain(part), difference: part };
      }
      proof.verification = verification(verdict, idOf(expected));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { message, hint } = VerirunError.from(error);
      proof.verification = verification({ verdict: "cannot-tell", message: `${message}. ${hint}`, difference: null }, null);
    }
  }
  return proof;
}

export function toResult(
  written: Recording,
  module: ModuleInfo,
  end: Ended,
  files: Map<string, ResultFile>,
  proof: Proof,
): RunResult {
  const { outcome, engines, trace, place, filesLost } = end;
  const { busyMs, stdoutBytes: _out, stderrBytes: _err, ...stats } = end.stats;
  const { headline, advice } = describe(outcome, stats.steps, place);
  const exitCode = outcome.kind === "exit" ? outcome.code : null;
  const stdout = once(() => written.bytes(1));
  const stderr = once(() => written.bytes(2));
  const text = (bytes: () => Uint8Array): (() => string) => once(() => new TextDecoder().decode(bytes()));
  const [stdoutText, stderrText] = [text(stdout), text(stderr)];
  return {
    outcome,
    ok: exitCode === 0,
    exitCode,
    summary: `${headline}. ${advice}`.trim(),
    get stdout() {
      return stdout();
    },
    get stderr() {
      return stderr();
    },
    get stdoutText() {
      return stdoutText();
    },
    get stderrText() {
      return stderrText();
    },
    files,
    filesLost,
    stats,
    busyMs,
    engines,
    module,
    trace,
    place,
    ...proof,
  };
}

/** Computes a value when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** What the run changed, with content while that is not too much. */
export async function collect(client: Client, entries: FileEntry[], most: number): Promise<Map<string, ResultFile>> {
  const files = new Map<string, ResultFile>();
  const holds = (entry: FileEntry): boolean => entry.type === "file" && entry.change !== "removed";
  const changed = entries.filter((entry) => entry.change !== "same");
  const sum = changed.filter(holds).reduce((sum, entry) => sum + entry.size, 0);
  for (const { path, type, size, change, target } of changed) {
    if (change === "same") continue;
    const request = { type: "read-file", run: client.run, path, offset: 0, length: size } as const;
    const bytes = type === "file" && change !== "removed" && sum <= most ? await client.request(request) : null;
    files.set(path, { path, type, size, change, bytes, ...(target !== undefined && { target }) });
  }
  return files;
}
