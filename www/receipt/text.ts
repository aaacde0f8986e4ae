/** What stands in receipts, as text for people. It comes from strangers: none of it may mislead or flood the page. */
import { bytes, grouped } from "../format";
import type { Digested, LimitPart, Profile, ResultPart, StdinPart, Text } from "./types";

/** More of one value than this helps nobody. */
const MOST = 200;

/** Characters that are not seen, or that turn the order of others around. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Shows what can't be seen as escapes, and cuts what is long. */
export function visible(text: string, most = MOST): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut.replaceAll(HIDDEN, (char) => (char === "\n" ? "↵" : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`));
}

export function textOf(text: Text, most = MOST): string {
  return typeof text === "string" ? visible(text, most) : `0x${visible(text.hex, most)}`;
}

/** Whether a value is text at all, so that a field of the page can hold it. */
export const isText = (text: Text): text is string => typeof text === "string";

/** A decimal string as a number for people; those that a JavaScript number does not hold are shown in full. */
export function sizeText(size: string): string {
  return bytes(Number(size));
}

export const shortDigest = (digest: string): string => `${digest.slice(0, 12)}…`;

export function digestedText({ size, sha256 }: Digested): string {
  return `${sizeText(size)}, SHA-256 ${shortDigest(sha256)}`;
}

export function outcomeText({ kind, code, trap }: ResultPart["outcome"]): string {
  if (kind === "exit") return `exit code ${code ?? "?"}`;
  if (kind === "trap") return `trap: ${visible(trap ?? "?")}`;
  return visible(kind).replaceAll("_", " ");
}

/** What holds where nobody set a limit: 2^63 - 1. */
export const UNLIMITED = "9223372036854775807";

const LIMITS: [keyof LimitPart, string, (value: string) => string][] = [
  ["gas", "gas", grouped],
  ["call", "calls", grouped],
  ["frame", "frame", sizeText],
  ["memory", "memory", (pages) => bytes(Number(pages) * 65536)],
  ["output", "output", sizeText],
  ["files", "files", sizeText],
];

/** `gas 1 000, memory 537 MB`: those that limit anything. */
export function limitsText(limits: LimitPart): string {
  return LIMITS.filter(([key]) => limits[key] !== UNLIMITED)
    .map(([key, name, show]) => `${name} ${show(limits[key])}`)
    .join(", ");
}

export function profileText({ version, clock, random, seed }: Profile): string {
  const source = random === "seeded" ? (/^0*$/.test(seed ?? "") ? "random bytes from seed 0" : `random bytes from seed ${shortDigest(seed ?? "")}`) : random;
  return `version ${version}, ${clock} clock, ${source}`;
}

export function stdinText({ kind, size, events, terminal }: StdinPart): string {
  if (kind === "bytes") return size === "0" ? "empty" : sizeText(size ?? "0");
  const typed = events === "0" ? "to be typed" : `${grouped(events ?? "0")} typed or sent while it runs`;
  return terminal ? `terminal, ${typed}` : typed;
}
