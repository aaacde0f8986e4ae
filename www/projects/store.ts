/**
 * Projects in the browser's database (IndexedDB).
 *
 * A project's record names its files by key; the files lie beside it, each once. So saving after a key was pressed
 * writes the record and what has changed, however large the other files are. All of one save is one transaction: a
 * browser that dies in the middle leaves the project as it was before.
 */
import { UserError } from "../problem";
import type { TaskSetup } from "../workbench";
import { type Packed, pack, unpack } from "./record";
import { ifUnused } from "./use";

const NAME = "verirun";
const PROJECTS = "projects";
const FILES = "files";
/**
 * Has a key for each revision of each project: adding one that is there fails, without anything to be read first. They
 * outlive the project, since another tab may still have it open; a key is some tens of bytes.
 */
const REVISIONS = "revisions";

export interface ProjectRecord {
  id: string;
  name: string;
  /** Milliseconds since 1970. */
  updated: number;
  /** Grows with each save: a tab that saves on top of an older one would undo another tab's work. */
  revision: number;
  task: Packed;
  /** It is kept for Undo. */
  deleted?: boolean;
}

/** What a list of projects shows. */
export interface ProjectEntry {
  id: string;
  name: string;
  updated: number;
}

export class Store {
  readonly #db: IDBDatabase;
  /** Files that are stored, by what the page holds of them. Each project has its own: with a shared one, two would lose it together. */
  readonly #keys = new WeakMap<Blob, { id: string; key: string }>();
  /** The files of each project that was loaded or saved here. */
  readonly #files = new Map<string, readonly string[]>();

  private constructor(db: IDBDatabase) {
    this.#db = db;
    // Another tab has a newer version of this page: it must not have to wait for this one.
    db.onversionchange = () => db.close();
  }

  /** Throws `no-storage` where the browser does not let pages store anything. */
  static async open(): Promise<Store> {
    try {
      const opening = indexedDB.open(NAME, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore(PROJECTS, { keyPath: "id" });
        opening.result.createObjectStore(FILES);
        opening.result.createObjectStore(REVISIONS);
      };
      const store = new Store(await done(opening));
      await store.purge();
      return store;
    } catch (error) {
      throw new UserError({
        code: "no-storage",
        message: `This browser does not let the page keep projects: ${error instanceof Error ? error.message : String(error)}`,
        hint: "Everything works, but is gone when the page is closed. Private windows and strict settings do this; download what you want to keep.",
      });
    }
  }

