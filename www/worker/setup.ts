/** Brings modules and input files from the page's blobs into a task, in chunks. */
import type { ModuleInfo, Task } from "../face";
import type { ArchiveFormat } from "../inputs";

/** Large enough to be quick, small enough that a run going on beside it stays smooth. */
export const CHUNK = 2 * 1024 * 1024;

type Progress = (done: number, total: number) => void;

/** The whole blob; what is read once by the runtime anyway (modules, archives, stdin). */
export async function readAll(source: Blob): Promise<Uint8Array> {
  return new Uint8Array(await source.arrayBuffer());
}

/** Whether it begins as binary modules do; text does not. */
export async function isBinary(source: Blob): Promise<boolean> {
  return (await readAll(source.slice(0, 4))).join() === "0,97,115,109";
}

export async function loadModule(task: Task, name: string, source: Blob): Promise<ModuleInfo> {
  return task.loadModule(name, await readAll(source));
}

/** Streams a file in. A failed read leaves no half file behind. */
export async function putFile(task: Task, path: string, source: Blob, progress: Progress): Promise<void> {
  task.createFile(path);
  try {
    for (let offset = 0; offset < source.size; offset += CHUNK) {
      const chunk = await source.slice(offset, offset + CHUNK).arrayBuffer();
      task.appendFile(path, new Uint8Array(chunk));
      progress(Math.min(offset + CHUNK, source.size), source.size);
    }
  } catch (error) {
    task.remove(path);
    throw error;
  }
}

export async function mount(
  task: Task,
  format: ArchiveFormat,
  path: string,
  source: Blob,
  readOnly: boolean,
): Promise<number> {
  const bytes = await readAll(source);
  if (format === "vtask") return task.mountPackage(bytes);
  return format === "zip" ? task.mountZip(path, bytes) : task.mountTar(path, bytes, readOnly);
}
