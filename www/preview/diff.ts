/** What is different between two files: line by line for texts, in numbers for other bytes. */
import { diffLines } from "diff";
import { type ByteSource, toBlob } from "../bytes";
import { make } from "../dom";
import { bytes as bytesText, grouped, plural } from "../format";
import { hexDump, looksLikeText } from "./decode";

interface Named {
  name: string;
  source: ByteSource;
}

/** Larger files are compared as bytes. */
const LINES_MAX = 2 * 1024 * 1024;
const BYTES_MAX = 64 * 1024 * 1024;
/** Comparing two long texts that have nothing in common would take for ever. */
const TIMEOUT_MS = 2000;
/** Unchanged lines that are shown around a change. */
const AROUND = 3;
const MANY_LINES = 5000;

/** A view of what has changed from one of `others` to `now`. */
export async function diffView(now: Named, others: Named[]): Promise<HTMLElement> {
  const body = make("div", { className: "diff-body" });
  const show = async (index: number): Promise<void> => {
    const before = others[index];
    if (before) body.replaceChildren(await compare(before, now));
  };
  const choice = make(
    "select",
    { attrs: { "aria-label": "Compare with" }, on: { change: () => void show(choice.selectedIndex) } },
    ...others.map(({ name }) => make("option", {}, name)),
  );
  await show(0);
  return make("div", { className: "diff" }, make("div", { className: "diff-head" }, make("span", {}, "Compared with"), choice), body);
}

async function compare(before: Named, now: Named): Promise<HTMLElement> {
  const [a, b] = [before.source, now.source];
  const small = a.size <= LINES_MAX && b.size <= LINES_MAX;
  if (small && looksLikeText(await a.read(0, 65536)) && looksLikeText(await b.read(0, 65536))) {
    const [old, young] = await Promise.all([toBlob(a), toBlob(b)].map(async (blob) => (await blob).text()));
    const lines = lineDiff(old ?? "", young ?? "");
    if (lines) return lines;
  }
  return byteDiff(a, b);
}

/** Null if it takes too long. */
function lineDiff(old: string, young: string): HTMLElement | null {
  if (old === young) return make("p", { className: "about preview-problem" }, "Both are the same.");
  const parts = diffLines(old, young, { timeout: TIMEOUT_MS });
  if (!parts) return null;
  const rows: HTMLElement[] = [];
  let [left, right] = [1, 1];
  let [added, removed] = [0, 0];
  parts.forEach((part, index) => {
    const lines = part.value.replace(/\n$/, "").split("\n");
    const sign = part.added ? "+" : part.removed ? "−" : " ";
    if (part.added) added += lines.length;
    if (part.removed) removed += lines.length;
    const hidden = sign === " " ? folded(lines.length, index === 0, index === parts.length - 1) : null;
    lines.forEach((line, at) => {
      const [from, to] = [part.added ? "" : String(left), part.removed ? "" : String(right)];
      if (!part.added) left += 1;
      if (!part.removed) right += 1;
      if (hidden && at >= hidden.from && at < hidden.to) {
        if (at === hidden.from) rows.push(row("gap", "", "", "", `${plural(hidden.to - hidden.from, "line")} the same`));
        return;
      }
      rows.push(row(part.added ? "added" : part.removed ? "removed" : "same", from, to, sign, line));
    });
  });
  const more = rows.length - MANY_LINES;
  if (more > 0) rows.splice(MANY_LINES, more, row("gap", "", "", "", `and ${plural(more, "more line", "more lines")}`));
  const table = make("table", { className: "diff-lines", attrs: { "aria-label": "Changed lines" } }, make("tbody", {}, ...rows));
  return make(
    "div",
    { className: "diff-scroll", tabIndex: 0, attrs: { role: "region", "aria-label": "Changed lines" } },
    make("p", { className: "about diff-sum" }, `${plural(added, "line")} added, ${plural(removed, "line")} removed`),
    table,
  );
}

/** Which of `count` unchanged lines are left out. */
function folded(count: number, first: boolean, last: boolean): { from: number; to: number } | null {
  const from = first ? 0 : AROUND;
  const to = last ? count : count - AROUND;
  return to - from > 1 ? { from, to } : null;
}

function row(kind: string, from: string, to: string, sign: string, text: string): HTMLElement {
  return make("tr", { className: kind }, make("td", {}, from), make("td", {}, to), make("td", {}, sign), make("td", {}, text));
}

async function byteDiff(a: ByteSource, b: ByteSource): Promise<HTMLElement> {
  if (Math.max(a.size, b.size) > BYTES_MAX) {
    return make("p", { className: "about preview-problem" }, `Too large to compare here: ${bytesText(a.size)} and ${bytesText(b.size)}.`);
  }
  const [old, young] = await Promise.all([a, b].map(async (source) => new Uint8Array(await (await toBlob(source)).arrayBuffer())));
  if (!old || !young) throw new Error("a file can't be read");
  const common = Math.min(old.length, young.length);
  let first = -1;
  let count = 0;
  for (let at = 0; at < common; at++) {
    if (old[at] === young[at]) continue;
    if (first < 0) first = at;
    count += 1;
  }
  if (first < 0 && old.length === young.length) return make("p", { className: "about preview-problem" }, "Both are the same.");
  if (first < 0) first = common;
  const from = Math.max(0, first - (first % 16) - 32);
  const part = (bytes: Uint8Array): string => hexDump(bytes.subarray(from, from + 128), from) || "(ends before)";
  return make(
    "div",
    { className: "diff-scroll", tabIndex: 0, attrs: { role: "region", "aria-label": "Changed bytes" } },
    make(
      "ul",
      { className: "about diff-sum" },
      make("li", {}, `${grouped(old.length)} bytes before, ${grouped(young.length)} now`),
      make("li", {}, `${plural(count, "byte")} different in the ${grouped(common)} that both have`),
      make("li", {}, `The first difference is at byte ${grouped(first)} (0x${first.toString(16)})`),
    ),
    make("h4", {}, "Before"),
    make("pre", {}, part(old)),
    make("h4", {}, "Now"),
    make("pre", {}, part(young)),
  );
}
