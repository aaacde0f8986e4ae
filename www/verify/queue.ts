/** The receipts that are to be verified, and what came of each. */
import { toProblem } from "../problem";
import type { EngineChoice } from "../face";
import type { VerifyResult } from "../receipt/protocol";
import { get, put } from "../receipt/store";
import type { Manifest, ReadReceipt } from "../receipt/types";
import { type Material, type Missing, plan, type Typed } from "./plan";
import { isStopped, type Pool } from "./pool";
import type { Result } from "./results";

export interface Choices {
  engine: EngineChoice;
  maxSteps: string | null;
  /** Whether those that this browser verified before are run again. */
  again: boolean;
}

/** A receipt, alone or in a package that has all that it needs. */
export interface Item {
  /** The file's name, with its folders. */
  name: string;
  source: Blob;
  /** Of the file. */
  sha256: string | null;
  receipt: ReadReceipt | null;
  manifest: Manifest | null;
  missing: Missing[];
  typed: Typed;
  state: "reading" | "ready" | "running" | "done";
  /** From 0 to 1, while it runs. */
  progress: number;
  result: Result | null;
}

export interface QueueEvents {
  /** What is shown of this item has changed. */
  changed(item: Item): void;
}

/** What went wrong and what to do, as one text. */
function problemText(error: unknown): string {
  const { message, hint } = toProblem(error);
  return hint === "" ? message : `${message.replace(/\.$/, "")}. ${hint}`;
}

/** Kept of a receipt that was verified, under the digest of its file. */
interface Kept {
  id: string;
}

/** A package has all that it needs. */
const COMPLETE = { module: null, files: [], stdin: null, outputs: [], args: null, env: null };

export class VerifyQueue {
  readonly items: Item[] = [];
  readonly materials: Material[] = [];
  readonly #pool: Pool;
  readonly #events: QueueEvents;
  #stopping = false;
  #working = 0;
  /** Files that are being read and digested. */
  readonly #reads = new Set<Promise<unknown>>();
  #storeFails = false;

  constructor(pool: Pool, events: QueueEvents) {
    this.#pool = pool;
    this.#events = events;
  }

  get isWorking(): boolean {
    return this.#working > 0;
  }

  get results(): Result[] {
    return this.items.flatMap(({ result }) => (result ? [result] : []));
  }

  /** Whether results could not be kept. */
  get storeFails(): boolean {
    return this.#storeFails;
  }

  /** Adds receipts and packages. */
  async addReceipts(files: readonly { path: string; source: Blob }[]): Promise<void> {
    const added = files.map(({ path, source }): Item => {
      const item: Item = { name: path, source, sha256: null, receipt: null, manifest: null, missing: [], typed: { args: null, env: null }, state: "reading", progress: 0, result: null };
      const at = this.items.findIndex(({ name }) => name === path);
      if (at >= 0) this.items[at] = item;
      else this.items.push(item);
      return item;
    });
    await this.#noted(Promise.all(added.map((item) => this.#read(item))));
  }

  /** Adds modules and input files. */
  async addMaterials(files: readonly { path: string; source: Blob }[]): Promise<void> {
    await this.#noted(this.#addMaterials(files));
  }

