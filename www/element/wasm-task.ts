/**
 * `<wasm-task src="…">`: a task in anyone's page (docs/embedding.md).
 *
 * This file is all that a page loads at first. The API, the runtime and a worker come when the task is run, or when a
 * task with `autorun` is seen; all elements of a page share them.
 */
import type * as Api from "../api/browser";
import type { OutputChunk, Run, RunOptions, RunResult, RunStatus } from "../api/types";
import type { FileList } from "./files";
import type { Output } from "./output";
import type * as Running from "./running";
import { View } from "./view";

let loading: Promise<[typeof Api, typeof Running]> | null = null;

/** Loads the API and the rest of the element, once for all of them; again if it failed. */
function load(): Promise<[typeof Api, typeof Running]> {
  loading ??= Promise.all([import("../api/browser"), import("./running")]).catch((error: unknown) => {
    loading = null;
    throw Object.assign(new Error(`Verirun could not be loaded: ${String(error)}`), {
      code: "runtime-missing",
      hint: "Check your connection and try again.",
    });
  });
  return loading;
}

/** Runs the elements with `autorun` when they come into view. */
const seen =
  typeof IntersectionObserver === "function"
    ? new IntersectionObserver((entries) => {
        for (const { target, isIntersecting } of entries) if (isIntersecting) (target as WasmTask).seen();
      })
    : null;

export type TaskState = "idle" | "loading" | "running" | "waiting" | "done" | "error";

/** Further options for `run()`, beside what the attributes say. */
export type TaskRunOptions = Omit<RunOptions, "onStatus" | "onLoading">;

