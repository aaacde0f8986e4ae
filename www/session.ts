/**
 * Keeps the worker's task equal to what the user has set up.
 *
 * The page holds the truth; `sync` tells the worker the difference, or everything again after it was
 * replaced. Syncs queue up behind one another, and each works from the newest state.
 */
import type { Client } from "./client";
import type { ModuleInfo } from "./face";
import type { InputItem } from "./inputs";
import { FAILED, UserError } from "./problem";

/** Whether it may be another time's luck: then nothing is wrong with what was refused. */
export const passing = (code: string): boolean => [FAILED, "runtime-missing", "version-mixed", "run-gone", "cancelled"].includes(code);

export interface Program {
  /** The file's name, which the program also sees as its own. */
  name: string;
  source: Blob;
}

export interface SessionEvents {
  programLoaded(program: Program, info: ModuleInfo): void;
  programRefused(program: Program, error: UserError): void;
  itemPlaced(item: InputItem, entries: number | null): void;
  itemRefused(item: InputItem, error: UserError): void;
  /** Bytes of input files on their way to the worker. */
  copying(item: InputItem, done: number, total: number): void;
}

/** All directories above `path`. */
function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** Every directory that must exist for `items`. */
function directories(items: Iterable<InputItem>): Set<string> {
  const all = new Set<string>();
  for (const item of items) {
    for (const parent of parents(item.path)) all.add(parent);
    if (item.kind === "directory") all.add(item.path);
  }
  return all;
}

export class Session {
  program: Program | null = null;
  items: readonly InputItem[] = [];
  readonly #client: Client;
  readonly #events: SessionEvents;
  #generation = 0;
  /** How often what was queued was given up. */
  #abandoned = 0;
  #loaded: Program | null = null;
  #loadError: { program: Program; error: UserError } | null = null;
  #placed = new Set<InputItem>();
  #refused = new Map<InputItem, UserError>();
  #queue: Promise<void> = Promise.resolve();

  constructor(client: Client, events: SessionEvents) {
    this.#client = client;
    this.#events = events;
  }

  /** Brings the worker up to date; throws the first problem that would keep the task from starting. */
  sync(): Promise<void> {
    const given = this.#abandoned;
    const next = this.#queue.then(() => {
      if (given !== this.#abandoned) {
        const error = new UserError({ code: "cancelled", message: "It was cancelled before it began.", hint: "Run it again." });
        // Nothing else will say of this program that nobody waits for it; what was under way may have been another.
        const known = this.program === this.#loaded || this.program === this.#loadError?.program;
        if (this.program && !known) this.#events.programRefused(this.program, error);
        throw error;
      }
      return this.#sync();
    });
    this.#queue = next.catch(() => {});
    return next;
  }

  /** Nothing that is still to be done is wanted any more; what is under way ends by itself. */
  abandon(): void {
    this.#abandoned += 1;
  }

  /** Waits until nothing is under way; problems were reported to the events. */
  settled(): Promise<void> {
    return this.#queue;
  }

  async #sync(): Promise<void> {
    if (this.#generation !== this.#client.generation) {
      this.#generation = this.#client.generation;
      this.#forget();
    }
    await this.#syncItems();
    await this.#syncProgram();
  }

  #forget(): void {
    this.#loaded = null;
    this.#loadError = null;
    this.#placed.clear();
    this.#refused.clear();
  }

  async #syncProgram(): Promise<void> {
    const program = this.program;
    if (!program) {
      throw new UserError({
        code: "no-program",
        message: "There is no program yet.",
        hint: "Choose a sample, or drop a .wasm or .wat file anywhere on this page.",
      });
    }
    if (this.#loaded === program) return;
    if (this.#loadError?.program === program) throw this.#loadError.error;
    this.#loaded = null;
    try {
      const info = await this.#client.request({ type: "load-module", name: program.name, source: program.source });
      this.#loaded = program;
      this.#events.programLoaded(program, info);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // The runtime's own failure says nothing about the program, so it is worth another try.
      if (!passing(error.code)) this.#loadError = { program, error };
      this.#events.programRefused(program, error);
      throw error;
    }
  }

  async #syncItems(): Promise<void> {
    const wanted = this.items;
    await this.#removeAllBut(new Set(wanted));
    for (const item of wanted) {
      const earlier = this.#refused.get(item);
      if (earlier) throw earlier;
      if (this.#placed.has(item)) continue;
      try {
        const entries = await this.#place(item);
        this.#placed.add(item);
        this.#events.itemPlaced(item, entries);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (!passing(error.code)) this.#refused.set(item, error);
        this.#events.itemRefused(item, error);
        throw error;
      }
    }
  }

  async #removeAllBut(wanted: Set<InputItem>): Promise<void> {
    for (const item of this.#refused.keys()) if (!wanted.has(item)) this.#refused.delete(item);
    const gone = [...this.#placed].filter((item) => !wanted.has(item));
    if (gone.length === 0) return;
    if ([...this.#placed].some((item) => item.kind === "archive")) {
      // What an archive laid over other files cannot be taken away again: start over.
      this.#forget();
      await this.#client.request({ type: "reset" });
      return;
    }
    const before = directories(this.#placed);
    for (const item of gone) {
      if (item.kind !== "directory") await this.#client.request({ type: "remove", path: item.path });
      this.#placed.delete(item);
    }
    const after = directories(this.#placed);
    const empty = [...before].filter((path) => !after.has(path)).sort((a, b) => b.length - a.length);
    for (const path of empty) await this.#client.request({ type: "remove", path });
  }

  async #place(item: InputItem): Promise<number | null> {
    switch (item.kind) {
      case "directory":
        await this.#client.request({ type: "put-directory", path: item.path });
        return null;
      case "archive":
        return this.#client.request({
          type: "mount",
          format: item.format,
          path: item.path,
          source: item.source,
          readOnly: item.readOnly ?? false,
        });
      case "file":
        await this.#client.request({ type: "put-file", path: item.path, source: item.source }, (done, total) =>
          this.#events.copying(item, done, total),
        );
        return null;
    }
  }
}
