/** A request as the form's fields show it, as well as they can. */
import { formatArgs, formatEnv } from "../args";
import { checkLimit, LIMIT_FIELDS } from "../limits";
import type { Limits } from "../face";
import type { RunRequest } from "../protocol";
import type { Fields } from "../setupform";
import { limitText } from "./opened";

/** Longer text is a file: nobody reads it in a field. */
const MAX_TEXT = 64 * 1024;

export async function fieldsOf(request: RunRequest, engine: string): Promise<Fields> {
  const limits: Limits = {};
  for (const field of LIMIT_FIELDS) {
    const text = limitText(field.key, request.limits);
    if (text !== "" && checkLimit(field, text) === null) limits[field.key] = text;
  }
  return {
    args: formatArgs(request.args),
    env: formatEnv(request.env),
    ...(await stdinFields(request)),
    limits,
    clock: request.clock ?? "fixed",
    random: request.random ?? "seeded",
    seed: request.seed ?? "",
    engine,
  };
}

async function stdinFields({ stdin }: RunRequest): Promise<Pick<Fields, "stdin" | "stdinText" | "stdinFile">> {
  if (stdin.kind !== "bytes") return { stdin: "live", stdinText: "", stdinFile: null };
  if (stdin.source.size === 0) return { stdin: "none", stdinText: "", stdinFile: null };
  const text = stdin.source.size <= MAX_TEXT ? await asText(stdin.source) : null;
  if (text !== null) return { stdin: "text", stdinText: text, stdinFile: null };
  return { stdin: "file", stdinText: "", stdinFile: { name: "stdin", source: stdin.source } };
}

/** Its text, if a field gives back the same bytes. */
async function asText(source: Blob): Promise<string | null> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await source.arrayBuffer());
    return text.includes("\r") || text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