/** Where pages are made on a server the script may be imported, and does nothing. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

export class WasmTask extends Base {
  static readonly observedAttributes = ["src", "label", "autorun"];
  readonly #view: View;
  #output: Output | null = null;
  #files: FileList | null = null;
  readonly #internals = this.attachInternals();
  #state: TaskState = "idle";
  #run: Run | null = null;
  #abort: AbortController | null = null;
  #result: RunResult | null = null;
  /** Whether `autorun` has been heeded. */
  #hasRun = false;

  constructor() {
    super();
    this.#view = new View(this.attachShadow({ mode: "open" }));
    this.#wire();
  }

  /** Where the task is at. */
  get state(): TaskState {
    return this.#state;
  }

  /** Of the last run that ended. */
  get result(): RunResult | null {
    return this.#result;
  }

  get src(): string {
    return this.getAttribute("src") ?? "";
  }

  set src(value: string) {
    this.setAttribute("src", value);
  }

  /** Runs the task; resolves with its result, also if the program fails, and rejects with an error's `code` and `hint`. */
  async run(options: TaskRunOptions = {}): Promise<RunResult> {
    if (this.#abort) {
      throw Object.assign(new Error("The task is running."), { code: "already-running", hint: "Cancel it first, or wait for its end." });
    }
    this.#hasRun = true;
    const abort = new AbortController();
    this.#abort = abort;
    this.#begin();
    try {
      const result = await this.#go(options, abort);
      this.#result = result;
      this.#finish(result);
      return result;
    } catch (error) {
      this.#fail(error, abort.signal.aborted || (error as { code?: string }).code === "cancelled");
      throw error;
    } finally {
      this.#abort = null;
      this.#run = null;
      this.#buttons(false);
    }
  }

  /** Stops the run; its result then says so, and has what was written until then. */
  cancel(): void {
    if (this.#run) this.#run.cancel();
    else this.#abort?.abort(cancelled());
  }

  /**
   * Writes to the standard input of a task with `interactive`. The promise rejects if it is not taken; whoever does not
   * look at it gets an `error` event.
   */
  write(text: string): Promise<void> {
    const writing = this.#write(text);
    writing.catch((error: unknown) => this.#tell("error", error));
    return writing;
  }

  async #write(text: string): Promise<void> {
    if (!this.#run || !this.#input) {
      const hint = "It takes some between the event `start` and its end, if it has the attribute `interactive`, until `endInput()`.";
      throw Object.assign(new Error("The task takes no input now."), { code: "no-input", hint });
    }
    // Refused here: the stream would take nothing more after it.
    if (typeof text !== "string") throw new TypeError("What is written to the task is no text.");
    this.#output?.echo(text);
    await this.#input.write(text);
  }

  /** Ends the standard input of a task with `interactive`. */
  endInput(): void {
    this.#closeForm();
    void this.#input?.close().catch(() => {});
    this.#input = null;
  }

  #input: WritableStreamDefaultWriter<Uint8Array | string> | null = null;

  connectedCallback(): void {
    this.#label();
    this.#watch();
  }

  disconnectedCallback(): void {
    // An element that is moved comes back at once.
    queueMicrotask(() => {
      if (this.isConnected) return;
      seen?.unobserve(this);
      this.#abort?.abort(cancelled());
    });
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    this.#label();
    if (name === "autorun") this.#watch();
  }

  /** Called when it comes into view. */
  seen(): void {
    seen?.unobserve(this);
    if (this.hasAttribute("autorun") && !this.#hasRun) this.#runQuietly();
  }

  #watch(): void {
    if (!this.isConnected || !this.hasAttribute("autorun") || this.#hasRun) return;
    if (seen) seen.observe(this);
    else this.seen();
  }

  #label(): void {
    const file = this.src.replace(/[?#].*$/s, "").split("/").at(-1) || "WebAssembly task";
    const label = this.getAttribute("label") ?? file;
    this.#view.title.textContent = label;
    this.#view.frame.setAttribute("aria-label", label);
    this.#view.run.setAttribute("aria-label", `Run ${label}`);
    this.#view.cancel.setAttribute("aria-label", `Stop ${label}`);
  }

  #wire(): void {
    const { run, cancel, form, line, endInput, frame } = this.#view;
    run.addEventListener("click", () => this.#runQuietly());
    cancel.addEventListener("click", () => this.cancel());
    // Who is about to press the button is spared the wait for the script.
    for (const intent of ["pointerenter", "focus"]) run.addEventListener(intent, () => void load().catch(() => {}), { once: true });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.write(`${line.value}\n`);
      line.value = "";
    });
    endInput.addEventListener("click", () => this.endInput());
    line.addEventListener("keydown", (event) => {
      if (event.key !== "d" || !event.ctrlKey) return;
      event.preventDefault();
      this.endInput();
    });
    frame.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.#abort) this.#runQuietly();
    });
  }

  /** The element itself shows what goes wrong. */
  #runQuietly(): void {
    if (!this.#abort) this.run().catch(() => {});
  }

  #setState(state: TaskState): void {
    this.#state = state;
    this.#view.frame.dataset["state"] = state;
    const { states } = this.#internals as ElementInternals & { states?: Set<string> };
    try {
      states?.clear();
      states?.add(state);
    } catch {
      // Browsers of 2023 know only names that begin with two dashes.
    }
  }

  #tell(name: "start" | "output" | "done" | "error", detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #buttons(running: boolean): void {
    const { run, cancel } = this.#view;
    const focused = this.shadowRoot?.activeElement;
    run.hidden = running;
    cancel.hidden = !running;
    if (running && focused === run) cancel.focus();
    else if (!running && focused === cancel) run.focus();
  }

  #begin(): void {
    const { output } = this.#view;
    this.#result = null;
    this.#output?.clear();
    this.#files?.clear();
    this.#view.showBadge(null);
    output.hidden = true;
    output.setAttribute("aria-live", this.hasAttribute("interactive") ? "polite" : "off");
    this.#buttons(true);
    this.#setState("loading");
    this.#view.say("busy", "Loading…");
  }

  async #go(more: TaskRunOptions, abort: AbortController): Promise<RunResult> {
    const [{ run }, { readAttributes, Output, FileList }] = await load();
    abort.signal.throwIfAborted();
    const { src, options: own } = readAttributes(this);
    this.#output ??= new Output(this.#view.output);
    this.#files ??= new FileList(this.#view);
    const { progress } = this.#view;
    const signal = more.signal ? either(more.signal, abort) : abort.signal;
    const options: RunOptions = {
      ...own,
      ...more,
      signal,
      onLoading: ({ phase, loaded, total }) => {
        progress.hidden = phase !== "download" || total === null;
        if (total !== null) progress.value = loaded / total;
        this.#view.say("busy", phase === "compile" ? "Compiling the runtime…" : "Loading the runtime…");
      },
      onStatus: (status) => this.#status(status),
    };
    const task = run(src, options);
    this.#run = task;
    if (options.live) {
      this.#input = task.stdin.getWriter();
      this.#input.closed.catch(() => {});
    }
    this.#tell("start", { run: task });
    const shown = this.#show(task.output, this.#output);
    const result = await task;
    await shown;
    return result;
  }

  async #show(output: ReadableStream<OutputChunk>, shown: Output): Promise<void> {
    const reader = output.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { fd, bytes } = next.value;
        this.#view.output.hidden = false;
        const text = shown.write(fd, bytes);
        this.#tell("output", { fd, bytes, text });
      }
    } catch {
      // The run failed, and says so itself.
    }
  }

  #status({ state, stats }: RunStatus): void {
    const { form, line, progress } = this.#view;
    progress.hidden = true;
    const waiting = state === "blocked";
    if (this.#state !== "running" && this.#state !== "waiting") {
      if (this.#input) form.hidden = false;
    }
    this.#setState(waiting ? "waiting" : "running");
    if (waiting) {
      this.#view.say("busy", "Waiting for input");
      if (this.shadowRoot?.activeElement === this.#view.cancel) line.focus();
    } else {
      this.#view.say("busy", `Running: ${count(stats.steps)} steps`);
    }
  }

  /** The focus must not get lost with what goes. */
  #closeForm(): void {
    const { form, cancel } = this.#view;
    if (form.contains(this.shadowRoot?.activeElement ?? null)) cancel.focus();
    form.hidden = true;
  }

  #quiet(): void {
    this.#view.progress.hidden = true;
    this.#closeForm();
    this.#input = null;
    this.#output?.draw();
  }

  #finish(result: RunResult): void {
    this.#quiet();
    this.#setState("done");
    this.#files?.fill(result, this.getAttribute("show"));
    const tone = result.ok ? "good" : result.outcome.kind === "exit" || result.outcome.kind === "trap" ? "bad" : "warn";
    const lines = this.#output?.lines ?? 0;
    const said = lines > 0 ? `, ${count(lines)} ${lines === 1 ? "line" : "lines"} of output` : "";
    const verdict = result.verification?.verdict ?? null;
    if (verdict) this.#view.showBadge(verdict);
    // That it is verified the badge says.
    const reason = verdict === null || verdict === "verified" ? "" : (result.verification?.reason ?? "");
    this.#view.say(verdict === "mismatch" ? "bad" : tone, `${result.summary} ${count(result.stats.steps)} steps${said}.`, reason);
    this.#tell("done", result);
  }

  #fail(error: unknown, stopped: boolean): void {
    this.#quiet();
    this.#setState(stopped ? "idle" : "error");
    const { message, hint } = error as { message?: string; hint?: string };
    if (stopped) this.#view.say("warn", "Cancelled.");
    else this.#view.say("bad", message ?? String(error), hint);
    this.#tell("error", error);
  }
}

const cancelled = (): DOMException => new DOMException("The task was cancelled before it began.", "AbortError");

/** Aborts `own` with `other`; `AbortSignal.any` is younger than the browsers that we support. */
function either(other: AbortSignal, own: AbortController): AbortSignal {
  if (other.aborted) own.abort(other.reason);
  else other.addEventListener("abort", () => own.abort(other.reason), { once: true });
  return own.signal;
}

/** `1234567` → `1 234 567`, with spaces that do not break. */
const count = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f");

export interface WasmTaskEventMap {
  start: CustomEvent<{ run: Run }>;
  output: CustomEvent<OutputChunk & { text: string }>;
  done: CustomEvent<RunResult>;
  error: CustomEvent<Error & { code?: string; hint?: string }>;
}

declare global {
  interface HTMLElementTagNameMap {
    "wasm-task": WasmTask;
  }
}

if (globalThis.customElements && !customElements.get("wasm-task")) customElements.define("wasm-task", WasmTask);
