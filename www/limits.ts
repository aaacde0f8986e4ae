/** The limit fields and the profile's choices: which there are, and what may stand in them. */
import type { Limits } from "./face";

export interface LimitField {
  key: keyof Limits;
  label: string;
  unit: string;
  about: string;
  /** What holds when the field is empty: a page must not fill the memory of the machine it is on. Empty for no limit. */
  preset: string;
  max: bigint;
}

const MAX = 2n ** 63n - 1n;

export const LIMIT_FIELDS: readonly LimitField[] = [
  { key: "gas", label: "Gas", unit: "steps", about: "How long the program may compute.", preset: "", max: MAX },
  { key: "call", label: "Calls", unit: "nested calls", about: "How deep its calls may nest.", preset: "65536", max: MAX },
  { key: "frame", label: "Frame", unit: "bytes of its value stack", about: "How much its nested calls may hold.", preset: "67108864", max: MAX },
  { key: "memory", label: "Memory", unit: "pages of 64 KiB", about: "How far the memory may grow.", preset: "8192", max: 65536n },
  { key: "outputBytes", label: "Output", unit: "bytes of stdout and stderr", about: "How much the program may print.", preset: "67108864", max: MAX },
  { key: "fileBytes", label: "Files", unit: "bytes of all files", about: "How much its files may hold.", preset: "1073741824", max: MAX },
];

/** The problem with what stands in a limit field, or null. Underscores and spaces may group digits. */
export function checkLimit(field: LimitField, text: string): string | null {
  const digits = text.replaceAll(/[\s_]/g, "");
  if (digits === "") return null;
  if (!/^\d+$/.test(digits)) return `${field.label} must be a whole number, in digits.`;
  if (BigInt(digits) > field.max) return `${field.label} can be at most ${field.max}.`;
  return null;
}

/** The limits as they stand, with presets for the empty fields. */
export function readLimits(values: ReadonlyMap<keyof Limits, string>): Limits {
  const limits: Limits = {};
  for (const { key, preset } of LIMIT_FIELDS) {
    const digits = (values.get(key) ?? "").replaceAll(/[\s_]/g, "");
    const text = digits === "" ? preset : BigInt(digits).toString();
    if (text !== "") limits[key] = text;
  }
  return limits;
}

/** The problem with a seed of random bytes, or null; an empty one is 0. */
export function checkSeed(text: string): string | null {
  const digits = text.trim();
  if (digits === "") return null;
  if (!/^[0-9a-f]+$/i.test(digits)) return "Seed must be a hexadecimal number: digits from 0 to 9 and a to f, without 0x.";
  if (digits.length > 64) return `Seed can have 64 digits (256 bits) at most; this has ${digits.length}.`;
  return null;
}
