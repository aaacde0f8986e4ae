/** Truebit's function tasks on the page: a folder or zip with task.wasm (docs/tasks.md). */
import type { Client } from "./client";
import type { FileEntry, Limits, Outcome, TaskConfig } from "./face";
import type { InputItem } from "./inputs";
import type { Verdict } from "./outcome";
import type { Problem } from "./protocol";
import type { Program } from "./session";

const MODULE = "task.wasm";
const OUTPUT = "output.txt";

/** The files of a task that mean something, by name. */
export type TaskFiles = Map<string, Blob>;

const NAMES = [MODULE, "config.json", "input.txt", "fs.tar"];

/** The task in a dropped folder, if it is one. */
export function taskOfFolder(folder: string, items: readonly InputItem[]): TaskFiles | null {
  const files: TaskFiles = new Map();
  for (const item of items) {
    const name = item.path.slice(folder.length + 1);
    if (item.kind === "file" && item.path.startsWith(`${folder}/`) && NAMES.includes(name)) files.set(name, item.source);
  }
  return files.has(MODULE) ? files : null;
}

/** A zip lists its names at its end; one without this name there is no task, and need not be unpacked to know. */
export async function zipMayBeTask(zip: Blob): Promise<boolean> {
  const tail = await zip.slice(Math.max(0, zip.size - 1024 * 1024)).arrayBuffer();
  return new TextDecoder("latin1").decode(tail).includes(MODULE);
}

/** A task as the page sets it up. */
export interface FunctionTask {
  program: Program;
  items: InputItem[];
  limits: Limits;
  /** What may keep it from running as meant. */
  problem: Problem | null;
}

/** Reads a task from its files, or from a zip that may hold one. */
export async function loadTask(client: Client, from: TaskFiles | File): Promise<FunctionTask> {
  const files = from instanceof File ? await unzip(client, from) : from;
  const config = files.get("config.json");
  return setUpTask(files, config ? await client.request({ type: "read-config", source: config }) : null);
}

async function unzip(client: Client, zip: File): Promise<TaskFiles> {
  const files = await client.request({ type: "read-task-zip", source: zip });
  return new Map(files.map(({ name, bytes }) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]));
}

function setUpTask(files: TaskFiles, config: TaskConfig | null): FunctionTask {
  const limits: Limits = {};
  for (const [key, value] of Object.entries(config?.limits ?? {})) {
    if (value !== null) limits[key as keyof Limits] = value;
  }
  const items: InputItem[] = [];
  const archive = files.get("fs.tar");
  if (archive) items.push({ kind: "archive", path: "", name: "fs.tar", format: "tar", source: archive, readOnly: true });
  const input = files.get("input.txt");
  if (input) items.push({ kind: "file", path: "input.txt", source: input });
  const source = files.get(MODULE) ?? new Blob();
  return { program: { name: MODULE, source }, items, limits, problem: problemOf(input !== undefined, config?.warnings ?? []) };
}

function problemOf(hasInput: boolean, warnings: string[]): Problem | null {
  if (!hasInput) {
    return { code: "no-input", message: "The task has no input.txt.", hint: "Add one under Input files, or run it without if it needs none." };
  }
  return warnings.length > 0 ? { code: "config-warning", message: warnings.join(" "), hint: "The limits that it sets were taken." } : null;
}

/** What a function task's end means beyond the program's own: without output it failed. */
export function taskVerdict(outcome: Outcome, files: readonly FileEntry[]): Verdict | null {
  if (outcome.kind !== "exit" || outcome.code !== 0) return null;
  const output = files.find((entry) => entry.path === OUTPUT && entry.type === "file" && entry.change !== "removed");
  if (output && output.size > 0) return null;
  return {
    tone: "bad",
    headline: output ? "The task failed: output.txt is empty" : "The task failed: it wrote no output.txt",
    advice: "A function task's result is what it writes to output.txt. The program itself ended with exit code 0.",
  };
}
