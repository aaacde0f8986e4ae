/** The sample tasks that are published beside the page, and the runtimes that run texts in other languages. */
import { extension } from "./editor/languages";
import type { InputItem } from "./inputs";
import { cleanPath } from "./inputs";
import { UserError } from "./problem";

export interface Sample {
  id: string;
  title: string;
  description: string;
  language: string;
  /** This, `source` and the files' addresses are relative to the index. */
  module: string;
  /** What the module was made from, or a text that is run itself: the module, or one of the files. */
  source?: string;
  args?: string[];
  env: Record<string, string> | [string, string][];
  stdin: "live" | "none" | "text";
  stdinText?: string;
  files: { path: string; url: string }[];
  /** Of the module, in bytes. */
  size?: number;
  /** It is an interpreter, for programs whose names end like this. */
  runtimeFor?: string[];
  /** Where the interpreter looks for the program, and the program of a sample that it runs lies. */
  program?: string;
}

const INDEX = new URL("./tasks/index.json", document.baseURI);

/** All of them, the runtimes too. */
export async function listSamples(): Promise<Sample[]> {
  return JSON.parse(await (await get(INDEX)).text()) as Sample[];
}

/** A text that belongs to a sample. */
export interface SampleSource {
  name: string;
  text: string;
  /** What it is to the run: the module itself, the input file at this path, or neither. */
  runs: "module" | { path: string } | null;
}

export interface LoadedSample {
  program: { name: string; source: Blob };
  items: InputItem[];
  source: SampleSource | null;
}

/** Told how much of a module has come, in bytes. */
export type LoadProgress = (loaded: number, total: number | null) => void;

export async function loadSample(sample: Sample, progress?: LoadProgress): Promise<LoadedSample> {
  const [module, text, ...files] = await Promise.all([
    get(new URL(sample.module, INDEX), progress),
    sample.source === undefined ? null : get(new URL(sample.source, INDEX)),
    ...sample.files.map((file) => get(new URL(file.url, INDEX))),
  ]);
  return {
    // Each function task's module is called task.wasm.
    program: { name: fileName(sample.module).replace(/^task\.wasm$/, `${sample.id}.wasm`), source: module },
    items: files.map((file, index) => ({ kind: "file", path: cleanPath(sample.files[index]?.path ?? ""), source: file })),
    source: text && sample.source !== undefined ? { name: fileName(sample.source), text: await text.text(), runs: runs(sample) } : null,
  };
}

function runs(sample: Sample): SampleSource["runs"] {
  if (sample.source === sample.module) return "module";
  const file = sample.files.find(({ path, url }) => url === sample.source || (sample.program !== undefined && cleanPath(sample.program) === path));
  return file ? { path: cleanPath(file.path) } : null;
}

/** The runtime for a program of this name, if there is one. */
export function runtimeFor(samples: readonly Sample[], name: string): Sample | undefined {
  return samples.find((sample) => sample.runtimeFor?.includes(extension(name)));
}

/** Modules that were loaded: going back and forth between samples loads nothing again. */
const loaded = new Map<string, Promise<Blob>>();

export function get(url: URL, progress?: LoadProgress): Promise<Blob> {
  const known = loaded.get(url.href);
  if (known) return known;
  const loading = download(url, progress);
  if (progress) {
    loaded.set(url.href, loading);
    loading.catch(() => loaded.delete(url.href));
  }
  return loading;
}

async function download(url: URL, progress?: LoadProgress): Promise<Blob> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    if (!progress || !response.body) return await response.blob();
    // With compression the length is not that of what comes.
    const length = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length"));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let count = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return new Blob(parts);
      parts.push(value);
      count += value.length;
      progress(count, length > 0 ? length : null);
    }
  } catch (error) {
    throw new UserError({
      code: "sample-missing",
      message: `A sample could not be loaded: ${url.pathname.split("/").slice(-2).join("/")}: ${String(error)}`,
      hint: "Check your connection, or open a program of your own.",
    });
  }
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
