/** What the attributes of `<wasm-task>` say, as options of a run. */
import type { LimitValues, RunOptions } from "../api/types";
import { parseArgs } from "../args";

/** An attribute that can't be read. `code` and `hint` as in the API's errors; that one's class is loaded later. */
export class AttributeError extends Error {
  readonly code = "bad-attribute";
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = "VerirunError";
  }
}

function words(attribute: string, text: string): string[] {
  const parsed = parseArgs(text);
  if (parsed.ok) return parsed.args;
  throw new AttributeError(`The attribute \`${attribute}\` can't be read: ${parsed.message}`, "Words are split as a shell splits them.");
}

/** `NAME=VALUE` words, or a JSON object of strings. */
function pairs(attribute: string, text: string, single?: (word: string) => [string, string]): [string, string][] {
  if (text.trimStart().startsWith("{")) {
    try {
      return Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, String(value)]);
    } catch (error) {
      throw new AttributeError(
        `The attribute \`${attribute}\` begins like JSON and is none: ${(error as Error).message}`,
        "Correct it, or write NAME=VALUE, separated by spaces.",
      );
    }
  }
  return words(attribute, text).map((word) => {
    const equals = word.indexOf("=");
    if (equals > 0) return [word.slice(0, equals), word.slice(equals + 1)];
    if (single && equals < 0) return single(word);
    throw new AttributeError(`In the attribute \`${attribute}\`, “${word}” is not NAME=VALUE.`, "Quote values with spaces: NAME='two words'.");
  });
}

function address(attribute: string, text: string): URL {
  try {
    return new URL(text, document.baseURI);
  } catch {
    throw new AttributeError(`In the attribute \`${attribute}\`, “${text}” is not an address.`, "Write an absolute address, or one relative to this page.");
  }
}

/** Under its own name in the root. */
function ownName(url: string): [string, string] {
  const name = url.replace(/[?#].*$/s, "").split("/").at(-1) ?? "";
  if (name === "") throw new AttributeError(`In the attribute \`files\`, “${url}” names no file.`, "Write PATH=ADDRESS.");
  return [name, url];
}

const ENGINES = ["auto", "interpreter", "browser", "both"] as const;

function oneOf<T extends string>(attribute: string, text: string, all: readonly T[]): T {
  const found = all.find((each) => each === text);
  if (found) return found;
  throw new AttributeError(`The attribute \`${attribute}\` is “${text}”.`, `It can be ${all.join(", ")}.`);
}

export interface Attributes {
  src: URL;
  options: RunOptions;
}

export function readAttributes(element: Element): Attributes {
  const get = (name: string): string | null => element.getAttribute(name);
  const src = get("src");
  if (!src) throw new AttributeError("There is no `src`.", "Give the element the address of a .wasm or .wat file.");
  const [args, env, files, limits] = [get("args"), get("env"), get("files"), get("limits")];
  const [engine, clock, random, seed] = [get("engine"), get("clock"), get("random"), get("seed")];
  const stdin = get("stdin");
  const live = element.hasAttribute("interactive");
  if (live && stdin !== null) {
    throw new AttributeError("`stdin` and `interactive` are both given.", "Input is either written in the page or typed.");
  }
  return {
    src: address("src", src),
    options: {
      ...(args !== null && { args: words("args", args) }),
      ...(env !== null && { env: pairs("env", env) }),
      ...(files !== null && {
        files: Object.fromEntries(pairs("files", files, ownName).map(([path, url]) => [path, address("files", url)])),
      }),
      ...(limits !== null && { limits: Object.fromEntries(pairs("limits", limits)) as LimitValues }),
      ...(engine && { engine: oneOf("engine", engine, ENGINES) }),
      ...(clock && { clock: oneOf("clock", clock, ["fixed", "virtual"] as const) }),
      ...(random && { random: oneOf("random", random, ["seeded", "truebit-v1"] as const) }),
      ...(seed && { seed }),
      ...(stdin !== null && { stdin }),
      ...(live && { live }),
      // Without an address it is only offered.
      receipt: element.hasAttribute("receipt"),
      ...(get("receipt") && { expected: address("receipt", get("receipt") as string) }),
    },
  };
}
