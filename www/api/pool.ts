/**
 * Workers for runs: each has one run at a time, and all share one compiled runtime.
 *
 * As many programs compute at once as the machine has processors; one that waits for input does not count. A worker that
 * is done is kept for the next run if its memory is small: what WebAssembly has taken it never gives back.
 */
import { Client, type ClientEvents, type WorkerLike } from "../client";
import type { Problem } from "../protocol";
import type { Report } from "../worker/runtime";
import { VerirunError } from "./errors";
import type { Platform } from "./platform";

/** Workers kept for later runs, and for how long: with a worker goes what it remembers, tens of megabytes of instrumented
 * modules at worst. */
const IDLE = 2;
const IDLE_MS = 30_000;

export type RunEvents = Pick<ClientEvents, "output" | "status" | "done" | "stopped" | "restarted">;

/** A worker with its run. */
export class Slot {
  readonly client: Client;
  /** Whether it has had a run before. */
  used = false;
  events: RunEvents | null = null;
  /** Whether its run waits for input. */
  waits = false;
  /** Why no worker starts. */
  problem: Problem | null = null;
  ready = false;
  #ending: ReturnType<typeof setTimeout> | undefined;
  /** The latest, if the client had to replace it; one of Node.js can be kept from keeping the process alive. */
  #worker: (WorkerLike & { ref?(): void; unref?(): void }) | null = null;

  constructor(spawn: () => WorkerLike) {
    this.client = new Client(
      {
        loading: () => {},
        ready: () => {
          this.ready = true;
        },
        unusable: (problem) => {
          this.problem = problem;
        },
        hears: () => {},
        waiting: () => {},
        output: (...all) => this.events?.output(...all),
        status: (...all) => this.events?.status(...all),
        done: (...all) => this.events?.done(...all),
        stopped: (...all) => this.events?.stopped(...all),
        restarted: (...all) => this.events?.restarted(...all),
      },
      () => (this.#worker = spawn()),
    );
  }

  hold(): void {
    clearTimeout(this.#ending);
    this.#worker?.ref?.();
  }

  /** Nothing runs in it: `end` is called if that stays so for a while. */
  letGo(end: () => void): void {
    this.#worker?.unref?.();
    this.#ending = setTimeout(end, IDLE_MS);
    // In Node.js it has a say in whether the process goes on.
    (this.#ending as { unref?(): void }).unref?.();
  }
}

export class Pool {
  readonly #platform: Platform;
  #module: Promise<WebAssembly.Module> | null = null;
  readonly #listeners = new Set<Report>();
  #idle: Slot[] = [];
  readonly #busy = new Set<Slot>();
  /** Those that have leave to start and no slot yet. */
  #starting = 0;
  #queue: (() => void)[] = [];

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The compiled runtime: one for all, and tried again if it failed. */
  async module(report?: Report): Promise<WebAssembly.Module> {
    if (report) this.#listeners.add(report);
    try {
      this.#module ??= this.#platform.compile((message) => {
        for (const listener of this.#listeners) listener(message);
      });
      return await this.#module;
    } catch (error) {
      this.#module = null;
      throw error;
    } finally {
      if (report) this.#listeners.delete(report);
    }
  }

  #working(): number {
    return this.#starting + [...this.#busy].filter((slot) => !slot.waits).length;
  }

  /** A worker, as soon as one may run. */
  async acquire(signal?: AbortSignal): Promise<Slot> {
    const module = await this.module();
    await this.#turn(signal);
    try {
      const slot = this.#idle.pop() ?? new Slot(() => this.#platform.spawn(module));
      slot.hold();
      slot.waits = false;
      this.#busy.add(slot);
      return slot;
    } catch (error) {
      throw this.blocked(String(error));
    } finally {
      this.#starting -= 1;
      this.#next();
    }
  }

  /** Waits until fewer compute than may. */
  #turn(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const start = (): void => {
        signal?.removeEventListener("abort", leave);
        this.#starting += 1;
        resolve();
      };
      const leave = (): void => {
        this.#queue = this.#queue.filter((other) => other !== start);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#queue.push(start);
      this.#next();
    });
  }

  #next(): void {
    while (this.#queue.length > 0 && this.#working() < this.#platform.parallel) this.#queue.shift()?.();
  }

  /** Tells whether the run of a slot waits for input. */
  waiting(slot: Slot, waits: boolean): void {
    slot.waits = waits;
    if (waits) this.#next();
  }

  /** Takes a slot back; `reusable` if nothing is wrong with it and it holds little. */
  release(slot: Slot, reusable: boolean): void {
    slot.events = null;
    this.#busy.delete(slot);
    if (reusable && this.#idle.length < IDLE) {
      slot.used = true;
      slot.letGo(() => {
        this.#idle = this.#idle.filter((other) => other !== slot);
        slot.client.dispose();
      });
      this.#idle.push(slot);
    } else {
      slot.client.dispose();
    }
    this.#next();
  }

  blocked(why: string): VerirunError {
    return new VerirunError({
      code: "worker-blocked",
      message: `A worker could not be started: ${why}`,
      hint: this.#platform.workerHint,
    });
  }
}
