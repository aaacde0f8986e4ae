/** Programs with all that is shown of them, read ahead: so they are put in place at once, or not at all. */
import { cleanPath, type InputItem } from "./inputs";
import { loadSample, type Sample } from "./samples";
import type { Program } from "./session";
import type { SourceText } from "./source";

/** Text modules up to this size are opened in the editor. */
const EDIT_MAX = 1024 * 1024;

export interface Ready {
  program: Program | null;
  /** The sample that it is. */
  sample: Sample | null;
  /** The sample's own input files. */
  items: readonly InputItem[];
  source: SourceText | null;
  /** The input file that is the program, to an interpreter. */
  script: string | null;
}

/** Told how much of a sample's module has come, in bytes. */
export type Progress = (sample: Sample, loaded: number, total: number | null) => void;

/** A program that is no sample: with its source, if it is text. */
export async function readProgram(program: Program | null): Promise<Ready> {
  const ready: Ready = { program, sample: null, items: [], source: null, script: null };
  if (!program || !/\.wast?$|\.wat$/i.test(program.name) || program.source.size > EDIT_MAX || (await isBinary(program.source))) return ready;
  return { ...ready, source: { name: program.name, text: await program.source.text(), readOnly: false, about: "The program" } };
}

/** A package keeps the name of a text that was assembled for it. */
async function isBinary(source: Blob): Promise<boolean> {
  const head = new Uint8Array(await source.slice(0, 4).arrayBuffer());
  return head[0] === 0 && String.fromCharCode(...head.subarray(1)) === "asm";
}

/** `items` are the input files it will have, if not its own: its text may be another one by now. */
export async function readSample(sample: Sample, progress: Progress, items?: readonly InputItem[]): Promise<Ready> {
  const loaded = await loadSample(sample, (done, total) => progress(sample, done, total));
  const { program, source } = loaded;
  const ready: Ready = { program, sample, items: loaded.items, source: null, script: null };
  if (!source) return ready;
  const { name, text, runs } = source;
  if (runs === null) return { ...ready, source: { name, text, readOnly: true, about: `What ${fileName(sample.module)} was compiled from` } };
  if (runs === "module") return { ...ready, source: { name, text, readOnly: false, about: "The program" } };
  const path = cleanPath(runs.path);
  const item = (items ?? loaded.items).find((one) => one.kind === "file" && one.path === path);
  const now = item?.kind === "file" ? await item.source.text() : text;
  return { ...ready, script: path, source: { name: path, text: now, readOnly: false, about: `The program, run by ${sample.title}` } };
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
