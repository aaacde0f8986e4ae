/** The errors of the API: what happened, what to do about it, and a code for programs. */
import type { Problem } from "../protocol";
import { toProblem, UserError } from "../problem";

/** `code` is stable and for programs; `message` and `hint` are for people. */
export class VerirunError extends UserError {
  constructor(problem: Problem, cause?: unknown) {
    super(problem);
    this.name = "VerirunError";
    if (cause !== undefined) this.cause = cause;
  }

  /** Any thrown value as one of these. */
  static from(error: unknown): VerirunError {
    return error instanceof VerirunError ? error : new VerirunError(toProblem(error), error);
  }
}

export function badOption(message: string, hint: string): VerirunError {
  return new VerirunError({ code: "bad-options", message, hint });
}
