/** Workers that do one thing at a time: each owns a runtime, and is ended if it has to be stopped. */
import { FAILED, toProblem, UserError } from "../problem";
import type { FromWorker, Problem, Replies, Request, Unsent } from "../protocol";
import type { ReceiptRequest } from "../receipt/protocol";
import { siteWorker } from "../siteworker";

interface Waiting {
  resolve(value: Replies[keyof Replies]): void;
  reject(error: UserError): void;
  progress?: ((done: number, total: number) => void) | undefined;
}

/** With a worker on each core, that a device has too little memory is as likely as a bug. */
function withMemory(problem: Problem): Problem {
  return problem.code === FAILED ? { ...problem, hint: "This is a bug in Verirun, or this device has too little memory." } : problem;
}

/** One worker; one request at a time. */
export class RuntimeWorker {
  readonly #worker: Worker;
  readonly #ready: Promise<void>;
  #markReady: () => void = () => {};
  #fail: (error: UserError) => void = () => {};
  #waiting: Waiting | null = null;
  #broken: UserError | null = null;

  constructor() {
    this.#ready = new Promise((resolve, reject) => {
      this.#markReady = resolve;
      this.#fail = reject;
    });
    this.#ready.catch(() => {}); // whoever waits for it hears of it
    this.#worker = siteWorker();
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(new UserError({ code: FAILED, message: event.message || "A worker could not be started.", hint: "Reload the page." }));
    };
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  async request<R extends Unsent<Request | ReceiptRequest>>(
    request: R,
    progress?: (done: number, total: number) => void,
  ): Promise<Replies[R["type"]]> {
    await this.#ready;
    if (this.#broken) throw this.#broken;
    return new Promise((resolve, reject) => {
      // The reply's type follows from the request's; the wire does not carry types.
      this.#waiting = { resolve: resolve as Waiting["resolve"], reject, progress };
      this.#worker.postMessage({ ...request, id: 1 });
    });
  }

  /** Ends it; what waits is refused. */
  end(error: UserError = STOPPED): void {
    this.#worker.terminate();
    this.#broken = error;
    this.#fail(error);
    this.#waiting?.reject(error);
    this.#waiting = null;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case "ready":
        return this.#markReady();
      case "unusable":
        return this.end(new UserError(message.problem));
      case "progress":
        return this.#waiting?.progress?.(message.done, message.total);
      case "reply": {
        const waiting = this.#waiting;
        this.#waiting = null;
        return waiting?.resolve(message.value);
      }
      case "refused": {
        const waiting = this.#waiting;
        this.#waiting = null;
        return waiting?.reject(new UserError(message.problem));
      }
      case "crashed":
        return this.end(new UserError(withMemory(message.problem)));
      default:
        return;
    }
  }
}

export const STOPPED = new UserError({ code: "stopped", message: "It was stopped.", hint: "" });

/** As many workers as cores; they start when there is work, and stay for more. */
export class Pool {
  readonly #size: number;
  readonly #idle: RuntimeWorker[] = [];
  readonly #busy = new Set<RuntimeWorker>();
  #queue: (() => void)[] = [];

  constructor(size = Math.max(1, Math.min(8, navigator.hardwareConcurrency || 2))) {
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** Gives `work` a worker of its own until it is done. */
  async use<T>(work: (worker: RuntimeWorker) => Promise<T>): Promise<T> {
    while (this.#idle.length === 0 && this.#busy.size >= this.#size) await new Promise<void>((resolve) => this.#queue.push(resolve));
    const worker = this.#idle.pop() ?? new RuntimeWorker();
    this.#busy.add(worker);
    try {
      return await work(worker);
    } finally {
      this.#busy.delete(worker);
      if (!worker.isBroken) this.#idle.push(worker);
      this.#queue.shift()?.();
    }
  }

  /** Ends the workers that work; their work is refused with `stopped`. */
  stop(): void {
    for (const worker of this.#busy) worker.end();
  }
}

/** Any failure as a problem, `stopped` included. */
export const isStopped = (error: unknown): boolean => toProblem(error).code === STOPPED.code;
