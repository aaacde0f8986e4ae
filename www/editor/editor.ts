/**
 * A text with lines, to write or to read.
 *
 * It begins as a plain text field, which is there at once and works if nothing else can be loaded;
 * CodeMirror takes its place when it has come, with text, selection and focus.
 */
import { make } from "../dom";
import type { CodeView } from "./codemirror";
import type { Mark } from "./marks";
import { span } from "./marks";

export interface EditorOptions {
  /** What it is, for those who do not see it. */
  label: string;
  /** The file's name, which tells the language. */
  name: string;
  text: string;
  readOnly: boolean;
  changed(text: string): void;
}

export class Editor {
  readonly element: HTMLElement;
  readonly #options: EditorOptions;
  readonly #area: HTMLTextAreaElement;
  readonly #problems = make("ul", { className: "editor-problems", hidden: true, attrs: { "aria-label": "Problems" } });
  #code: CodeView | null = null;
  #upgrading = false;
  #marks: readonly Mark[] = [];

  constructor(options: EditorOptions) {
    this.#options = options;
    this.#area = make("textarea", {
      value: options.text,
      readOnly: options.readOnly,
      spellcheck: false,
      attrs: { "aria-label": options.label, autocapitalize: "off", autocomplete: "off", wrap: "off" },
      on: { input: () => options.changed(this.#area.value) },
    });
    this.element = make("div", { className: "editor" }, this.#area, this.#problems);
    if (options.readOnly) this.#upgradeLater();
    else setTimeout(() => void this.#upgrade(), 0);
  }

  /** What is only read is readable as it is: the page and its runtime come first. */
  #upgradeLater(): void {
    // At the first sign of someone who looks at it.
    for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      addEventListener(sign, () => void this.#upgrade(), { once: true, passive: true });
    }
  }

  async #upgrade(): Promise<void> {
    if (this.#upgrading) return;
    this.#upgrading = true;
    const loaded = await import("./codemirror").catch(() => null);
    if (!loaded || !this.element.isConnected) return;
    const area = this.#area;
    const focused = document.activeElement === area;
    const host = make("div", { className: "code" });
    this.#code = new loaded.CodeView(host, { ...this.#options, text: area.value, from: area.selectionStart, to: area.selectionEnd });
    area.replaceWith(host);
    this.setMarks(this.#marks);
    if (focused) this.#code.focus();
  }

  get text(): string {
    return this.#code?.text ?? this.#area.value;
  }

  focus(): void {
    if (this.#code) this.#code.focus();
    else this.#area.focus();
  }

  /** Shows problems where they are, and in a list below the text. */
  setMarks(marks: readonly Mark[]): void {
    this.#marks = marks;
    this.#code?.setMarks(marks);
    this.#problems.hidden = marks.length === 0;
    this.#problems.replaceChildren(
      ...marks.map((mark) => {
        const place = mark.column === null ? `Line ${mark.line}` : `${mark.line}:${mark.column}`;
        const go = make("button", { type: "button", on: { click: () => this.#goTo(mark) } }, make("strong", {}, place), ` ${mark.message}`);
        return make("li", {}, go);
      }),
    );
  }

  #goTo(mark: Mark): void {
    if (this.#code) {
      this.#code.goTo(mark);
      return;
    }
    const { from, to } = span(this.#area.value, mark);
    this.#area.focus();
    this.#area.setSelectionRange(from, to);
  }

  destroy(): void {
    this.#code?.destroy();
  }
}
