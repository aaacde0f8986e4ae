/** The limit fields: which there are, and what may stand in them. */
import type { Limits } from "./face";

export interface LimitField {
  key: keyof Limits;
  label: string;
  unit: string;
  about: string;
  /** What holds when the field is empty; for show. */
  preset: string;
  max: bigint;
}

const U64 = 2n ** 64n - 1n;

export const LIMIT_FIELDS: readonly LimitField[] = [
  { key: "gas", label: "Gas", unit: "steps", about: "How long the program may compute.", preset: "1099511627776", max: U64 },
  { key: "call", label: "Call depth", unit: "nested calls", about: "How deep functions may call each other.", preset: "65536", max: U64 },
  { key: "frame", label: "Frame", unit: "bytes of value stack", about: "How much the calls may hold together.", preset: "524288", max: U64 },
  { key: "memory", label: "Memory", unit: "pages of 64 KiB", about: "How far the memory may grow.", preset: "2048", max: 65536n },
  { key: "outputBytes", label: "Output", unit: "bytes of stdout and stderr", about: "How much the program may print.", preset: "", max: U64 },
  { key: "fileBytes", label: "Files", unit: "bytes of all files", about: "How much its files may hold.", preset: "", max: U64 },
];

/** The problem with what stands in a limit field, or null. Underscores and spaces may group digits. */
export function checkLimit(field: LimitField, text: string): string | null {
  const digits = text.replaceAll(/[\s_]/g, "");
  if (digits === "") return null;
  if (!/^\d+$/.test(digits)) return `${field.label} must be a whole number, in digits.`;
  if (BigInt(digits) > field.max) return `${field.label} can be at most ${field.max}.`;
  return null;
}

/** The limits that were filled in. */
export function readLimits(values: ReadonlyMap<keyof Limits, string>): Limits {
  const limits: Limits = {};
  for (const { key } of LIMIT_FIELDS) {
    const digits = (values.get(key) ?? "").replaceAll(/[\s_]/g, "");
    if (digits !== "") limits[key] = BigInt(digits).toString();
  }
  return limits;
}
