/** The run bar: buttons, what is going on in words, and the numbers. */
import { byId } from "./dom";
import { bytes as bytesText, duration, quantity } from "./format";
import type { Verdict } from "./outcome";
import type { RunState, RunStats } from "./protocol";

export type Phase = "idle" | "starting" | RunState;

export interface RunBarEvents {
  run(): void;
  pauseOrResume(): void;
  cancel(): void;
}

const PAGE = 65536;

const RUNNING: Record<RunState, Verdict> = {
  running: { tone: "busy", headline: "Running", advice: "" },
  blocked: { tone: "warn", headline: "Waiting for input", advice: "Type a line and press Enter. Ctrl-D ends the input." },
  paused: { tone: "warn", headline: "Paused", advice: "Resume to go on where it stopped." },
};

export class RunBar {
  phase: Phase = "idle";
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

  starting(): void {
    this.#setPhase("starting");
    this.#startedAt = performance.now();
    this.say({ tone: "busy", headline: "Starting", advice: "" });
  }

  status(state: RunState, stats: RunStats): void {
    this.#setPhase(state);
    this.say(RUNNING[state]);
    this.#numbers(stats);
  }

  done(verdict: Verdict, stats: RunStats | null): void {
    this.#setPhase("idle");
    this.say(verdict);
    if (stats) this.#numbers(stats);
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
    const live = phase === "running" || phase === "blocked" || phase === "paused";
    byId("run").setAttribute("aria-disabled", String(phase !== "idle"));
    byId("pause").setAttribute("aria-disabled", String(!live));
    byId("cancel").setAttribute("aria-disabled", String(!live));
    const label = byId("pause").querySelector(".label");
    if (label) label.textContent = phase === "paused" ? "Resume" : "Pause";
    byId("pause").querySelector("use")?.setAttribute("href", phase === "paused" ? "#i-play" : "#i-pause");
    document.body.dataset["phase"] = phase;
  }

  #numbers(stats: RunStats): void {
    byId("stats").hidden = false;
    byId("statTime").textContent = duration(performance.now() - this.#startedAt);
    byId("statSteps").textContent = quantity(stats.steps);
    // Too short a time says nothing about speed.
    byId("statSpeed").textContent = stats.busyMs >= 5 ? quantity((stats.steps / stats.busyMs) * 1000) : "–";
    byId("statMemory").textContent = bytesText(stats.peakMemoryPages * PAGE);
  }
}
