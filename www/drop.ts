/** Turns what was dropped or picked into files with paths; folders are walked. */
import { taskOfFolder, type TaskFiles, zipMayBeTask } from "./functiontask";
import type { InputItem } from "./inputs";
import { archiveFormat, cleanPath } from "./inputs";

export interface Dropped {
  items: InputItem[];
  /** Programs lying at the top, not inside a dropped folder. */
  programs: File[];
  /** All that was dropped is the folder of a function task, or a zip that looks like one. */
  task: TaskFiles | File | null;
}

export function isProgram(name: string): boolean {
  return /\.(wasm|wat|wast)$/i.test(name);
}

/** Must be called within the drop event: the browser empties the transfer afterwards. */
export function readDrop(transfer: DataTransfer): Promise<Dropped> {
  const sources = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry() ?? item.getAsFile());
  return collect(sources.filter((source) => source !== null));
}

async function collect(sources: (FileSystemEntry | File)[]): Promise<Dropped> {
  const dropped: Dropped = { items: [], programs: [], task: null };
  for (const source of sources) {
    if (source instanceof File) place(dropped, source, source.name);
    else if (isFile(source)) place(dropped, await fileOf(source), source.name);
    else await walk(source as FileSystemDirectoryEntry, dropped.items);
  }
  const [only, ...others] = sources;
  if (only && others.length === 0) dropped.task = await taskOf(only, dropped);
  return dropped;
}

async function taskOf(source: FileSystemEntry | File, dropped: Dropped): Promise<TaskFiles | File | null> {
  if (!(source instanceof File) && source.isDirectory) return taskOfFolder(cleanPath(source.name), dropped.items);
  const item = dropped.items[0];
  return item?.kind === "file" && item.source instanceof File ? taskZip(item.source) : null;
}

async function taskZip(file: File): Promise<File | null> {
  return archiveFormat(file.name) === "zip" && (await zipMayBeTask(file)) ? file : null;
}

/** What was chosen as the program and does not look like one by its name. */
export async function readChosen(file: File): Promise<Dropped> {
  return { items: readPicked([file]), programs: [], task: await taskZip(file) };
}

/** What a file or folder picker gave. */
export function readPicked(files: Iterable<File>): InputItem[] {
  return [...files].map((file) => asItem(file, file.webkitRelativePath || file.name));
}

function place(dropped: Dropped, file: File, path: string): void {
  if (isProgram(file.name)) dropped.programs.push(file);
  else dropped.items.push(asItem(file, path));
}

function asItem(source: File, path: string): InputItem {
  return { kind: "file", path: cleanPath(path), source };
}

async function walk(directory: FileSystemDirectoryEntry, items: InputItem[]): Promise<void> {
  const entries = await listAll(directory);
  if (entries.length === 0) items.push({ kind: "directory", path: cleanPath(directory.fullPath) });
  for (const entry of entries) {
    if (isFile(entry)) items.push(asItem(await fileOf(entry), entry.fullPath));
    else await walk(entry as FileSystemDirectoryEntry, items);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** Browsers hand out a hundred entries a call, and an empty list at the end. */
async function listAll(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
