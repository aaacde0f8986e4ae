/** Projects in a zip: one folder each, with `project.json` and its files. The chunk that export and import load. */
import { strFromU8, strToU8, unzipSync, Zip, ZipDeflate } from "fflate";
import { UserError } from "../problem";
import type { TaskSetup } from "../workbench";
import { type Packed, pack, unpack } from "./record";

const FORMAT = "verirun-project";
const VERSION = 1;

interface Manifest {
  format: typeof FORMAT;
  version: typeof VERSION;
  name: string;
  task: Packed;
}

export interface Named {
  name: string;
  task: TaskSetup;
}

/** What is packed before the page may do something else. */
const AT_ONCE = 1024 * 1024;

/**
 * Packed here and in pieces: fflate's own way of not holding up the page needs workers from `blob:` addresses, which this
 * page's policy forbids.
 */
export async function exportProjects(projects: readonly Named[]): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let problem: Error | null = null;
  const archive = new Zip((error, data) => {
    problem ??= error;
    parts.push(data as Uint8Array<ArrayBuffer>);
  });
  const add = async (path: string, content: Blob): Promise<void> => {
    const entry = new ZipDeflate(path, { level: 6 });
    archive.add(entry);
    for (let at = 0; at < content.size; at += AT_ONCE) entry.push(new Uint8Array(await content.slice(at, at + AT_ONCE).arrayBuffer()));
    entry.push(new Uint8Array(), true);
  };
  const folders = new Set<string>();
  for (const { name, task } of projects) {
    const plain = name.replaceAll(/[^\p{L}\p{N} ._-]/gu, "_").trim() || "project";
    let folder = plain;
    for (let count = 2; folders.has(folder); count++) folder = `${plain} ${count}`;
    folders.add(folder);
    const blobs: Blob[] = [];
    // By number, not by path: a path may be anything, and a zip's reader need not bear that.
    const packed = pack(task, (blob) => `files/${blobs.push(blob)}`);
    const manifest: Manifest = { format: FORMAT, version: VERSION, name, task: packed };
    await add(`${folder}/project.json`, new Blob([strToU8(JSON.stringify(manifest, null, 2)) as Uint8Array<ArrayBuffer>]));
    for (const [index, blob] of blobs.entries()) await add(`${folder}/files/${index + 1}`, blob);
  }
  archive.end();
  if (problem) throw problem as Error;
  return new Blob(parts, { type: "application/zip" });
}

/** Throws `bad-export` for what is no such zip; nothing is imported then. */
export async function importProjects(file: Blob): Promise<Named[]> {
  const data = new Uint8Array(await file.arrayBuffer());
  const entries = unpackZip(data);
  const projects: Named[] = [];
  for (const [path, bytes] of Object.entries(entries)) {
    const folder = /^(.*)project\.json$/.exec(path)?.[1];
    if (folder === undefined) continue;
    const { name, task } = readManifest(path, bytes);
    const imported = await unpack(task, async (key) => {
      const content = entries[folder + key];
      if (!content) throw bad(`${folder}${key} is missing`);
      return new Blob([content as Uint8Array<ArrayBuffer>]);
    });
    projects.push({ name, task: imported });
  }
  if (projects.length === 0) throw bad("there is no project.json in it");
  return projects;
}

function unpackZip(data: Uint8Array): Record<string, Uint8Array> {
  try {
    return unzipSync(data);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
}

function readManifest(path: string, bytes: Uint8Array): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(strFromU8(bytes)) as Partial<Manifest>;
  } catch (error) {
    throw bad(`${path} is not JSON: ${String(error)}`);
  }
  const { format, version, name, task } = manifest;
  if (format !== FORMAT || version !== VERSION) throw bad(`${path} is not a project of version ${VERSION}`);
  if (typeof name !== "string" || !task || !Array.isArray(task.items) || typeof task.fields !== "object") throw bad(`${path} is not complete`);
  return { format, version, name, task };
}

function bad(why: string): UserError {
  return new UserError({
    code: "bad-export",
    message: `This is not a zip of exported projects: ${why}.`,
    hint: "Choose a zip that “Export all” made.",
  });
}
