/**
 * The views of a run beside its output: its calls, and which functions made its steps.
 *
 * Neither is noted unless it is asked for. Since a run can be made again with the same result, that can be asked for
 * after it: then it is run once more.
 */
import { byId, make } from "../dom";
import { remember, remembered } from "../remembered";
import { toProblem } from "../problem";
import type { Runner } from "../runner";

type Kind = "calls" | "profile";

const TEXT: Record<Kind, { none: string; run: string }> = {
  calls: {
    none: "The calls of this run were not recorded. A run can be made again with the same result: then they are.",
    run: "Record and run",
  },
  profile: {
    none: "This run has no profile. A run can be made again with the same result: then it has. It takes longer, on the interpreter.",
    run: "Profile and run",
  },
};

export class Watch {
  readonly #runner: Runner;
  /** What the latest run noted. */
  #noted: Record<Kind, boolean> = { calls: false, profile: false };
  #ended = false;

  constructor(runner: Runner) {
    this.#runner = runner;
    for (const kind of ["calls", "profile"] as const) {
      const box = this.#option(kind);
      box.checked = remembered(`watch-${kind}`) === "true";
      box.addEventListener("change", () => {
        remember(`watch-${kind}`, box.checked ? "true" : null);
        this.#show();
      });
    }
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="outputView"]')) {
      radio.addEventListener("change", () => this.#show());
    }
    runner.preparing.on((request) => {
      for (const kind of ["calls", "profile"] as const) {
        const wanted = this.#option(kind).checked;
        this.#noted[kind] = wanted;
        if (wanted) request[kind] = true;
      }
    });
    runner.started.on(() => {
      this.#ended = false;
      this.#show();
    });
    runner.ended.on(() => {
      this.#ended = true;
      this.#show();
    });
  }

  #option(kind: Kind): HTMLInputElement {
    return byId<HTMLInputElement>(`watch-${kind}`);
  }

  /** Shows the view that is chosen, if it is one of these. */
  #show(): void {
    const chosen = document.querySelector<HTMLInputElement>('input[name="outputView"]:checked')?.value;
    for (const kind of ["calls", "profile"] as const) {
      byId(`${kind}View`).hidden = chosen !== kind;
      byId(`${kind}Option`).hidden = chosen !== kind;
      if (chosen === kind) void this.#fill(kind);
    }
  }

  async #fill(kind: Kind): Promise<void> {
    const view = byId(`${kind}View`);
    if (!this.#ended) {
      view.replaceChildren(make("p", { className: "about preview-problem" }, this.#runner.isRunning ? "Shown when the run has ended." : "Nothing has run yet."));
      if (!this.#runner.isRunning) view.append(this.#again(kind));
      return;
    }
    if (!this.#noted[kind]) {
      view.replaceChildren(make("p", { className: "about preview-problem" }, TEXT[kind].none), this.#again(kind));
      return;
    }
    try {
      const shown = kind === "calls" ? await this.#calls() : await this.#profile();
      if (this.#ended) view.replaceChildren(shown);
    } catch (error) {
      view.replaceChildren(make("p", { className: "about preview-problem" }, toProblem(error).message));
    }
  }

  #again(kind: Kind): HTMLElement {
    const again = (): void => {
      this.#option(kind).checked = true;
      remember(`watch-${kind}`, "true");
      void this.#runner.run();
    };
    return make("p", { className: "preview-problem" }, make("button", { type: "button", on: { click: again } }, TEXT[kind].run));
  }

  async #calls(): Promise<HTMLElement> {
    const { client } = this.#runner;
    const [{ callsView }, calls] = await Promise.all([import("./calls"), client.request({ type: "calls", run: client.run })]);
    return calls ? callsView(calls) : make("p", { className: "about preview-problem" }, "No calls were recorded.");
  }

  async #profile(): Promise<HTMLElement> {
    const { client } = this.#runner;
    const [{ profileView }, nodes] = await Promise.all([import("./profile"), client.request({ type: "profile", run: client.run })]);
    return nodes ? profileView(nodes) : make("p", { className: "about preview-problem" }, "There is no profile.");
  }
}
