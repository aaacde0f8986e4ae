/** Verifies receipts: a worker runs the task again and compares. */
import type { PlacedBlob, VerifyJob } from "../receipt/protocol";
import type { Difference, Verdict } from "../receipt/types";
import type { Report } from "../worker/runtime";
import { orAborted } from "./abort";
import { badOption, VerirunError } from "./errors";
import type { Platform } from "./platform";
import type { Pool } from "./pool";
import { isBytes, readArgs, readEnv, readFiles, readProgram, readStdin } from "./task";
import type { ReceiptSource, Verification, VerifyOptions } from "./types";

/** The receipt's file. */
export async function readReceipt(source: ReceiptSource, platform: Platform, signal?: AbortSignal): Promise<Blob> {
  if (source instanceof URL) return platform.read(source, "the receipt", signal);
  if (typeof source === "string") {
    return source.trimStart().startsWith("{") ? new Blob([source]) : platform.read(source, "the receipt", signal);
  }
  if (source instanceof Blob) return source;
  if (isBytes(source)) return new Blob([source as BlobPart]);
  if (typeof source === "object" && source !== null) return new Blob([JSON.stringify(source)]);
  throw badOption("The receipt is none.", "Give the receipt of a result, its file's text or bytes, or an address.");
}

export function verification({ verdict, message, difference }: Verdict, id: string | null): Verification {
  return {
    verdict,
    reason: message ?? "A second run gave the same in every respect.",
    what: difference?.what ?? null,
    expected: difference?.said ?? null,
    found: difference?.found ?? null,
    id,
  };
}

/** A difference as a sentence, as the command line says it. */
export const explain = ({ what, said, found }: Difference): string => `${what}: the receipt says ${said}, but ${found}`;

/** The id that a receipt's file says; whether it is right is the verdict's to tell. */
export function idOf(text: string): string | null {
  try {
    const { id } = JSON.parse(text) as { id?: unknown };
    return typeof id === "string" ? id : null;
  } catch {
    return null;
  }
}

function readMaxSteps(maxSteps: number | bigint | undefined): string | null {
  if (maxSteps === undefined) return null;
  if (typeof maxSteps === "bigint" ? maxSteps >= 0n : Number.isSafeInteger(maxSteps) && maxSteps >= 0) return String(maxSteps);
  throw badOption("`maxSteps` is not a whole number.", "Give a number, or a bigint.");
}

export async function verifyReceipt(
  source: ReceiptSource,
  options: VerifyOptions,
  platform: Platform,
  pool: Pool,
): Promise<Verification> {
  const { signal } = options;
  signal?.throwIfAborted();
  const maxSteps = readMaxSteps(options.maxSteps);
  const args = options.args && readArgs(options.args);
  const env = options.env && readEnv(options.env).map(([name, value]) => `${name}=${value}`);
  const report: Report = ({ phase, ...rest }) => options.onLoading?.({ loaded: 0, total: null, ...rest, phase });
  const none = Promise.resolve(null);
  const [receipt, program, items, stdin] = await orAborted(
    Promise.all([
      readReceipt(source, platform, signal),
      options.module === undefined ? none : readProgram(options.module, options.name, platform, signal),
      readFiles(options, platform, signal),
      options.stdin === undefined ? none : readStdin(options.stdin, false),
      pool.module(report),
    ]),
    signal,
  );
  const files: PlacedBlob[] = items.flatMap((item) => (item.kind === "file" ? [item] : []));
  const job: VerifyJob = {
    receipt,
    module: program,
    laid: items.filter(({ kind }) => kind !== "file"),
    files,
    stdin: stdin?.kind === "bytes" ? stdin.source : null,
    args: args ? [options.name ?? program?.name ?? "program", ...args] : null,
    env: env ?? null,
    outputs: [],
    engine: options.engine ?? "auto",
    maxSteps,
  };
  const slot = await pool.acquire(signal);
  try {
    const progress = (steps: number, total: number): void => options.onProgress?.(steps, total);
    const result = await orAborted(slot.client.request({ type: "verify", job }, progress), signal);
    return verification(result, result.id);
  } catch (error) {
    if (signal?.aborted) throw error;
    if (slot.problem && !slot.ready) throw pool.blocked(slot.problem.message);
    throw VerirunError.from(error);
  } finally {
    // What it ran is still in its memory.
    pool.release(slot, false);
  }
}
