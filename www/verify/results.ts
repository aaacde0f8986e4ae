/** Results of verifying many receipts: counted, and as lines of JSON, the same that `verirun verify --results` writes. */
import { plural } from "../format";
import type { Verdict } from "../receipt/types";

export interface Result {
  /** The receipt's file. */
  receipt: string;
  /** Of that file. */
  sha256: string | null;
  id: string | null;
  verdict: Verdict["verdict"];
  message: string | null;
  /** Found earlier, and kept in this browser. */
  earlier: boolean;
}

export const TITLES = { verified: "VERIFIED", mismatch: "MISMATCH", "cannot-tell": "CANNOT TELL" } as const;

export function resultLines(results: Iterable<Result>): string {
  let lines = "";
  for (const { receipt, sha256, id, verdict, message } of results) {
    lines += `${JSON.stringify({ receipt, sha256, id, verdict, ...(message === null ? {} : { message }) })}\n`;
  }
  return lines;
}

export function summaryLine(results: readonly Result[], all: number): string {
  const count = (verdict: Verdict["verdict"]): number => results.filter((result) => result.verdict === verdict).length;
  const earlier = results.filter((result) => result.earlier).length;
  const left = all - results.length;
  return [
    `${plural(all, "receipt")}: ${count("verified")} verified${earlier > 0 ? ` (${earlier} of them earlier)` : ""}`,
    `${count("mismatch")} different`,
    `${count("cannot-tell")} can’t be told`,
    ...(left > 0 ? [`${left} to check`] : []),
  ].join(", ");
}
