/** What the lint found, folded below the program: one line, and the rest on demand. */
import { make } from "./dom";
import type { LintReport, Location } from "./face";
import { grouped, plural } from "./format";

/** Rows of one kind; `verirun lint --json` has all. */
const MANY = 50;

export function lintView(report: LintReport): HTMLElement {
  const { refused, fixed, features } = report;
  const found = [
    refused.length > 0 ? plural(refused.length, "reason", "reasons") + " not to run" : null,
    fixed.length > 0 ? `${fixed.map((entry) => entry.what).join(", ")} fixed` : "nothing to fix",
  ].filter((part) => part !== null);
  return make(
    "details",
    { className: "lint", open: refused.length > 0 },
    make("summary", {}, `Determinism: ${found.join("; ")}`),
    report.functionTask.likely ? make("p", { className: "about" }, "It looks like a Truebit function task: it reads input.txt and writes output.txt.") : null,
    section("Keeps it from running", refused.slice(0, MANY).map((entry) => row(null, entry.message, entry.count, entry.first))),
    section("Fixed by the profile", fixed.map((entry) => row(entry.what, entry.how, entry.count, entry.first))),
    section("Features it needs", features.map((entry) => row(entry.name, entry.supported ? "" : "not supported", entry.count, entry.first.slice(0, 1)))),
    section("Sizes", [
      ...report.memories.slice(0, MANY).map((memory) => row("memory", sizes(memory, "page", memory.pageBytes === 65536 ? "" : ` of ${memory.pageBytes} bytes`), 0, [])),
      ...report.tables.slice(0, MANY).map((table) => row("table", sizes(table, "element"), 0, [])),
    ]),
  );
}

function sizes({ min, max }: { min: number; max: number | null }, unit: string, detail = ""): string {
  return `${plural(min, unit)}${detail}, ${max === null ? "no declared maximum" : `at most ${grouped(max)}`}`;
}

function section(title: string, rows: HTMLElement[]): HTMLElement | null {
  return rows.length > 0 ? make("div", { className: "names" }, make("h3", {}, title), make("ul", {}, ...rows)) : null;
}

function row(name: string | null, text: string, count: number, first: Location[]): HTMLElement {
  const times = count > 0 && first.length > 0 ? `${grouped(count)}×, first at ${first.slice(0, 2).map(place).join(", ")}` : "";
  return make(
    "li",
    {},
    name === null ? null : make("strong", {}, name),
    text === "" ? null : `${name === null ? "" : ": "}${text}`,
    times === "" ? null : make("small", { className: "places" }, times),
  );
}

function place({ offset, function: inside }: Location): string {
  const at = `0x${offset.toString(16)}`;
  return inside ? `${at} in ${inside.name ?? `function ${inside.index}`}` : at;
}
