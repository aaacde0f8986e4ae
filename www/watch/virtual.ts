/** A long list of rows of one height, of which only those in view exist. */
import { make } from "../dom";

/** Rows beyond the edges, so that scrolling shows no gap. */
const BEYOND = 12;

export class VirtualRows {
  readonly element: HTMLElement;
  readonly #inner = make("div", { className: "virtual-rows", attrs: { role: "rowgroup" } });
  readonly #height: number;
  readonly #row: (index: number) => HTMLElement;
  #count = 0;
  #from = -1;
  #to = -1;

  /** `head` stays above the rows; `row` makes the one with that index. */
  constructor(label: string, head: HTMLElement, height: number, row: (index: number) => HTMLElement) {
    this.#height = height;
    this.#row = row;
    this.element = make("div", { className: "virtual", tabIndex: 0, attrs: { role: "table", "aria-label": label } }, head, this.#inner);
    this.element.addEventListener("scroll", () => this.#draw(), { passive: true });
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  setCount(count: number): void {
    this.#count = count;
    this.#from = -1;
    this.element.setAttribute("aria-rowcount", String(count + 1));
    this.#inner.style.height = `${count * this.#height}px`;
    this.#draw();
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.element;
    const from = Math.max(0, Math.floor(scrollTop / this.#height) - BEYOND);
    const to = Math.min(this.#count, Math.ceil((scrollTop + clientHeight) / this.#height) + BEYOND);
    if (from === this.#from && to === this.#to) return;
    [this.#from, this.#to] = [from, to];
    const rows: HTMLElement[] = [];
    for (let index = from; index < to; index++) {
      const row = this.#row(index);
      row.setAttribute("role", "row");
      row.setAttribute("aria-rowindex", String(index + 2));
      row.style.top = `${index * this.#height}px`;
      rows.push(row);
    }
    this.#inner.replaceChildren(...rows);
  }
}
