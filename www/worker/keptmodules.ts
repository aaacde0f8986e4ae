/** Gives a task's instrumented module to the browser to keep, and takes it back at the next visit. */
import type { Task } from "../face";
import * as kept from "./kept";

export class KeptModules {
  /** What is kept already, or about to be. */
  readonly #names = new Set<string>();

  /** `build`: the digest of the runtime; another one may instrument in another way. */
  constructor(readonly build: string) {}

  /** Takes what was kept of the task's module. Returns the name for what is to be kept, if there will be something. */
  async restore(task: Task): Promise<string | null> {
    const name = task.keptAs();
    if (name === undefined) return null;
    if (task.isInstrumented()) return this.#names.has(name) ? null : name;
    const bytes = await kept.find(this.#place(name));
    if (!bytes) return name;
    try {
      task.takeKept(bytes);
      this.#names.add(name);
      return null;
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw error;
      await kept.drop(this.#place(name));
      return name;
    }
  }

  /** Keeps the task's instrumented module, if it is made by now. */
  keep(task: Task, name: string): void {
    const bytes = task.toKeep();
    if (!bytes) return;
    this.#names.add(name);
    void kept.keep(this.#place(name), bytes);
  }

  async clear(): Promise<void> {
    await kept.clear();
    this.#names.clear();
  }

  #place(name: string): string {
    return `${name}-${this.build}`;
  }
}
