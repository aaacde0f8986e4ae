/** A set-up as it is stored: everything but its files, which it names by key. No DOM. */
import type { ArchiveFormat, InputItem } from "../inputs";
import type { Fields } from "../setupform";
import type { TaskSetup } from "../workbench";

type Ref = { file: string };

type PackedItem =
  | { kind: "file"; path: string; source: Ref }
  | { kind: "directory"; path: string }
  | { kind: "archive"; path: string; name: string; format: ArchiveFormat; source: Ref; readOnly?: boolean };

export interface Packed {
  program: { name: string; source: Ref } | null;
  sample: string | null;
  items: PackedItem[];
  fields: Omit<Fields, "stdinFile"> & { stdinFile: { name: string; source: Ref } | null };
  /** The keys of all its files. */
  files: string[];
}

/** `keep` takes a file and tells its key. The module of a sample is not kept: it is published. */
export function pack(task: TaskSetup, keep: (blob: Blob) => string): Packed {
  const files: string[] = [];
  const ref = (blob: Blob): Ref => {
    const file = keep(blob);
    files.push(file);
    return { file };
  };
  const { program, sample, items, fields } = task;
  return {
    program: program && sample === null ? { name: program.name, source: ref(program.source) } : null,
    sample,
    items: items.map((item): PackedItem => (item.kind === "directory" ? item : { ...item, source: ref(item.source) })),
    fields: { ...fields, stdinFile: fields.stdinFile && { name: fields.stdinFile.name, source: ref(fields.stdinFile.source) } },
    files,
  };
}

export async function unpack(packed: Packed, file: (key: string) => Promise<Blob>): Promise<TaskSetup> {
  const items: InputItem[] = [];
  for (const item of packed.items) items.push(item.kind === "directory" ? item : { ...item, source: await file(item.source.file) });
  const { program, sample, fields } = packed;
  return {
    program: program && { name: program.name, source: await file(program.source.file) },
    sample,
    items,
    fields: { ...fields, stdinFile: fields.stdinFile && { name: fields.stdinFile.name, source: await file(fields.stdinFile.source.file) } },
  };
}
