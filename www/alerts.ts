/** Problems, shown where they cannot be missed and announced at once. */
import { byId, iconButton, make } from "./dom";
import { toProblem } from "./problem";
import type { Problem } from "./protocol";

/** Shows a problem, with what can be done about it on buttons; one with the same topic is replaced. */
export function showProblem(topic: string, error: Problem | unknown, choices: readonly { label: string; act(): void }[] = []): void {
  const problem = error instanceof Error || typeof error !== "object" ? toProblem(error) : (error as Problem);
  clearProblem(topic);
  const buttons = make("p", { className: "row" }, ...choices.map(({ label, act }) => make("button", { type: "button", on: { click: act } }, label)));
  const alert = make(
    "div",
    { className: "alert", attrs: { role: "alert", "data-topic": topic, "data-code": problem.code } },
    make("div", {}, make("p", { className: "alert-message" }, problem.message), problem.hint ? make("p", {}, problem.hint) : null, choices.length > 0 ? buttons : null),
    iconButton("close", "Dismiss", () => alert.remove()),
  );
  byId("alerts").append(alert);
}

export function clearProblem(topic: string): void {
  for (const alert of byId("alerts").querySelectorAll<HTMLElement>(".alert")) {
    if (alert.dataset["topic"] === topic) alert.remove();
  }
}
