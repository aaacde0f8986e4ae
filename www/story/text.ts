/** What was found, in sentences. */
import { grouped } from "../format";
import type { Finding, What } from "./types";

const hex = (value: number): string => `0x${(value >>> 0).toString(16).padStart(8, "0")}`;

/** `bit 0` or `bits 0, 3`: in which two words differ. */
export function bitsText(a: number, b: number): string {
  const bits = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (((a ^ b) >>> bit) & 1) === 1);
  return `${bits.length === 1 ? "bit" : "bits"} ${bits.join(", ")}`;
}

/** What differs first: what it is, and both values, the right one first. */
export function whatText(what: What): { title: string; values: [string, string] | null; note: string } {
  switch (what.kind) {
    case "memory": {
      const [right, wrong] = what.values;
      const others = what.bytes > 1 ? ` ${grouped(what.bytes)} bytes of memory differ by then.` : "";
      return { title: `the word of memory at address ${grouped(what.address)}`, values: [hex(right), hex(wrong)], note: `They differ in ${bitsText(right, wrong)}.${others}` };
    }
    case "memorySize":
      return { title: "the size of the memory", values: [`${grouped(what.values[0])} bytes`, `${grouped(what.values[1])} bytes`], note: "" };
    case "global":
      return { title: `${what.first ? "the upper half of " : ""}global ${what.global}`, values: what.values, note: "" };
    case "tableSize":
      return { title: `the size of table ${what.table}`, values: what.values, note: "" };
    case "call":
      return { title: "a call to the system", values: [JSON.stringify(what.values[0]), JSON.stringify(what.values[1])], note: "" };
    case "steps":
      return { title: "the number of steps", values: [grouped(what.values[0]), grouped(what.values[1])], note: "" };
    case "end":
      return { title: "how it ended", values: what.values, note: "" };
    case "output":
      return { title: what.fd === 1 ? "what was written to standard output" : "what was written to standard error", values: null, note: "" };
    case "files":
      return { title: "the files", values: null, note: "" };
    case "system":
      return { title: "descriptors, clock, random source or input", values: null, note: "" };
  }
}

export function placeText({ from, steps, function: index, functionName }: Finding): string {
  const where = functionName ? `in ${functionName}` : index === null ? "" : `in function ${index}`;
  return `after step ${grouped(from)} and before step ${grouped(steps[0])} ${where}`.trim();
}