  async #addMaterials(files: readonly { path: string; source: Blob }[]): Promise<void> {
    const digested = await Promise.all(
      files.map(async ({ path, source }) => {
        const digests = await this.#pool.use((worker) => worker.request({ type: "digest", name: path, source }));
        return { path, source, ...digests };
      }),
    );
    for (const material of digested) {
      const at = this.materials.findIndex(({ path }) => path === material.path);
      if (at >= 0) this.materials[at] = material;
      else this.materials.push(material);
    }
    this.#plan();
  }

  /** Whoever verifies meanwhile waits for it. */
  async #noted(read: Promise<unknown>): Promise<void> {
    this.#reads.add(read);
    try {
      await read;
    } finally {
      this.#reads.delete(read);
    }
  }

  /** Takes what the user typed for a receipt that lacks it. */
  give(item: Item, typed: Partial<Typed>): void {
    item.typed = { ...item.typed, ...typed };
    this.#plan();
  }

  clear(): void {
    this.stop();
    this.items.length = 0;
    this.materials.length = 0;
  }

  async #read(item: Item): Promise<void> {
    try {
      await this.#pool.use(async (worker) => {
        const head = new Uint8Array(await item.source.slice(0, 4).arrayBuffer());
        if (String.fromCharCode(...head) !== "PK\x03\x04") {
          item.receipt = await worker.request({ type: "read-receipt", source: item.source });
          item.sha256 = item.receipt.sha256;
          return;
        }
        const { sha256 } = await worker.request({ type: "digest", name: item.name, source: item.source });
        item.sha256 = sha256;
        const { manifest, receipt } = await worker.request({ type: "open-package", source: item.source });
        item.manifest = manifest;
        if (receipt === undefined) throw new Error("The package has no receipt: there is nothing to compare with.");
        item.receipt = await worker.request({ type: "read-receipt", source: new Blob([receipt]) });
      });
      item.state = "ready";
      this.#planFor(item);
    } catch (error) {
      this.#settle(item, { verdict: "cannot-tell", message: problemText(error), id: null });
      return;
    }
    this.#events.changed(item);
  }

  #plan(): void {
    for (const item of this.items) {
      if (item.state === "running" || !item.receipt) continue;
      // A module that was missing, or another one that was meant, may be there now.
      if (item.state === "done" && item.result?.verdict !== "verified") {
        item.state = "ready";
        item.result = null;
      }
      this.#planFor(item);
      this.#events.changed(item);
    }
  }

  #planFor(item: Item): void {
    if (item.receipt && !item.manifest) item.missing = plan(item.receipt, this.materials, item.typed).missing;
  }

  /** Verifies all that are ready, or being read; comes back when that is done or stopped. */
  async verify(choices: Choices): Promise<void> {
    this.#stopping = false;
    // What was added just now is meant too.
    this.#working += 1;
    try {
      await Promise.allSettled(this.#reads);
    } finally {
      this.#working -= 1;
    }
    if (this.#stopping) return;
    const ready = this.items.filter(({ state }) => state === "ready");
    await Promise.all(ready.map((item) => this.#verify(item, choices)));
  }

  /** Stops; what has a verdict keeps it. */
  stop(): void {
    this.#stopping = true;
    this.#pool.stop();
  }

  async #verify(item: Item, choices: Choices): Promise<void> {
    this.#working += 1;
    try {
      if (!choices.again && (await this.#isKept(item))) {
        this.#settle(item, { verdict: "verified", message: null, id: item.receipt?.id ?? null }, true);
        return;
      }
      await this.#pool.use(async (worker) => {
        if (this.#stopping || item.state !== "ready" || !item.receipt) return;
        const [first] = item.missing;
        if (first) {
          const rest = item.missing.length > 1 ? ` and ${item.missing.length - 1} more` : "";
          this.#settle(item, { verdict: "cannot-tell", message: `missing: ${first.what} (${first.detail})${rest}`, id: item.receipt.id });
          return;
        }
        item.state = "running";
        item.progress = 0;
        this.#events.changed(item);
        const job = item.manifest ? COMPLETE : plan(item.receipt, this.materials, item.typed).job;
        const { engine, maxSteps } = choices;
        const result = await worker.request({ type: "verify", job: { ...job, laid: [], receipt: item.source, engine, maxSteps } }, (done, total) => {
          item.progress = total > 0 ? Math.min(1, done / total) : 0;
          this.#events.changed(item);
        });
        // Ended as one that was stopped is, but it has its verdict.
        if (result.spent) worker.end();
        await this.#keep(item, result);
        this.#settle(item, result);
      });
    } catch (error) {
      if (isStopped(error)) {
        item.state = "ready";
        this.#events.changed(item);
      } else {
          this.#settle(item, { verdict: "cannot-tell", message: problemText(error), id: item.receipt?.id ?? null });
      }
    } finally {
      this.#working -= 1;
      this.#events.changed(item);
    }
  }

  #settle(item: Item, { verdict, message, id }: Pick<Result, "verdict" | "message" | "id">, earlier = false): void {
    item.state = "done";
    item.result = { receipt: item.name, sha256: item.sha256, id, verdict, message, earlier };
    this.#events.changed(item);
  }

  async #isKept(item: Item): Promise<boolean> {
    if (item.sha256 === null) return false;
    try {
      const kept = await get<Kept>("verified", item.sha256);
      return kept !== undefined && kept.id === item.receipt?.id;
    } catch {
      this.#storeFails = true;
      return false;
    }
  }

  async #keep(item: Item, result: VerifyResult): Promise<void> {
    if (result.verdict !== "verified" || item.sha256 === null || result.id === null) return;
    try {
      await put("verified", item.sha256, { id: result.id } satisfies Kept);
    } catch {
      this.#storeFails = true;
    }
  }
}
