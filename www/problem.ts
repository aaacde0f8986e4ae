/** Errors that a person reads: what happened, and what to do about it. */
import type { Problem } from "./protocol";

/** Where in a text a mistake is. */
export interface TextPlace {
  /** From 1. */
  line: number;
  column: number;
  /** What is wrong, in one line. */
  brief: string;
}

/** An error with a hint. The page shows both; `code` is stable and what tests check. */
export class UserError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly place: TextPlace | undefined;

  constructor(problem: Problem) {
    super(problem.message);
    this.name = "UserError";
    this.code = problem.code;
    this.hint = problem.hint;
    this.place = problem.place;
  }
}

/** The code of what is Verirun's own fault. */
export const FAILED = "runtime-crashed";

/** What is Verirun's own fault, as a problem. */
export function failure(message: string): Problem {
  return { code: FAILED, message: `Verirun itself failed: ${message}`, hint: "This is a bug in Verirun, not in your program." };
}

/** Any thrown value as a problem; errors of the wasm face already are one. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Error) {
    const { code, hint, place, line, column, brief } = error as Partial<Problem & TextPlace>;
    if (error.name === "NotReadableError" || error.name === "NotFoundError") {
      return {
        code: "file-unreadable",
        message: "A file can no longer be read.",
        hint: "It was changed, moved or deleted after you added it. Add it again.",
      };
    }
    return {
      code: typeof code === "string" ? code : "unexpected",
      message: error.message || error.name,
      hint: typeof hint === "string" ? hint : "",
      // The face's errors have it as properties, ours as one.
      ...(place ? { place } : line !== undefined && column !== undefined ? { place: { line, column, brief: brief ?? error.message } } : {}),
    };
  }
  return { code: "unexpected", message: String(error), hint: "" };
}
