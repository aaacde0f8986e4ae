/**
 * Projects that were left before they could be saved: kept in this tab until they are saved, or until the user gives
 * them up. Each has an alert that says so.
 */
import { clearProblem, showProblem } from "../alerts";
import { saveAs } from "../download";
import { toProblem } from "../problem";
import type { TaskSetup } from "../workbench";
import type { Named } from "./archive";

/** A project as a tab has it. */
export interface Open {
  id: string;
  name: string;
  /** The revision that was loaded or saved last; 0 if none was. */
  revision: number;
}

export interface Held {
  open: Open;
  task: TaskSetup;
  /** Milliseconds since 1970. */
  updated: number;
}

export interface UnsavedEvents {
  changed(): void;
  /** To have it on screen again. */
  back(id: string): void;
  again(id: string): void;
}

export class Unsaved {
  readonly #all = new Map<string, Held>();
  /** Those that were deleted, for Undo. */
  readonly #dropped = new Map<string, Held>();
  readonly #events: UnsavedEvents;

  constructor(events: UnsavedEvents) {
    this.#events = events;
  }

  get all(): readonly Held[] {
    return [...this.#all.values()];
  }

  get size(): number {
    return this.#all.size;
  }

  get(id: string): Held | undefined {
    return this.#all.get(id);
  }

  /** `error` is why it is not saved; without one that was said before. */
  hold(open: Open, task: TaskSetup, error: unknown): void {
    const { id, name } = open;
    this.#all.set(id, { open, task, updated: Date.now() });
    if (error !== null) {
      const { code, message } = toProblem(error);
      const problem = { code, message: `“${name}” is not saved. ${message}`, hint: "It is kept in this tab, and is in the list of projects, until you close the tab or discard it." };
      showProblem(topic(id), problem, [
        { label: "Go back to it", act: () => this.#events.back(id) },
        { label: "Save again", act: () => this.#events.again(id) },
        { label: "Export (.zip)", act: () => void exported(this.#all.get(id)) },
        { label: "Discard", act: () => this.drop(id) },
      ]);
    }
    this.#events.changed();
  }

  /** It is saved, on screen, or given up. */
  drop(id: string): Held | undefined {
    const held = this.#all.get(id);
    if (!held) return undefined;
    this.#all.delete(id);
    clearProblem(topic(id));
    this.#events.changed();
    return held;
  }

  /** Given up, but it can be brought back; tells whether it was here. */
  remove(id: string): boolean {
    const held = this.drop(id);
    if (held) this.#dropped.set(id, held);
    return held !== undefined;
  }

  /** Tells whether it was here. */
  restore(id: string): boolean {
    const held = this.#dropped.get(id);
    if (!held) return false;
    this.#dropped.delete(id);
    this.#all.set(id, held);
    this.#events.changed();
    return true;
  }
}

const topic = (id: string): string => `unsaved ${id}`;

async function exported(held: Held | undefined): Promise<void> {
  if (!held) return;
  try {
    const { exportProjects } = await import("./archive");
    const one: Named = { name: held.open.name, task: held.task };
    saveAs("verirun-project.zip", await exportProjects([one]));
  } catch (error) {
    showProblem("export", error);
  }
}
