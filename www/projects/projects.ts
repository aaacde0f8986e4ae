/**
 * The project that is open: saved by itself a moment after each change, and when the page is left.
 *
 * What nobody has changed is no project: a sample that was only looked at is not kept. The first change makes it one.
 * What could not be saved is never dropped without the user's word: see `unsaved.ts`.
 */
import { clearProblem, showProblem } from "../alerts";
import { toProblem, UserError } from "../problem";
import { remember, remembered } from "../remembered";
import { Signal } from "../signal";
import type { TaskSetup, Workbench } from "../workbench";
import type { Named } from "./archive";
import { copied, copyOf } from "./copies";
import { guardPage } from "./guard";
import { isConflict, type ProjectEntry, Store } from "./store";
import { setTabProject, tabProject } from "./tab";
import { type Open, Unsaved } from "./unsaved";
import { use } from "./use";

/** After a change. */
const SAVE_MS = 300;

export type SaveState = "unchanged" | "saving" | "saved" | "failed" | "unavailable";

/** What the list of projects shows. */
export interface Listed extends ProjectEntry {
  /** It is in this tab alone. */
  unsaved: boolean;
}

export class Projects {
  readonly changed = new Signal<void>();
  readonly #workbench: Workbench;
  readonly #unsaved: Unsaved;
  #store: Store | null = null;
  #open: Open | null = null;
  /** Says to other tabs that it is open. */
  #release: () => void = () => {};
  #state: SaveState = "unchanged";
  #timer = 0;
  /** Saves come one after the other: the one that is under way. */
  #saving: Promise<void> | null = null;
  /** What was changed is not saved yet. */
  #dirty = false;
  /** The last try to save it failed. */
  #failed = false;
  /** Another tab has changed it: it is not saved until someone has decided. */
  #conflict: UserError | null = null;
  /** The latest wish to open a project wins. */
  #opening = 0;
  /** What was deleted and can be brought back; each is held, so that no other tab removes it for good. */
  readonly #deleted = new Map<string, () => void>();
  #problem = "";

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
    this.#unsaved = new Unsaved({
      changed: () => this.changed.emit(),
      back: (id) => void this.open(id).catch((error: unknown) => showProblem("project", error)),
      again: (id) => void this.#again(id),
    });
    workbench.changed.on(() => this.#later());
    workbench.leaving.on(() => void this.leave());
    workbench.changing.on(() => {
      // A save that is under way now is not of this.
      this.#dirty = true;
      if (this.#store && !this.#conflict) this.#become("saving");
    });
    guardPage({
      changed: this.changed,
      atRisk: () => this.#atRisk,
      hidden: () => this.#hidden(),
      // Nobody can be asked any more.
      left: () => (this.#conflict && this.#open ? void this.#keepAsCopy(this.#open) : this.#hidden()),
      save: async () => {
        this.#workbench.source.flush();
        await (this.#dirty ? this.save() : this.#saving);
      },
    });
  }

  #hidden(): void {
    this.#workbench.source.flush();
    if (this.#dirty) void this.save();
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
    const opened = id !== null && (await this.open(id).catch(() => false));
    // Someone was quicker than the storage.
    if (this.#dirty) this.#later();
    return opened;
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

  /** Something would be lost with the page. */
  get #atRisk(): boolean {
    return this.#unsaved.size > 0 || this.#conflict !== null || (this.#dirty && (this.#failed || this.#store === null));
  }

  async list(): Promise<Listed[]> {
    const held = this.#unsaved.all.map(({ open, updated }): Listed => ({ id: open.id, name: open.name, updated, unsaved: true }));
    const stored = (await this.#store?.list()) ?? [];
    return [...held, ...stored.filter(({ id }) => !this.#unsaved.get(id)).map((entry) => ({ ...entry, unsaved: false }))];
  }

  /** Opens a project in place of this one; false if something else was chosen meanwhile, or it could not be set up. */
  async open(id: string): Promise<boolean> {
    return id === this.#open?.id || this.#load(id);
  }

  async #load(id: string): Promise<boolean> {
    this.#opening += 1;
    const mine = this.#opening;
    const held = this.#unsaved.get(id);
    const found = held ?? (await this.#stored(id));
    if (mine !== this.#opening || !(await this.#workbench.setTask(found.task))) return false;
    this.#attach(found.open);
    if (!held) {
      this.#become("saved");
      return true;
    }
    this.#unsaved.drop(id);
    this.#dirty = true;
    await this.save();
    return true;
  }

  async #stored(id: string): Promise<{ open: Open; task: TaskSetup }> {
    const found = await this.#store?.load(id);
    if (!found) throw new UserError({ code: "project-gone", message: "This project is not there any more.", hint: "Another tab may have deleted it." });
    const { name, revision } = found.record;
    return { open: { id, name, revision }, task: found.task };
  }

  /** What is open is saved and let go; what comes next is another project. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const left = this.#open;
    const saved = this.#dirty ? this.#saveLeft() : this.#saving;
    this.#attach(null);
    this.#dirty = false;
    this.#become(this.#store ? "unchanged" : "unavailable");
    await saved;
    if (left) this.changed.emit();
  }

  /** Saves what is about to be left, in one way or another. */
  #saveLeft(): Promise<void> | null {
    const store = this.#store;
    const conflict = this.#conflict;
    const task = this.#workbench.task;
    const open = this.#open ?? { id: crypto.randomUUID(), name: this.name, revision: 0 };
    if (!store) this.#unsaved.hold(open, task, null);
    if (!store) return null;
    return conflict ? this.#queue(() => this.#rescue(store, open, task, conflict)) : this.save();
  }

  #attach(open: Open | null): void {
    this.#release();
    this.#release = open ? use(open.id) : () => {};
    this.#open = open;
    this.#conflict = null;
    this.#failed = false;
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
    this.#dirty = true;
    if (!this.#store) return;
    clearTimeout(this.#timer);
    if (!this.#conflict) this.#become("saving");
    this.#timer = window.setTimeout(() => void this.save(), SAVE_MS);
  }

  /** Saves what is on screen, now. */
  save(): Promise<void> {
    const store = this.#store;
    // Else it would be said to be saved while someone types.
    this.#workbench.source.flush();
    if (!store || this.#conflict) return Promise.resolve();
    clearTimeout(this.#timer);
    // As it is now: what is opened after this is another project.
    const task = this.#workbench.task;
    if (!this.#open) this.#attach({ id: crypto.randomUUID(), name: this.#workbench.title, revision: 0 });
    const open = this.#open;
    if (!open) return Promise.resolve();
    this.#dirty = false;
    return this.#queue(() => this.#save(store, open, task));
  }

  /** At once if it can be: there may be no later. */
  #queue(work: () => Promise<void>): Promise<void> {
    const saving = this.#saving ? this.#saving.then(work) : work();
    this.#saving = saving;
    return saving.finally(() => {
      if (this.#saving === saving) this.#saving = null;
    });
  }

  async #save(store: Store, open: Open, task: TaskSetup): Promise<void> {
    try {
      await this.#put(store, open, task);
      if (this.#open !== open) return;
      this.#failed = false;
      clearProblem("project");
      if (!this.#dirty) this.#become("saved");
      this.changed.emit();
    } catch (error) {
      if (this.#open !== open) return this.#rescue(store, open, task, error);
      this.#dirty = true;
      this.#failed = true;
      if (isConflict(error)) this.#offerChoice(error, open);
      else showProblem("project", error);
      this.#become("failed");
    }
  }

  async #put(store: Store, open: Open, task: TaskSetup): Promise<void> {
    try {
      open.revision = await store.save(open, task);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "storage-full" || this.#deleted.size === 0) throw error;
      // What was deleted takes the room.
      for (const release of this.#deleted.values()) release();
      this.#deleted.clear();
      await store.purge();
      open.revision = await store.save(open, task);
    }
    this.#unsaved.drop(open.id);
  }

  /** It is not on screen any more, and was not saved: it becomes a copy, or is kept here until it can be saved. */
  async #rescue(store: Store, open: Open, task: TaskSetup, error: unknown): Promise<void> {
    if (!isConflict(error)) {
      this.#unsaved.hold(open, task, error);
      return;
    }
    // The same object: a save of it that waits behind this one is of the copy too.
    const { name } = open;
    Object.assign(open, copyOf(open));
    try {
      await this.#put(store, open, task);
      const hint = "It is in the list of projects, beside what the other tab saved.";
      showProblem(`copied ${open.id}`, { code: "project-copied", message: `${error.message} Yours is kept as “${open.name}”.`, hint: error.code === "project-deleted" ? `It was called “${name}”.` : hint });
      this.changed.emit();
    } catch (again) {
      this.#unsaved.hold(open, task, again);
    }
  }

  #offerChoice(error: UserError, open: Open): void {
    this.#conflict = error;
    const keep = { label: "Keep mine as a copy", act: () => void this.#keepAsCopy(open) };
    const load = { label: "Discard mine, load the other", act: () => void this.#loadOther(open) };
    const discard = {
      label: "Discard mine",
      act: () => {
        this.#dirty = false;
        void this.leave();
      },
    };
    showProblem("project", error, [keep, error.code === "project-deleted" ? discard : load]);
  }

  async #loadOther({ id }: Open): Promise<void> {
    this.#dirty = false;
    await this.#load(id).catch((error: unknown) => showProblem("project", error));
  }

  async #keepAsCopy(open: Open): Promise<void> {
    this.#attach(copyOf(open));
    await this.save();
  }

  /** Tries again to save what was kept. */
  async #again(id: string): Promise<void> {
    const store = this.#store;
    const held = store && this.#unsaved.drop(id);
    if (!held) return;
    await this.#queue(() => this.#put(store, held.open, held.task).catch((error: unknown) => this.#rescue(store, held.open, held.task, error)));
    this.changed.emit();
  }

  async rename(id: string, name: string): Promise<void> {
    const open = this.#open;
    const held = this.#unsaved.get(id);
    if (open?.id === id) {
      open.name = name;
      await this.save();
    } else if (held) {
      held.open.name = name;
    } else {
      await this.#store?.rename(id, name);
    }
    this.changed.emit();
  }

  async duplicate(id: string): Promise<void> {
    const here = this.#unsavedHere().find(({ open }) => open.id === id);
    const { open, task } = here ?? (await this.#stored(id));
    await this.#add({ name: `${open.name} (copy)`, task: copied(task) });
  }

  /** Tells whether `restore` can undo it, until the page is loaded again. */
  async remove(id: string): Promise<boolean> {
    if (this.#open?.id === id) {
      await this.leave();
      remember("project", null);
    }
    const held = this.#unsaved.remove(id);
    const undo = (await this.#store?.remove(id)) ?? false;
    if (undo) this.#deleted.set(id, use(id));
    // There may be room now.
    if (this.#failed) await this.save();
    for (const { open } of this.#unsaved.all) await this.#again(open.id);
    this.changed.emit();
    return undo || held;
  }

  /** Tells whether it was still there. */
  async restore(id: string): Promise<boolean> {
    const held = this.#unsaved.restore(id);
    const stored = (await this.#store?.restore(id)) ?? false;
    this.#deleted.get(id)?.();
    this.#deleted.delete(id);
    this.changed.emit();
    return held || stored;
  }

  /** What is in this tab alone, as it is now. */
  #unsavedHere(): { open: Open; task: TaskSetup }[] {
    const { name } = this;
    const open = this.#conflict && this.#open ? copyOf(this.#open) : (this.#open ?? { id: "", name, revision: 0 });
    return [...this.#unsaved.all, ...(this.#dirty ? [{ open, task: this.#workbench.task }] : [])];
  }

  /** All of them, also what could not be saved. */
  async exportAll(): Promise<Blob> {
    this.#workbench.source.flush();
    if (this.#dirty) await this.save();
    const here = this.#unsavedHere();
    const all = here.map(({ open, task }): Named => ({ name: open.name, task }));
    for (const { id } of await this.list()) {
      if (!here.some(({ open }) => open.id === id)) all.push(await this.#stored(id).then(({ open, task }) => ({ name: open.name, task })));
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
    const open = { id: crypto.randomUUID(), name, revision: 0 };
    if (this.#store) await this.#store.save(open, task);
    else this.#unsaved.hold(open, task, null);
    this.changed.emit();
  }
}
