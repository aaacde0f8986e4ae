/** A problem inside a dialog, which covers the page's own alerts. */
import { make } from "../dom";
import { toProblem } from "../problem";

export function problemView(error: unknown): HTMLElement {
  const { code, message, hint } = toProblem(error);
  return make("div", { className: "share-problem", attrs: { role: "alert", "data-code": code } }, make("p", { className: "alert-message" }, message.charAt(0).toUpperCase() + message.slice(1)), hint === "" ? null : make("p", {}, hint));
}