  async list(): Promise<ProjectEntry[]> {
    const records = await done<ProjectRecord[]>(this.#read(PROJECTS).getAll());
    const entries = records.filter(({ deleted }) => !deleted).map(({ id, name, updated }) => ({ id, name, updated }));
    return entries.sort((a, b) => b.updated - a.updated);
  }

  async load(id: string): Promise<{ record: ProjectRecord; task: TaskSetup } | null> {
    const transaction = this.#db.transaction([PROJECTS, FILES]);
    const record = await done<ProjectRecord | undefined>(transaction.objectStore(PROJECTS).get(id));
    if (!record || record.deleted) return null;
    const files = transaction.objectStore(FILES);
    const task = await unpack(record.task, async (key) => {
      const blob = await done<Blob | undefined>(files.get(key));
      if (!blob) throw new UserError({ code: "file-gone", message: `A file of “${record.name}” is missing in the browser's storage.`, hint: "Add it again." });
      this.#keys.set(blob, { id, key });
      return blob;
    });
    this.#files.set(id, record.task.files);
    return { record, task };
  }

  /**
   * Saves a project that was last seen at `revision` (0: it is new); returns the new one. Throws `project-changed` or
   * `project-deleted` if another tab has done that meanwhile, and `storage-full` if there is no room; then nothing has
   * changed.
   *
   * Everything is asked for before this returns for the first time, and nothing waits for an answer: so it is saved
   * even if the page is left in that moment.
   */
  async save(project: { id: string; name: string; revision: number }, task: TaskSetup): Promise<number> {
    const { id, name } = project;
    const fresh = new Map<Blob, string>();
    const packed = pack(task, (blob) => {
      const stored = this.#keys.get(blob);
      if (stored?.id === id) return stored.key;
      const key = fresh.get(blob) ?? crypto.randomUUID();
      fresh.set(blob, key);
      return key;
    });
    const revision = project.revision + 1;
    const record: ProjectRecord = { id, name, updated: Date.now(), revision, task: packed };
    const before = this.#files.get(id) ?? [];
    let taken = false;
    const saved = this.#write((projects, files, revisions) => {
      revisions.add(record.updated, [id, revision]).onerror = (event) => {
        taken = (event.target as IDBRequest).error?.name === "ConstraintError";
      };
      for (const [blob, key] of fresh) files.put(blob, key);
      for (const key of before) if (!packed.files.includes(key)) files.delete(key);
      projects.put(record);
    });
    await saved.catch(async (error: unknown) => {
      throw taken ? await this.#conflict(id, name) : error;
    });
    for (const [blob, key] of fresh) this.#keys.set(blob, { id, key });
    this.#files.set(id, packed.files);
    return revision;
  }

  /** What another tab has done to a project. */
  async #conflict(id: string, name: string): Promise<UserError> {
    const record = await done<ProjectRecord | undefined>(this.#read(PROJECTS).get(id));
    const gone = !record || record.deleted === true;
    return new UserError({
      code: gone ? "project-deleted" : "project-changed",
      message: `“${name}” was ${gone ? "deleted" : "changed"} in another tab.`,
      hint: "What is on screen here was not saved over it.",
    });
  }

  async rename(id: string, name: string): Promise<void> {
    const found = await this.load(id);
    if (found) await this.save({ id, name, revision: found.record.revision }, found.task);
  }

  /**
   * Deletes a project. Its files stay until a later visit, so that it can be brought back: tells whether it can. It is a
   * change like any other: a tab that has the project open hears of it when it saves.
   */
  async remove(id: string): Promise<boolean> {
    try {
      return await this.#setDeleted(id, true);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "storage-full") throw error;
      // There is not even room for saying that it is deleted.
      const record = await done<ProjectRecord | undefined>(this.#read(PROJECTS).get(id));
      if (record && !(await ifUnused(id, () => this.#erase(record)))) throw error;
      return false;
    }
  }

  /** Brings it back; tells whether it was still there. */
  restore(id: string): Promise<boolean> {
    return this.#setDeleted(id, false);
  }

  async #setDeleted(id: string, deleted: boolean): Promise<boolean> {
    const record = await done<ProjectRecord | undefined>(this.#read(PROJECTS).get(id));
    if (!record) return false;
    const { deleted: _, ...rest } = record;
    const revision = record.revision + 1;
    await this.#write((projects, _files, revisions) => {
      revisions.add(Date.now(), [id, revision]);
      projects.put({ ...rest, revision, ...(deleted ? { deleted } : {}) });
    });
    return true;
  }

  async #erase({ id, task }: ProjectRecord): Promise<void> {
    await this.#write((projects, files) => {
      for (const key of task.files) files.delete(key);
      projects.delete(id);
    });
    // Asked how much room there is, Chromium counts again; else it goes by what it counted before.
    await (navigator as { storage?: StorageManager }).storage?.estimate().catch(() => null);
  }

  /** Removes what was deleted, unless a tab still has it open or can bring it back. */
  async purge(): Promise<void> {
    const records = await done<ProjectRecord[]>(this.#read(PROJECTS).getAll());
    for (const record of records) if (record.deleted) await ifUnused(record.id, () => this.#erase(record));
  }

  #read(name: string): IDBObjectStore {
    return this.#db.transaction(name).objectStore(name);
  }

  /** `work` asks for all there is to do, and waits for nothing. */
  #write(work: (projects: IDBObjectStore, files: IDBObjectStore, revisions: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        // `strict`: told to be saved only when it is on the disk.
        const transaction = this.#db.transaction([PROJECTS, FILES, REVISIONS], "readwrite", { durability: "strict" });
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(storageProblem(transaction.error ?? new Error("the browser gave it up")));
        const [projects, files, revisions] = [PROJECTS, FILES, REVISIONS].map((name) => transaction.objectStore(name));
        if (projects && files && revisions) work(projects, files, revisions);
        // Now, and not when the page comes to rest, for it may be gone by then.
        transaction.commit();
      } catch (error) {
        reject(storageProblem(error));
      }
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
  });
}

/** Another tab has changed or deleted the project. */
export function isConflict(error: unknown): error is UserError {
  return error instanceof UserError && (error.code === "project-changed" || error.code === "project-deleted");
}

function storageProblem(error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof DOMException && error.name === "QuotaExceededError") {
    return new UserError({
      code: "storage-full",
      message: "The browser's storage for this site is full, so your latest changes are not saved.",
      hint: "Nothing is lost as long as this tab is open. Delete a project, or take large input files out; saving is tried again at the next change. Export all takes everything out as a zip.",
    });
  }
  return new UserError({
    code: "storage-failed",
    message: `The browser could not save the project: ${error instanceof Error ? error.message : String(error)}`,
    hint: "What is on screen is not lost; saving is tried again at the next change. Download what you want to keep.",
  });
}
