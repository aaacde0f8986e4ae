/** JSON with its lines broken and indented; the text as it is, and why, if it is not JSON. */
import { make } from "../dom";

/** More is shown as the file's text. */
const SHOWN = 1024 * 1024;

export function jsonView(text: string): HTMLElement {
  const pre = (content: string): HTMLElement => make("pre", { tabIndex: 0, attrs: { "aria-label": "JSON" } }, content);
  try {
    const pretty = JSON.stringify(JSON.parse(text), null, 2);
    if (pretty.length <= SHOWN) return pre(pretty);
    return make("div", {}, make("p", { className: "doc-note" }, "The first part; the rest is under Text."), pre(pretty.slice(0, SHOWN)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return make("div", {}, make("p", { className: "doc-note field-problem" }, `This is not JSON: ${why}`), pre(text.slice(0, SHOWN)));
  }
}
