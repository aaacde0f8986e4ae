/** How a run ended, in a sentence, with what to do about it. */
import type { Engines, Outcome, Whereabouts } from "./face";
import { grouped, plural } from "./format";

export type Tone = "good" | "bad" | "warn" | "busy" | "idle";

export interface Verdict {
  tone: Tone;
  headline: string;
  advice: string;
}

export function describe(outcome: Outcome, steps: number, place: Whereabouts | null = null): Verdict {
  const verdict = describeEnd(outcome, steps, place);
  const where = place ? whereText(place) : "";
  return where === "" ? verdict : { ...verdict, advice: `${verdict.advice} ${where}` };
}

/** Where it was, as far as the module tells; the function is named elsewhere. */
function whereText({ offset, source }: Whereabouts): string {
  if (source) return `It was at ${source.file}:${source.line}${source.column === null ? "" : `:${source.column}`}.`;
  return offset === null ? "" : `It was at byte 0x${offset.toString(16)} of the module; with debug information (line tables) the line would be here.`;
}

function functionName(place: Whereabouts | null): string {
  if (!place) return "";
  return place.name === null ? ` in function ${place.function}` : ` in \`${place.name}\``;
}

function describeEnd(outcome: Outcome, steps: number, place: Whereabouts | null): Verdict {
  const at = `after ${plural(steps, "step")}`;
  switch (outcome.kind) {
    case "exit":
      return outcome.code === 0
        ? { tone: "good", headline: "Finished with exit code 0", advice: "" }
        : {
            tone: "bad",
            headline: `Exited with code ${outcome.code}`,
            advice: "The program ended by itself and reported a failure. What it says about it is usually on stderr.",
          };
    case "trap":
      return { tone: "bad", headline: `Crashed: ${trapName(outcome)}`, advice: trapAdvice(outcome.trap, at) };
    case "out_of_gas":
      return stopped(`Out of gas at step ${grouped(steps)}${functionName(place)}`, at, outcome.message);
    case "call_depth_exceeded":
      return stopped(`Calls nested too deeply at step ${grouped(steps)}${functionName(place)}`, at, outcome.message);
    case "frame_exceeded":
      return stopped(`Frames too large at step ${grouped(steps)}${functionName(place)}`, at, outcome.message);
    case "memory_exceeded":
      return stopped(`Out of memory at step ${grouped(steps)}${functionName(place)}`, at, outcome.message);
    case "output_limit_exceeded":
      return stopped("Too much output", at, outcome.message);
    case "file_limit_exceeded":
      return stopped("Files too large", at, outcome.message);
    case "failed":
      return {
        tone: "bad",
        headline: "Verirun could not finish the run",
        advice: `${sentence(outcome.message)} Nothing can be said about the program: run it again, or on a machine with more memory.`,
      };
    case "cancelled":
      return { tone: "warn", headline: "Cancelled", advice: `You stopped it ${at}. Its output and files until then are kept.` };
  }
}

/** What is to be said of the engines that ran it, if anything. */
export function describeEngines(engines: Engines): string {
  if (engines.compared) return "Interpreter and browser engine did the same.";
  if (engines.instead) return `Run on the interpreter, not the browser's engine: ${engines.instead}.`;
  return engines.ran === "browser" ? "Run on the browser's engine." : "";
}

/** The message says where, and which limit to raise; the fields under Limits have these names. */
function stopped(what: string, at: string, message: string): Verdict {
  return { tone: "warn", headline: what, advice: `${sentence(message)} Stopped ${at}; output and files until then are kept.` };
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

function trapName(outcome: { trap: string; message: string }): string {
  return outcome.message || outcome.trap.replaceAll("_", " ");
}

function trapAdvice(trap: string, at: string): string {
  const kind = trap.toLowerCase();
  if (kind.includes("unreachable")) {
    return `A trap ${at}. The program aborted itself, as after a panic or a failed assertion; stderr often says why.`;
  }
  if (kind.includes("memory") || kind.includes("bounds")) {
    return `A trap ${at}. The program used an address outside its memory: look for a bad pointer or index.`;
  }
  if (kind.includes("divi") || kind.includes("integer") || kind.includes("overflow")) {
    return `A trap ${at}. Look for an integer division by zero or a conversion out of range.`;
  }
  if (kind.includes("indirect") || kind.includes("signature") || kind.includes("table")) {
    return `A trap ${at}. A function pointer was invalid or of another type.`;
  }
  return `A trap ${at}. Its output and files until then are kept.`;
}
