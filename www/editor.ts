/** A field for text with lines: the plain one. */
import { make } from "./dom";

export interface EditorOptions {
  label: string;
  text: string;
  readOnly: boolean;
  changed(text: string): void;
}

export class Editor {
  readonly element: HTMLElement;
  readonly #area: HTMLTextAreaElement;

  constructor(options: EditorOptions) {
    this.#area = make("textarea", {
      value: options.text,
      readOnly: options.readOnly,
      spellcheck: false,
      attrs: { "aria-label": options.label, autocapitalize: "off", autocomplete: "off", wrap: "off" },
      on: { input: () => options.changed(this.#area.value) },
    });
    this.element = make("div", { className: "editor" }, this.#area);
  }

  get text(): string {
    return this.#area.value;
  }

  focus(): void {
    this.#area.focus();
  }
}
