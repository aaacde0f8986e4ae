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

const NAME = "verirun";
const PROJECTS = "projects";
const FILES = "files";

export interface ProjectRecord {
  id: string;
  name: string;
  /** Milliseconds since 1970. */
  updated: number;
  /** Grows with each save: a tab that saves on top of an older one would undo another tab's work. */
  revision: number;
  task: Packed;
  /** It is kept for Undo until the page is loaded again. */
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
  /** Files that are stored, by what the page holds of them. */
  readonly #keys = new WeakMap<Blob, string>();

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
      };
      const store = new Store(await done(opening));
      await store.#purge();
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
      this.#keys.set(blob, key);
      return blob;
    });
    return { record, task };
  }

  /**
   * Saves a project that was last seen at `revision` (0: it is new); returns the new one. Throws `project-changed` if
   * another tab has saved it meanwhile, and `storage-full` if there is no room; then nothing has changed.
   */
  async save(project: { id: string; name: string; revision: number }, task: TaskSetup): Promise<number> {
    const fresh = new Map<string, Blob>();
    const packed = pack(task, (blob) => {
      const key = this.#keys.get(blob) ?? crypto.randomUUID();
      if (!this.#keys.has(blob)) fresh.set(key, blob);
      return key;
    });
    const revision = project.revision + 1;
    const record: ProjectRecord = { id: project.id, name: project.name, updated: Date.now(), revision, task: packed };
    await this.#write(async (projects, files) => {
      const before = await done<ProjectRecord | undefined>(projects.get(project.id));
      if ((before?.revision ?? 0) !== project.revision) throw changed(project.name);
      for (const [key, blob] of fresh) files.put(blob, key);
      for (const key of before?.task.files ?? []) if (!packed.files.includes(key)) files.delete(key);
      projects.put(record);
    });
    for (const [key, blob] of fresh) this.#keys.set(blob, key);
    return revision;
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#change(id, (record) => ({ ...record, name, revision: record.revision + 1 }));
  }

  /** Its files stay until the next visit, so that it can be brought back. */
  async setDeleted(id: string, deleted: boolean): Promise<void> {
    await this.#change(id, ({ deleted: _, ...record }) => (deleted ? { ...record, deleted } : record));
  }

  async revision(id: string): Promise<number> {
    const record = await done<ProjectRecord | undefined>(this.#read(PROJECTS).get(id));
    return record && !record.deleted ? record.revision : 0;
  }

  async #change(id: string, change: (record: ProjectRecord) => ProjectRecord): Promise<void> {
    await this.#write(async (projects) => {
      const record = await done<ProjectRecord | undefined>(projects.get(id));
      if (record) projects.put(change(record));
    });
  }

  /** Removes what was deleted in an earlier visit. */
  async #purge(): Promise<void> {
    await this.#write(async (projects, files) => {
      for (const record of await done<ProjectRecord[]>(projects.getAll())) {
        if (!record.deleted) continue;
        for (const key of record.task.files) files.delete(key);
        projects.delete(record.id);
      }
    });
  }

  #read(name: string): IDBObjectStore {
    return this.#db.transaction(name).objectStore(name);
  }

  async #write(work: (projects: IDBObjectStore, files: IDBObjectStore) => Promise<void>): Promise<void> {
    // `strict`: told to be saved only when it is on the disk.
    const transaction = this.#db.transaction([PROJECTS, FILES], "readwrite", { durability: "strict" });
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the browser gave it up"));
    });
    ended.catch(() => {}); // `work` may have a better reason
    try {
      await work(transaction.objectStore(PROJECTS), transaction.objectStore(FILES));
    } catch (error) {
      try {
        transaction.abort();
      } catch {
        // It was over already.
      }
      throw storageProblem(error);
    }
    await ended.catch((error: unknown) => {
      throw storageProblem(error);
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's storage failed"));
  });
}

function changed(name: string): UserError {
  return new UserError({
    code: "project-changed",
    message: `“${name}” was changed in another tab.`,
    hint: "What is on screen here was not saved over it.",
  });
}

function storageProblem(error: unknown): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof DOMException && error.name === "QuotaExceededError") {
    return new UserError({
      code: "storage-full",
      message: "The browser's storage for this site is full, so your latest changes are not saved.",
      hint: "They are still on screen. Delete a project, or take large input files out; saving is tried again at the next change. Export all takes everything out as a zip.",
    });
  }
  return new UserError({
    code: "storage-failed",
    message: `The browser could not save the project: ${error instanceof Error ? error.message : String(error)}`,
    hint: "What is on screen is not lost; saving is tried again at the next change. Download what you want to keep.",
  });
}
