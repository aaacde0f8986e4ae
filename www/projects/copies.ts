/** Copies of projects. */
import type { TaskSetup } from "../workbench";
import type { Open } from "./unsaved";

/** A new project beside this one. */
export const copyOf = ({ name }: Open): Open => ({ id: crypto.randomUUID(), name: `${name} (copy)`, revision: 0 });

/** With files of its own, so that this tab still knows which of the first one's are stored. */
export function copied(task: TaskSetup): TaskSetup {
  const copy = (blob: Blob): Blob => blob.slice(0, blob.size, blob.type);
  const { program, items, fields } = task;
  return {
    ...task,
    program: program && { ...program, source: copy(program.source) },
    items: items.map((item) => (item.kind === "directory" ? item : { ...item, source: copy(item.source) })),
    fields: { ...fields, stdinFile: fields.stdinFile && { ...fields.stdinFile, source: copy(fields.stdinFile.source) } },
  };
}
