/**
 * The project that is open: saved by itself a moment after each change, and when the page is left.
 *
 * What nobody has changed is no project: a sample that was only looked at is not kept. The first change makes it one.
 */
import { clearProblem, showProblem } from "../alerts";
import { toProblem, UserError } from "../problem";
import { remember, remembered } from "../remembered";
import { Signal } from "../signal";
import type { TaskSetup, Workbench } from "../workbench";
import type { Named } from "./archive";
import { type ProjectEntry, Store } from "./store";

/** After a change. */
const SAVE_MS = 300;
/** The project of this tab, so that two tabs can have two. */
const TAB_KEY = "verirun-project";

export type SaveState = "unchanged" | "saving" | "saved" | "failed" | "unavailable";

interface Open {
  id: string;
  name: string;
  revision: number;
}

export class Projects {
  readonly changed = new Signal<void>();
  readonly #workbench: Workbench;
  #store: Store | null = null;
  #open: Open | null = null;
  #state: SaveState = "unchanged";
  #timer = 0;
  /** Saves come one after the other: the one that is under way. */
  #saving: Promise<void> | null = null;
  /** What was changed is not saved yet. */
  #dirty = false;
  /** Another tab has changed it: it is not saved until someone has decided. */
  #conflict = false;
  #problem = "";

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
    workbench.changed.on(() => this.#later());
    workbench.leaving.on(() => void this.leave());
    workbench.changing.on(() => {
      if (this.#store && !this.#conflict) this.#become("saving");
    });
    // The last chance before the page goes, or a phone puts it away.
    const last = (): void => {
      workbench.source.flush();
      if (this.#dirty) void this.save();
    };
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && last());
    window.addEventListener("pagehide", last);
  }

  /** Opens the storage, and the project that was open; tells whether there was one. */
  async start(): Promise<boolean> {
    try {
      this.#store = await Store.open();
    } catch (error) {
      this.#become("unavailable");
      this.#problem = toProblem(error).message;
      this.changed.emit();
      return false;
    }
    const id = tabProject() ?? remembered("project");
    return id !== null && (await this.open(id).catch(() => false));
  }

  /** Why nothing is kept, where that is so. */
  get problem(): string {
    return this.#problem;
  }

  get state(): SaveState {
    return this.#state;
  }

  get name(): string {
    return this.#open?.name ?? this.#workbench.title;
  }

  get current(): string | null {
    return this.#open?.id ?? null;
  }

  async list(): Promise<ProjectEntry[]> {
    return (await this.#store?.list()) ?? [];
  }

  /** Opens a stored project in place of this one; false if it is not there. */
  async open(id: string): Promise<boolean> {
    await this.leave();
    const found = await this.#store?.load(id);
    if (!found) return false;
    const { name, revision } = found.record;
    await this.#workbench.setTask(found.task);
    this.#attach({ id, name, revision });
    this.#become("saved");
    return true;
  }

  /** What is open is saved and let go; what comes next is another project. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const saved = this.#dirty ? this.save() : this.#saving;
    const left = this.#open;
    this.#attach(null);
    this.#dirty = false;
    this.#become(this.#store ? "unchanged" : "unavailable");
    await saved;
    if (left) this.changed.emit();
  }

  #attach(open: Open | null): void {
    this.#open = open;
    this.#conflict = false;
    clearProblem("project");
    setTabProject(open?.id ?? null);
    if (open) remember("project", open.id);
    this.changed.emit();
  }

  #become(state: SaveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.changed.emit();
  }

  #later(): void {
    if (!this.#store) return;
    this.#dirty = true;
    clearTimeout(this.#timer);
    if (!this.#conflict) this.#become("saving");
    this.#timer = window.setTimeout(() => void this.save(), SAVE_MS);
  }

  /** Saves what is on screen, now. */
  save(): Promise<void> {
    const store = this.#store;
    if (!store || this.#conflict) return Promise.resolve();
    clearTimeout(this.#timer);
    // As it is now: what is opened after this is another project.
    const task = this.#workbench.task;
    if (!this.#open) this.#attach({ id: crypto.randomUUID(), name: this.#workbench.title, revision: 0 });
    const open = this.#open;
    if (!open) return Promise.resolve();
    this.#dirty = false;
    // At once if it can be: there may be no later.
    const saving = this.#saving ? this.#saving.then(() => this.#save(store, open, task)) : this.#save(store, open, task);
    this.#saving = saving;
    return saving.finally(() => {
      if (this.#saving === saving) this.#saving = null;
    });
  }

  async #save(store: Store, open: Open, task: TaskSetup): Promise<void> {
    try {
      open.revision = await store.save(open, task);
      if (this.#open !== open) return;
      clearProblem("project");
      if (!this.#dirty) this.#become("saved");
      this.changed.emit();
    } catch (error) {
      if (this.#open !== open) {
        showProblem("project", error);
        return;
      }
      this.#dirty = true;
      this.#become("failed");
      if (error instanceof UserError && error.code === "project-changed") this.#offerChoice(error, open);
      else showProblem("project", error);
    }
  }

  #offerChoice(error: UserError, open: Open): void {
    this.#conflict = true;
    showProblem("project", error, [
      { label: "Keep mine as a copy", act: () => void this.#keepAsCopy(open) },
      {
        label: "Load the other",
        act: () => {
          this.#dirty = false;
          void this.open(open.id);
        },
      },
    ]);
  }

  async #keepAsCopy(open: Open): Promise<void> {
    this.#attach({ id: crypto.randomUUID(), name: `${open.name} (copy)`, revision: 0 });
    await this.save();
  }

  async rename(id: string, name: string): Promise<void> {
    const open = this.#open;
    if (open?.id === id) {
      open.name = name;
      await this.save();
    } else {
      await this.#store?.rename(id, name);
    }
    this.changed.emit();
  }

  async duplicate(id: string): Promise<void> {
    const found = await this.#store?.load(id);
    if (found) await this.#add({ name: `${found.record.name} (copy)`, task: copied(found.task) });
  }

  /** Undone by `restore`, until the page is loaded again. */
  async remove(id: string): Promise<void> {
    if (this.#open?.id === id) {
      await this.leave();
      remember("project", null);
    }
    await this.#store?.setDeleted(id, true);
    this.changed.emit();
  }

  async restore(id: string): Promise<void> {
    await this.#store?.setDeleted(id, false);
    this.changed.emit();
  }

  async exportAll(): Promise<Blob> {
    if (this.#dirty) await this.save();
    const all: Named[] = [];
    for (const { id } of await this.list()) {
      const found = await this.#store?.load(id);
      if (found) all.push({ name: found.record.name, task: found.task });
    }
    const { exportProjects } = await import("./archive");
    return exportProjects(all);
  }

  /** Tells how many there were. */
  async import(file: Blob): Promise<number> {
    const { importProjects } = await import("./archive");
    const imported = await importProjects(file);
    for (const project of imported) await this.#add(project);
    return imported.length;
  }

  async #add({ name, task }: Named): Promise<void> {
    await this.#store?.save({ id: crypto.randomUUID(), name, revision: 0 }, task);
    this.changed.emit();
  }
}

/** With files of its own: two projects that share one would lose it together. */
function copied(task: TaskSetup): TaskSetup {
  const copy = (blob: Blob): Blob => blob.slice(0, blob.size, blob.type);
  const { program, items, fields } = task;
  return {
    ...task,
    program: program && { ...program, source: copy(program.source) },
    items: items.map((item) => (item.kind === "directory" ? item : { ...item, source: copy(item.source) })),
    fields: { ...fields, stdinFile: fields.stdinFile && { ...fields.stdinFile, source: copy(fields.stdinFile.source) } },
  };
}

function tabProject(): string | null {
  try {
    return sessionStorage.getItem(TAB_KEY);
  } catch {
    return null;
  }
}

function setTabProject(id: string | null): void {
  try {
    if (id === null) sessionStorage.removeItem(TAB_KEY);
    else sessionStorage.setItem(TAB_KEY, id);
  } catch {
    // Then the next visit of this tab opens the latest project of all tabs.
  }
}
