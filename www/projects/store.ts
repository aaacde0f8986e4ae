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
/** Has a key for the latest revision of each project: adding one that is there fails, without anything to be read first. */
const REVISIONS = "revisions";

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
    this.#files.set(id, record.task.files);
    return { record, task };
  }

  /**
   * Saves a project that was last seen at `revision` (0: it is new); returns the new one. Throws `project-changed` if
   * another tab has saved it meanwhile, and `storage-full` if there is no room; then nothing has changed.
   *
   * Everything is asked for before this returns for the first time, and nothing waits for an answer: so it is saved
   * even if the page is left in that moment.
   */
  async save(project: { id: string; name: string; revision: number }, task: TaskSetup): Promise<number> {
    const { id, name } = project;
    const fresh = new Map<Blob, string>();
    const packed = pack(task, (blob) => {
      const key = this.#keys.get(blob) ?? fresh.get(blob) ?? crypto.randomUUID();
      if (!this.#keys.has(blob)) fresh.set(blob, key);
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
    await saved.catch((error: unknown) => {
      throw taken ? changed(name) : error;
    });
    for (const [blob, key] of fresh) this.#keys.set(blob, key);
    this.#files.set(id, packed.files);
    return revision;
  }

  async rename(id: string, name: string): Promise<void> {
    const found = await this.load(id);
    if (found) await this.save({ id, name, revision: found.record.revision }, found.task);
  }

  /** Its files stay until the next visit, so that it can be brought back. */
  async setDeleted(id: string, deleted: boolean): Promise<void> {
    const record = await done<ProjectRecord | undefined>(this.#read(PROJECTS).get(id));
    if (!record) return;
    const { deleted: _, ...rest } = record;
    await this.#write((projects) => {
      projects.put(deleted ? { ...rest, deleted } : rest);
    });
  }

  /** Removes what was deleted in an earlier visit. */
  async #purge(): Promise<void> {
    const records = await done<ProjectRecord[]>(this.#read(PROJECTS).getAll());
    const gone = records.filter(({ deleted }) => deleted);
    if (gone.length === 0) return;
    await this.#write((projects, files, revisions) => {
      for (const { id, revision, task } of gone) {
        for (const key of task.files) files.delete(key);
        revisions.delete(IDBKeyRange.bound([id], [id, revision]));
        projects.delete(id);
      }
    });
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
