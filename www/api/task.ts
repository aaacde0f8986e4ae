/** Brings what a caller gave into the form that the worker takes, refusing what can't be. */
import type { Client } from "../client";
import type { Limits } from "../face";
import { cleanPath, type InputItem } from "../inputs";
import { checkLimit, checkSeed, LIMIT_FIELDS, readLimits } from "../limits";
import type { StdinSource } from "../protocol";
import { badOption, VerirunError } from "./errors";
import type { Platform } from "./platform";
import type { Content, LimitValues, ModuleSource, TaskOptions } from "./types";

export interface Program {
  name: string;
  source: Blob;
}

export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value);

function toBlob(content: Content, what: string): Blob {
  if (content instanceof Blob) return content;
  if (typeof content === "string" || isBytes(content)) return new Blob([content as BlobPart]);
  throw badOption(`${what} is neither text nor bytes nor a Blob.`, "Give a string, a Uint8Array, an ArrayBuffer or a Blob.");
}

function lastPart(address: string): string {
  const path = address.replace(/[?#].*$/s, "");
  const name = path.split(/[/\\]/).at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A page in place of a module is what servers send for addresses that they don't know. */
async function refusePage(source: Blob, from: string): Promise<void> {
  const start = await source.slice(0, 64).text();
  if (!/^\s*<(?:!doctype|html|\?xml)/i.test(start)) return;
  throw new VerirunError({
    code: "not-a-module",
    message: `${from} is a web page, not a WebAssembly module.`,
    hint: "Check the address: many servers answer with a page where there is no such file.",
  });
}

export async function readProgram(
  source: ModuleSource,
  name: string | undefined,
  platform: Platform,
  signal?: AbortSignal,
): Promise<Program> {
  const given = await source;
  if (typeof given === "string" || given instanceof URL) {
    if (given === "") throw badOption("The module's address is empty.", "Give the address of a .wasm or .wat file.");
    const blob = await platform.read(given, "the module", signal);
    await refusePage(blob, String(given));
    return { name: name ?? (lastPart(String(given)) || "program"), source: blob };
  }
  if (given instanceof Response) {
    if (!given.ok) throw unreachable("the module", given.url, `the server answered ${given.status}`);
    const blob = await given.blob();
    await refusePage(blob, given.url || "The response");
    return { name: name ?? (lastPart(given.url) || "program"), source: blob };
  }
  if (given instanceof Blob || isBytes(given)) {
    const file = given instanceof Blob && "name" in given ? String(given.name) : "program";
    return { name: name ?? file, source: toBlob(given, "The module") };
  }
  if (typeof given === "object" && given !== null && typeof given.wat === "string") {
    return { name: name ?? "program", source: new Blob([given.wat]) };
  }
  throw badOption(
    "The module is not something that can be run.",
    'Give an address, a Response, bytes, a Blob, or { wat: "(module …)" }.',
  );
}

/** What could not be read, and why. */
export function unreachable(what: string, address: string, why: string, hint?: string): VerirunError {
  return new VerirunError({
    code: "unreachable",
    message: `Could not load ${what}: ${address}: ${why}.`,
    hint: hint ?? "Check the address.",
  });
}

const refuseZero = (text: string, what: string): void => {
  if (text.includes("\0")) throw badOption(`${what} has a zero byte.`, "Leave it out: programs take it for the end.");
};

export function readArgs(args: readonly string[] = []): string[] {
  if (!Array.isArray(args)) throw badOption("`args` is not a list.", "Give a list of strings, one for each argument.");
  return args.map((arg, index) => {
    if (typeof arg !== "string") throw badOption(`Argument ${index + 1} is not a string.`, "Give strings; numbers as String(n).");
    refuseZero(arg, `Argument ${index + 1}`);
    return arg;
  });
}

export function readEnv(env: TaskOptions["env"] = {}): [string, string][] {
  const entries = Array.isArray(env) ? (env as [string, string][]) : Object.entries(env);
  return entries.map((entry) => {
    const [name, value] = entry;
    if (typeof name !== "string" || typeof value !== "string") {
      throw badOption(`The environment variable ${String(name)} is not a string.`, "Give names and values as strings.");
    }
    if (name === "" || name.includes("=")) {
      throw badOption(`“${name}” can't be the name of an environment variable.`, "Use a name that is not empty and has no =.");
    }
    refuseZero(name + value, `The environment variable ${name}`);
    return [name, value];
  });
}

/** Limits that are left out have the page's presets, so that no program fills the memory of the machine that it is on. */
export function readLimitValues(values: LimitValues = {}): Limits {
  const texts = new Map<keyof Limits, string>();
  const without: (keyof Limits)[] = [];
  for (const [key, value] of Object.entries(values) as [keyof Limits, LimitValues[keyof Limits]][]) {
    const field = LIMIT_FIELDS.find((field) => field.key === key);
    if (!field) {
      const known = LIMIT_FIELDS.map((field) => field.key).join(", ");
      throw new VerirunError({ code: "bad-limit", message: `There is no limit “${key}”.`, hint: `The limits are ${known}.` });
    }
    if (value === null) without.push(key);
    if (value === null || value === undefined) continue;
    const text = String(value);
    const exact = typeof value !== "number" || Number.isSafeInteger(value);
    const problem = exact ? checkLimit(field, text) : `${field.label} must be a whole number, below 2^53 if it is no bigint.`;
    if (problem) throw new VerirunError({ code: "bad-limit", message: problem, hint: `\`limits.${key}\` counts ${field.unit}.` });
    texts.set(key, text);
  }
  const limits = readLimits(texts);
  for (const key of without) delete limits[key];
  return limits;
}

export function readSeed(seed: string | undefined): { seed?: string } {
  const problem = seed === undefined ? null : checkSeed(seed);
  if (problem) throw new VerirunError({ code: "bad-profile", message: problem, hint: "Correct `seed`." });
  return seed ? { seed: seed.trim() } : {};
}

export async function readStdin(stdin: TaskOptions["stdin"], live: boolean): Promise<StdinSource> {
  if (live) {
    if (stdin === undefined) return { kind: "live" };
    throw badOption("`stdin` and `live` are both given.", "With `live`, write to `run.stdin` instead.");
  }
  if (!(stdin instanceof ReadableStream)) return { kind: "bytes", source: toBlob(stdin ?? "", "`stdin`") };
  // In which pieces a stream comes is chance; read to its end, the same bytes are the same task.
  const parts: BlobPart[] = [];
  const reader = stdin.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(await toBlob(next.value, "What `stdin` streams").arrayBuffer());
  }
  return { kind: "bytes", source: new Blob(parts) };
}

/** The input files, those at addresses fetched. */
export function readFiles(
  { files = {}, archives = [] }: TaskOptions,
  platform: Platform,
  signal?: AbortSignal,
): Promise<InputItem[]> {
  const laid = archives.map(async ({ format, content, path = "", readOnly = false }): Promise<InputItem> => {
    if (format !== "zip" && format !== "tar") {
      throw badOption(`Archives of the format “${String(format)}” can't be unpacked.`, "Use zip or tar.");
    }
    const place = path.replaceAll("/", "") === "" ? "" : cleanPath(path);
    return { kind: "archive", path: place, name: "", format, source: toBlob(content, "An archive"), readOnly };
  });
  const single = Object.entries(files).map(async ([name, content]): Promise<InputItem> => {
    const path = cleanPath(name);
    if (content === null) return { kind: "directory", path };
    if (content instanceof URL) return { kind: "file", path, source: await platform.read(content, `the file ${path}`, signal) };
    return { kind: "file", path, source: toBlob(content, `The file ${path}`) };
  });
  return Promise.all([...laid, ...single]);
}

/** Puts the input files into the worker's task. */
export async function placeFiles(client: Client, items: readonly InputItem[]): Promise<void> {
  for (const item of items) {
    const { kind, path } = item;
    if (kind === "directory") await client.request({ type: "put-directory", path });
    else if (kind === "file") await client.request({ type: "put-file", path, source: item.source });
    else {
      const { format, source, readOnly = false } = item;
      await client.request({ type: "mount", format, path, source, readOnly });
    }
  }
}
