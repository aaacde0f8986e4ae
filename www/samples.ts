/** The sample tasks that are published beside the page. */
import type { InputItem } from "./inputs";
import { cleanPath } from "./inputs";
import { UserError } from "./problem";

export interface Sample {
  id: string;
  title: string;
  description: string;
  language: string;
  /** This and the files' addresses are relative to the index. */
  module: string;
  /** What the module was made from, or the module itself where it is text. */
  source?: string;
  args: string[];
  env: Record<string, string> | [string, string][];
  stdin: "live" | "none" | "text";
  stdinText?: string;
  files: { path: string; url: string }[];
  /** Where a program in a scripting language lies among the files, if the module is what runs it. */
  program?: string;
}

/** What runs programs in a scripting language: a module that finds the program at `program`, which is its first argument. */
export interface Runtime extends Sample {
  program: string;
  /** The extensions of such programs. */
  runtimeFor: string[];
}

const INDEX = new URL("./tasks/index.json", document.baseURI);

export async function listSamples(): Promise<Sample[]> {
  return (await readIndex()).filter((entry) => !("runtimeFor" in entry));
}

export async function listRuntimes(): Promise<Runtime[]> {
  return (await readIndex()).filter((entry) => "runtimeFor" in entry) as Runtime[];
}

async function readIndex(): Promise<Sample[]> {
  return JSON.parse(await (await get(INDEX)).text()) as Sample[];
}

export interface LoadedSample {
  program: { name: string; source: Blob };
  items: InputItem[];
  /** `isProgram`: it is what runs; otherwise what that was compiled from. */
  source: { name: string; text: string; isProgram: boolean } | null;
}

export async function loadSample(sample: Sample): Promise<LoadedSample> {
  const [source, text, ...files] = await Promise.all([
    get(new URL(sample.module, INDEX)),
    sample.source === undefined ? null : get(new URL(sample.source, INDEX)),
    ...sample.files.map((file) => get(new URL(file.url, INDEX))),
  ]);
  // Each function task's module is called task.wasm.
  const name = fileName(sample.module).replace(/^task\.wasm$/, `${sample.id}.wasm`);
  return {
    program: { name, source },
    items: files.map((file, index) => ({ kind: "file", path: cleanPath(sample.files[index]?.path ?? ""), source: file })),
    source:
      text === null || sample.source === undefined
        ? null
        : { name: fileName(sample.source), text: await text.text(), isProgram: /\.wat$/i.test(sample.module) },
  };
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}

async function get(url: URL): Promise<Blob> {
  try {
    const response = await fetch(url);
    if (response.ok) return await response.blob();
    throw new Error(`the server answered ${response.status}`);
  } catch (error) {
    throw new UserError({
      code: "sample-missing",
      message: `A sample could not be loaded: ${url.pathname.split("/").slice(-2).join("/")}: ${String(error)}`,
      hint: "Check your connection, or open a program of your own.",
    });
  }
}
