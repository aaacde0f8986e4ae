/** The run bar: buttons, what is going on in words, and the numbers. */
import { Budget } from "./budget";
import { byId } from "./dom";
import type { Limits } from "./face";
import { duration, grouped, quantity } from "./format";
import type { Verdict } from "./outcome";
import type { RunState, RunStats } from "./protocol";

export type Phase = "idle" | "starting" | RunState;

export interface RunBarEvents {
  run(): void;
  pauseOrResume(): void;
  cancel(): void;
}

const RUNNING: Record<RunState, Verdict> = {
  running: { tone: "busy", headline: "Running", advice: "" },
  blocked: { tone: "warn", headline: "Waiting for input", advice: "Type a line and press Enter. Ctrl-D ends the input." },
  repeating: {
    tone: "busy",
    headline: "Finding the exact place",
    advice: "The program crashed. It is run once more, to count its steps exactly and to find where it was.",
  },
  paused: { tone: "warn", headline: "Paused", advice: "Resume to go on where it stopped." },
};

const STARTING: Verdict = { tone: "busy", headline: "Starting", advice: "" };

/** Before a run, for what a first visit does without. */
const WAITING: Verdict = {
  tone: "busy",
  headline: "Loading the rest of the runtime",
  advice: "It comes when it is first needed. Cancel stops waiting for it.",
};

/** On the browser's engine, which comes back only at the end. */
const AWAY: Verdict = {
  tone: "busy",
  headline: "Running on the browser's engine",
  advice: "It can't be paused. Cancel keeps its output, not its files.",
};

export class RunBar {
  phase: Phase = "idle";
  readonly #budget = new Budget();
  #hears = true;
  /** Whether what starts waits for a part of the runtime. */
  #waits = false;
  #startedAt = 0;

  constructor(events: RunBarEvents) {
    // Disabled by aria only: a button that vanishes from under the focus loses the user's place.
    const wire = (id: string, action: () => void): void =>
      byId(id).addEventListener("click", (event) => {
        if ((event.currentTarget as HTMLElement).getAttribute("aria-disabled") !== "true") action();
      });
    wire("run", events.run);
    wire("pause", events.pauseOrResume);
    wire("cancel", events.cancel);
    if (/Mac|iPhone|iPad/.test(navigator.platform)) byId("runKey").textContent = "⌘ ↵";
  }

  say(verdict: Verdict): void {
    byId("verdict").dataset["tone"] = verdict.tone;
    // Written only when changed, so that a screen reader does not repeat it.
    for (const [id, text] of [["headline", verdict.headline], ["advice", verdict.advice]] as const) {
      if (byId(id).textContent !== text) byId(id).textContent = text;
    }
  }

  /** Whether the run can be paused. */
  hears(does: boolean): void {
    this.#hears = does;
    if (this.phase !== "idle") this.#setPhase(this.phase);
    this.say(does ? RUNNING.running : AWAY);
  }

  starting(limits: Limits): void {
    this.#hears = true;
    this.#setPhase("starting");
    this.#budget.start(limits);
    this.#startedAt = performance.now();
    this.say(this.#waits ? WAITING : STARTING);
  }

  waiting(does: boolean): void {
    this.#waits = does;
    if (this.phase === "starting") this.say(does ? WAITING : STARTING);
  }

  status(state: RunState, stats: RunStats): void {
    this.#setPhase(state);
    this.say(this.#hears ? RUNNING[state] : AWAY);
    this.#numbers(stats, false);
  }

  done(verdict: Verdict, stats: RunStats | null): void {
    this.#setPhase("idle");
    this.say(verdict);
    if (stats) this.#numbers(stats, true);
  }

  progress(fraction: number | null): void {
    const bar = byId<HTMLProgressElement>("progress");
    bar.hidden = false;
    if (fraction === null) bar.removeAttribute("value");
    else bar.value = fraction;
  }

  endProgress(): void {
    byId("progress").hidden = true;
  }

  #setPhase(phase: Phase): void {
    this.phase = phase;
    const live = phase !== "idle" && phase !== "starting";
    byId("run").setAttribute("aria-disabled", String(phase !== "idle"));
    byId("pause").setAttribute("aria-disabled", String(!live || !this.#hears));
    byId("cancel").setAttribute("aria-disabled", String(phase === "idle"));
    const label = byId("pause").querySelector(".label");
    if (label) label.textContent = phase === "paused" ? "Resume" : "Pause";
    byId("pause").querySelector("use")?.setAttribute("href", phase === "paused" ? "#i-play" : "#i-pause");
    document.body.dataset["phase"] = phase;
  }

  #numbers(stats: RunStats, ended: boolean): void {
    byId("statTime").textContent = duration(performance.now() - this.#startedAt);
    byId("statSteps").textContent = ended ? grouped(stats.steps) : quantity(stats.steps);
    // Too short a time says nothing about speed.
    byId("statSpeed").textContent = stats.busyMs >= 5 ? quantity((stats.steps / stats.busyMs) * 1000) : "–";
    this.#budget.show(stats, ended);
  }
}
