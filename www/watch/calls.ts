/** The calls of a run to its system, one a row, filtered by function, by text, or to those that failed. */
import { make } from "../dom";
import type { CallEntry, Calls } from "../face";
import { grouped, plural } from "../format";
import { answerText, argumentsText } from "./signatures";
import { VirtualRows } from "./virtual";

const ROW = 25;

interface Line {
  call: CallEntry;
  text: string;
  answer: string;
}

export function callsView({ total, calls }: Calls): HTMLElement {
  const lines: Line[] = calls.map((call) => ({ call, text: argumentsText(call), answer: answerText(call) }));
  let shown = lines;
  const cell = (role: string, className: string, ...children: (string | Node)[]): HTMLElement => make("span", { className, attrs: { role } }, ...children);
  const head = make(
    "div",
    { className: "virtual-head", attrs: { role: "rowgroup" } },
    make(
      "div",
      { className: "call", attrs: { role: "row", "aria-rowindex": "1" } },
      cell("columnheader", "number", "#"),
      cell("columnheader", "number", "Step"),
      cell("columnheader", "name", "Function"),
      cell("columnheader", "text", "Arguments"),
      cell("columnheader", "answer", "Result"),
    ),
  );
  const rows = new VirtualRows("Calls", head, ROW, (index) => {
    const line = shown[index];
    if (!line) return make("div");
    const { call, text, answer } = line;
    const failed = call.errno !== null && call.errno !== 0;
    return make(
      "div",
      { className: failed ? "call failed" : "call" },
      cell("cell", "number", grouped(call.number)),
      cell("cell", "number", grouped(call.steps)),
      cell("cell", "name", call.function),
      make("span", { className: "text", title: text, attrs: { role: "cell" } }, text),
      cell("cell", "answer", answer),
    );
  });

  const counts = new Map<string, number>();
  for (const { function: name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts].sort(([a], [b]) => a.localeCompare(b));
  const functions = make(
    "select",
    { id: "callFilter", attrs: { "aria-label": "Function" } },
    make("option", { value: "" }, `All functions (${grouped(calls.length)})`),
    ...names.map(([name, count]) => make("option", { value: name }, `${name} (${grouped(count)})`)),
  );
  const search = make("input", { id: "callSearch", type: "text", placeholder: "Find in arguments", spellcheck: false, attrs: { "aria-label": "Find in arguments" } });
  const failed = make("input", { id: "callErrors", type: "checkbox" });
  const sum = make("span", { className: "sum", attrs: { role: "status" } });
  const left = total - calls.length;
  const filter = (): void => {
    const wanted = search.value.trim().toLowerCase();
    shown = lines.filter(
      ({ call, text, answer }) =>
        (functions.value === "" || call.function === functions.value) &&
        (!failed.checked || (call.errno !== null && call.errno !== 0)) &&
        (wanted === "" || text.toLowerCase().includes(wanted) || answer.toLowerCase().includes(wanted)),
    );
    sum.textContent = `${plural(shown.length, "call")}${left > 0 ? `; ${grouped(left)} in the middle of the run are not kept` : ""}`;
    rows.element.scrollTop = 0;
    rows.setCount(shown.length);
  };
  functions.addEventListener("change", filter);
  search.addEventListener("input", filter);
  failed.addEventListener("change", filter);
  filter();
  return make(
    "div",
    { className: "calls" },
    make("div", { className: "watch-bar" }, functions, search, make("label", { className: "check" }, failed, " Failed only"), sum),
    rows.element,
  );
}
