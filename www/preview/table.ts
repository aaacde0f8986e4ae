/** A file of comma-separated values as a table, a window of it at a time. */
import type { ByteSource } from "../bytes";
import { make } from "../dom";
import { grouped } from "../format";
import { parseRows } from "./csv";

/** Bytes of a window; a row that is longer is shown as far as it goes. */
const WINDOW = 16 * 1024;
const MANY_COLUMNS = 200;

export async function tableView(source: ByteSource, separator: string): Promise<HTMLElement> {
  const table = new Table(source, separator);
  await table.show(0);
  return table.element;
}

class Table {
  readonly element = make("div", { className: "table-view" });
  /** Where the windows so far begin, in bytes. */
  readonly #starts = [0];
  /** Rows before each window. */
  readonly #rowsBefore = [0];
  #header: string[] = [];

  constructor(
    readonly source: ByteSource,
    readonly separator: string,
  ) {}

  async show(window: number): Promise<void> {
    const start = this.#starts[window] ?? 0;
    const before = this.#rowsBefore[window] ?? 0;
    const bytes = await this.source.read(start, WINDOW);
    const isLast = start + bytes.length >= this.source.size;
    // Whole characters only: what is cut off at the end comes with the next window.
    const text = new TextDecoder().decode(bytes, { stream: !isLast });
    let { rows, length } = parseRows(text, this.separator, isLast);
    if (rows.length === 0 && !isLast) [rows, length] = [[text.split(this.separator)], text.length];
    const used = new TextEncoder().encode(text.slice(0, length)).length;
    this.#starts[window + 1] = isLast ? this.source.size : start + used;
    this.#rowsBefore[window + 1] = before + rows.length;
    if (window === 0) this.#header = rows.shift() ?? [];
    this.#draw(rows, window, window === 0 ? 1 : before, isLast);
  }

  #draw(rows: string[][], window: number, first: number, isLast: boolean): void {
    const columns = Math.min(MANY_COLUMNS, Math.max(this.#header.length, ...rows.map((row) => row.length)));
    const cells = (row: string[], tag: "th" | "td"): HTMLElement[] =>
      Array.from({ length: columns }, (_, index) => {
        const text = row[index] ?? "";
        const number = tag === "td" && text !== "" && Number.isFinite(Number(text));
        return make(tag, { className: number ? "number" : "" }, text);
      });
    const body = rows.map((row, index) => make("tr", {}, make("th", { scope: "row" }, grouped(first + index)), ...cells(row, "td")));
    const table = make(
      "table",
      {},
      make("thead", {}, make("tr", {}, make("th", { className: "corner" }, "#"), ...cells(this.#header, "th"))),
      make("tbody", {}, ...body),
    );
    const scroll = make("div", { className: "table-scroll", tabIndex: 0, attrs: { role: "region", "aria-label": "Table" } }, table);
    const go = (label: string, to: number, enabled: boolean): HTMLElement =>
      make("button", { type: "button", disabled: !enabled, on: { click: () => void this.show(to) } }, label);
    const pager =
      window === 0 && isLast
        ? null
        : make(
            "div",
            { className: "pager" },
            go("Earlier rows", window - 1, window > 0),
            make("span", {}, `rows ${grouped(first)} to ${grouped(first + rows.length - 1)}`),
            go("Later rows", window + 1, !isLast),
          );
    this.element.replaceChildren(scroll, ...(pager ? [pager] : []));
  }
}
