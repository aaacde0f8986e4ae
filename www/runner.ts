/** Runs what is set up: one run at a time, its output to the terminal, its figures to the run bar, its end in words. */
import { orAborted } from "./api/abort";
import { clearProblem, showProblem } from "./alerts";
import { Client } from "./client";
import type { Documents } from "./documents";
import { byId } from "./dom";
import type { Engines, Outcome, Whereabouts } from "./face";
import type { InputItem } from "./inputs";
import { FilesView } from "./files";
import { bytes as bytesText } from "./format";
import { taskVerdict } from "./functiontask";
import type { View } from "./layout";
import { describe, describeEngines, type Verdict } from "./outcome";
import { OutputView } from "./outputview";
import type { RunRequest, RunState, RunStats } from "./protocol";
import { FAILED } from "./problem";
import { Signal } from "./signal";
import { siteWorker } from "./siteworker";
import { RunBar } from "./status";
import { Terminal } from "./terminal";
import { scriptError, TAIL } from "./scripterrors";
import type { Workbench } from "./workbench";

const utf8 = new TextEncoder();
const STOPPED = {
  tone: "warn",
  headline: "Cancelled",
  advice: "You stopped it. Its output is kept; its files are not: the browser's engine gives them only at the end. Choose the interpreter under Engine to keep them.",
} as const;
const NOT_BEGUN = { tone: "warn", headline: "Cancelled", advice: "You stopped it before it began." } as const;
const READY = { tone: "idle", headline: "Ready", advice: "" } as const;

/** A run that has ended by itself, by a limit, or by Cancel. */
export interface Ended {
  request: RunRequest;
  outcome: Outcome;
  stats: RunStats;
  engines: Engines;
  /** Where it trapped or passed a limit. */
  place: Whereabouts | null;
}

export class Runner {
  readonly client: Client;
  readonly terminal: Terminal;
  /** A run is prepared: what is to be noted of it may be added to the request. */
  readonly preparing = new Signal<RunRequest>();
  /** A run is about to start. */
  readonly started = new Signal<RunRequest>();
  readonly ended = new Signal<Ended>();
  /** Makes what is run of what the fields say; by default it is that. */
  prepare: (request: RunRequest) => Promise<RunRequest> = (request) => Promise.resolve(request);
  readonly #bar: RunBar;
  readonly #output: OutputView;
  readonly #files: FilesView;
  readonly #show: (view: View) => void;
  #workbench: Workbench | null = null;
  #request: RunRequest | null = null;
  /** What went into the run. */
  #inputs: readonly InputItem[] = [];
  #stdinOpen = false;
  /** Ends what comes before a run. */
  #starting = new AbortController();
  /** What the run bar says of the last run stays while a new worker loads. */
  #verdictStays = false;

