/** What happens to projects when the page goes: it is left, put away, or reloaded for an update. */
import { clearProblem, showProblem } from "../alerts";
import type { BeforeUpdateEvent } from "../offline/register";
import type { Signal } from "../signal";

export interface Guarded {
  readonly changed: Signal<void>;
  /** Whether something would be lost with the page. */
  atRisk(): boolean;
  /** Saves all that can be saved. */
  save(): Promise<void>;
  /** The page may go without another word. */
  hidden(): void;
  /** The page goes. */
  left(): void;
}

export function guardPage(guarded: Guarded): void {
  /** The user wants it to be reloaded whatever is lost. */
  let givenUp = false;
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && guarded.hidden());
  window.addEventListener("pagehide", () => guarded.left());
  window.addEventListener("beforeunload", (event) => {
    guarded.hidden();
    if (guarded.atRisk() && !givenUp) event.preventDefault();
  });
  window.addEventListener("verirun-before-update", (event) => (event as BeforeUpdateEvent).waitUntil(settled()));

  /** Waits until nothing would be lost, or the user says that it may be. */
  async function settled(): Promise<void> {
    await guarded.save();
    if (!guarded.atRisk()) return;
    await new Promise<void>((resolve) => {
      const stop = guarded.changed.on(() => guarded.atRisk() || resolve());
      const problem = { code: "update-waits", message: "The update waits: not everything is saved.", hint: "Decide about it above; then the page is reloaded." };
      const giveUp = (): void => {
        givenUp = true;
        stop();
        resolve();
      };
      showProblem("update", problem, [{ label: "Reload, and lose what is not saved", act: giveUp }]);
    });
    clearProblem("update");
  }
}
