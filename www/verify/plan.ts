/** What of the user's files a receipt is verified with, and what is missing. Found by digest, not by name. */
import type { NamedBlob, PlacedBlob, VerifyJob } from "../receipt/protocol";
import { digestedText, sizeText } from "../receipt/text";
import type { InputFile, ReadReceipt } from "../receipt/types";

/** A file that the user added. */
export interface Material {
  /** As it was dropped: with its folders. */
  path: string;
  source: Blob;
  size: number;
  sha256: string;
  /** Of the binary, if it is a module. */
  module: { size: number; sha256: string } | null;
}

export interface Missing {
  /** `module`, `standard input`, `input file in.txt` and so on. */
  what: string;
  detail: string;
  /** What helps: a file that the user adds, or what they type. */
  by: "file" | "args" | "env" | "nothing";
}

/** What the user typed, for a receipt that has only the digest of it; the program's name comes first in `args`. */
export interface Typed {
  args: string[] | null;
  env: string[] | null;
}

export interface Plan {
  job: Pick<VerifyJob, "module" | "files" | "stdin" | "outputs" | "args" | "env">;
  missing: Missing[];
}

/** More missing files are not named one by one. */
const MANY = 20;

export function plan(receipt: ReadReceipt, materials: readonly Material[], typed: Typed): Plan {
  const missing: Missing[] = [];
  const byDigest = new Map(materials.map((material) => [material.sha256, material]));
  const { task, result } = receipt.receipt;
  const module = findModule(receipt, materials);
  if (!module) missing.push({ what: nameModule(receipt), detail: digestedText(task.module), by: "file" });
  const stdin = findStdin(receipt, byDigest, missing);
  for (const [by, what] of [["args", "arguments"], ["env", "environment"]] as const) {
    const { count } = task[by];
    if (count === "0" || receipt.given?.[by] !== undefined || typed[by] !== null) continue;
    missing.push({ what, detail: `${count}, of which the receipt has only the digest`, by });
  }
  const files = findFiles(receipt, materials, byDigest, missing);
  const outputs: PlacedBlob[] = [];
  for (const { path, sha256 } of result.files) {
    const found = sha256 === undefined ? undefined : byDigest.get(sha256);
    if (found) outputs.push({ path, source: found.source });
  }
  return { job: { module, files, stdin, outputs, ...typed }, missing };
}

function nameModule({ given }: ReadReceipt): string {
  return given?.module === undefined ? "module" : `module ${given.module}`;
}

function findModule(receipt: ReadReceipt, materials: readonly Material[]): NamedBlob | null {
  const wanted = receipt.receipt.task.module.sha256;
  const modules = materials.filter(({ module }) => module !== null);
  // The only one there is was meant: that it is another is what the verdict says then.
  const found = modules.find(({ module }) => module?.sha256 === wanted) ?? (modules.length === 1 ? modules[0] : undefined);
  return found ? { name: receipt.given?.module ?? lastPart(found.path), source: found.source } : null;
}

const lastPart = (path: string): string => path.split("/").at(-1) ?? path;

function findStdin(receipt: ReadReceipt, byDigest: Map<string, Material>, missing: Missing[]): Blob | null {
  const { stdin } = receipt.receipt.task;
  if (stdin.kind === "live") {
    if (receipt.given?.pushed === undefined) missing.push({ what: "typed input", detail: "what was typed does not stand beside the receipt", by: "nothing" });
    return null;
  }
  if (stdin.size === "0" || receipt.given?.stdin !== undefined) return null;
  const found = byDigest.get(stdin.sha256);
  if (!found) missing.push({ what: "standard input", detail: digestedText({ size: stdin.size ?? "0", sha256: stdin.sha256 }), by: "file" });
  return found?.source ?? null;
}

function findFiles(
  receipt: ReadReceipt,
  materials: readonly Material[],
  byDigest: Map<string, Material>,
  missing: Missing[],
): PlacedBlob[] {
  const { files: wanted, module } = receipt.receipt.task;
  if (wanted.count === "0") return [];
  if (receipt.listed) return findListed(receipt.given?.files ?? [], materials, byDigest, missing);
  // Without a list the files are taken as they were dropped.
  const rest = materials.filter((material) => material.module?.sha256 !== module.sha256);
  if (rest.length === 0) missing.push({ what: "input files", detail: `${wanted.count} paths with root ${wanted.root}`, by: "file" });
  return rest.map(({ path, source }) => ({ path, source }));
}

function findListed(list: InputFile[], materials: readonly Material[], byDigest: Map<string, Material>, missing: Missing[]): PlacedBlob[] {
  const placed: PlacedBlob[] = [];
  const lost: InputFile[] = [];
  for (const file of list) {
    if (file.type !== "file" || file.sha256 === undefined) continue;
    const at = (material: Material): boolean => material.path === file.path || material.path.endsWith(`/${file.path}`);
    // One at the same place with other bytes is a difference to tell, not a file that is missing.
    const found = byDigest.get(file.sha256) ?? (file.size === "0" ? EMPTY : materials.find(at));
    if (found) placed.push({ path: file.path, source: found.source });
    else lost.push(file);
  }
  for (const { path, size, sha256 } of lost.slice(0, MANY)) {
    missing.push({ what: `input file ${path}`, detail: digestedText({ size: size ?? "0", sha256: sha256 ?? "" }), by: "file" });
  }
  const more = lost.slice(MANY);
  const total = more.reduce((sum, { size }) => sum + Number(size ?? "0"), 0);
  if (more.length > 0) missing.push({ what: `${more.length} more input files`, detail: `${sizeText(String(total))} together`, by: "file" });
  return placed;
}

/** Nobody needs to bring an empty file. */
const EMPTY = { source: new Blob([]) };