  constructor(docs: Documents, show: (view: View) => void) {
    this.#show = show;
    this.client = this.#makeClient();
    this.terminal = new Terminal({
      line: (text) => this.#sendLine(text),
      end: () => this.#closeStdin(),
      interrupt: () => this.cancel(),
      drawn: (bytes) => this.client.drawn(bytes),
    });
    this.#bar = new RunBar({
      run: () => void this.run(),
      pauseOrResume: () => this.pauseOrResume(),
      cancel: () => this.cancel(),
    });
    this.#output = new OutputView(this.client, this.terminal, {
      line: (text) => {
        this.terminal.echo(text);
        this.#sendLine(text);
      },
      end: () => this.#closeStdin(),
    });
    this.#files = new FilesView(this.client, docs);
  }

  /** What is run; there is none yet when the worker starts to load. */
  attach(workbench: Workbench): void {
    this.#workbench = workbench;
  }

  #makeClient(): Client {
    return new Client({
      loading: (phase, loaded, total) => {
        this.#bar.progress(phase === "download" && total ? loaded / total : null);
        if (this.#bar.phase !== "idle" || this.#verdictStays) return;
        const headline = phase === "compile" ? "Compiling the runtime" : "Loading the runtime";
        this.#bar.say({ tone: "busy", headline, advice: loaded > 0 ? bytesText(loaded) + (total ? ` of ${bytesText(total)}` : "") : "" });
      },
      ready: (version) => {
        byId("version").textContent = version;
        this.#bar.endProgress();
        if (this.#bar.phase === "idle" && !this.#verdictStays) this.#bar.say(READY);
        this.#workbench?.sync();
      },
      waiting: (does) => this.#bar.waiting(does),
      unusable: (problem) => {
        this.#bar.endProgress();
        this.#bar.done({ tone: "bad", headline: "The runtime is not there", advice: problem.hint }, null);
        showProblem("runtime", problem);
      },
      output: (skipped, chunks) => this.terminal.output(skipped, chunks),
      status: (state, stats) => this.#onStatus(state, stats),
      hears: (does) => this.#bar.hears(does),
      done: (outcome, stats, engines, _, place) => void this.#onDone({ outcome, stats, engines, place }),
      stopped: (stdout, stderr) => {
        this.#verdictStays = true;
        this.#endInput();
        this.#output.rescue(stdout, stderr);
        this.#output.ended();
        this.#bar.done(STOPPED, null);
      },
      restarted: (problem, duringRun, stdout, stderr) => {
        showProblem("runtime", { ...problem, hint: `${problem.hint} The runtime was restarted and your setup is kept.` });
        if (!duringRun) return;
        this.#verdictStays = true;
        this.#endInput();
        this.#output.rescue(stdout, stderr);
        const headline = problem.code === FAILED ? "The runtime failed" : "A part of the runtime is missing";
        this.#bar.done({ tone: "bad", headline, advice: "The output until then is kept. Nothing can be said about the program." }, null);
      },
    }, siteWorker);
  }

  /** Starts a run of what is set up, if none is going on. */
  async run(): Promise<void> {
    const workbench = this.#workbench;
    if (!workbench || this.#bar.phase !== "idle") return;
    clearProblem("run");
    workbench.source.flush();
    const { signal } = (this.#starting = new AbortController());
    try {
      const read = workbench.form.read();
      this.#bar.starting(read.limits);
      this.#show("output");
      // What is on its way to the worker goes on, and serves the next run.
      await orAborted(workbench.session.sync(), signal);
      this.#inputs = workbench.session.items;
      const request = await orAborted(this.prepare(read), signal);
      this.preparing.emit(request);
      this.#request = request;
      this.terminal.reset();
      this.#output.clear();
      this.#files.clear();
      this.started.emit(request);
      this.#stdinOpen = request.stdin.kind === "live";
      this.terminal.setReading(this.#stdinOpen);
      this.#output.setInput(this.#stdinOpen ? "open" : null);
      await this.client.start(request);
      if (this.#stdinOpen && matchMedia("(hover: hover)").matches) this.terminal.focus();
    } catch (error) {
      this.#endInput();
      this.#bar.done(signal.aborted ? NOT_BEGUN : { tone: "bad", headline: "It did not start", advice: "" }, null);
      if (!signal.aborted && !document.querySelector(".alert")) showProblem("run", error);
    }
  }

  get isRunning(): boolean {
    return this.#bar.phase !== "idle";
  }

  pauseOrResume(): void {
    if (this.#bar.phase === "paused") this.client.resume();
    else this.client.pause();
  }

  cancel(): void {
    if (this.#bar.phase === "starting") {
      this.#starting.abort();
      // Or what is queued would ask for the same again.
      this.#workbench?.session.abandon();
      this.client.abandon();
    }
    // If it has begun all the same, this ends it.
    this.client.cancel();
  }

  #onStatus(state: RunState, stats: RunStats): void {
    this.#bar.status(state, stats);
    this.#output.update(stats);
    if (this.#stdinOpen) this.#output.setInput(state === "blocked" ? "waiting" : "open");
  }

  async #onDone(end: Omit<Ended, "request">): Promise<void> {
    const { outcome, stats, engines, place } = end;
    this.#endInput();
    this.#output.update(stats);
    this.#output.ended();
    this.#verdictStays = true;
    const note = describeEngines(engines);
    const say = (verdict: Verdict): void => this.#bar.done({ ...verdict, advice: `${verdict.advice} ${note}`.trim() }, stats);
    say(describe(outcome, stats.steps, place));
    if (this.#request) this.ended.emit({ ...end, request: this.#request });
    void this.#markSource(end);
    try {
      const entries = await this.client.files();
      // Someone who writes the program is not to lose sight of it.
      this.#files.show(entries, this.#inputs, this.#workbench?.source.touched !== true);
      const verdict = this.#workbench?.isFunctionTask ? taskVerdict(outcome, entries) : null;
      if (verdict) say(verdict);
    } catch (error) {
      showProblem("files", error);
    }
  }

  /** Shows in the program's text where it went wrong. */
  async #markSource({ outcome, stats, place }: Omit<Ended, "request">): Promise<void> {
    const workbench = this.#workbench;
    if (!workbench) return;
    const { script } = workbench;
    if (place?.source) {
      const { file, line, column } = place.source;
      workbench.markSource(file, [{ line, column, message: describe(outcome, stats.steps, place).headline }]);
    } else if (script !== null && outcome.kind === "exit" && outcome.code !== 0) {
      const from = Math.max(0, stats.stderrBytes - TAIL);
      const bytes = await this.client.request({ type: "read-output", run: this.client.run, fd: 2, offset: from, length: TAIL });
      const mark = scriptError(new TextDecoder().decode(bytes), script);
      if (mark) workbench.markSource(script, [mark]);
    }
  }

  #sendLine(text: string): void {
    if (this.#stdinOpen) this.client.stdin(utf8.encode(`${text}\n`));
  }

  #closeStdin(): void {
    if (!this.#stdinOpen) return;
    this.#endInput();
    this.client.endStdin();
  }

  #endInput(): void {
    this.#stdinOpen = false;
    this.terminal.setReading(false);
    this.#output.setInput(null);
  }
}
