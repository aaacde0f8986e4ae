/** The program's source as a document: a text module that can be edited, or what a sample was compiled from. */
import type { Documents } from "./documents";
import { make } from "./dom";
import { Editor } from "./editor";
import type { Program } from "./session";

export const SOURCE = "source";

/** After the last key; then the text is assembled and its errors shown. */
const TYPING_MS = 500;

export interface SourceEvents {
  /** What was typed, in pauses. */
  typed(program: Program): void;
  /** Whether there is a source that is not shown. */
  hidden(is: boolean): void;
}

interface Shown {
  name: string;
  text: string;
  readOnly: boolean;
}

export class Source {
  readonly #docs: Documents;
  readonly #events: SourceEvents;
  #shown: Shown | null = null;
  #editor: Editor | null = null;
  #timer = 0;
  #touched = false;

  constructor(docs: Documents, events: SourceEvents) {
    this.#docs = docs;
    this.#events = events;
  }

  /** Whether someone has typed here: then nothing else is to come to the front by itself. */
  get touched(): boolean {
    return this.#touched && this.#docs.active === SOURCE;
  }

  /** Shows a text module for editing. */
  edit(name: string, text: string): void {
    this.#show({ name, text, readOnly: false });
  }

  /** Shows what a compiled program was made from. */
  read(name: string, text: string): void {
    this.#show({ name, text, readOnly: true });
  }

  /** Shows it again, after it was closed. */
  reopen(): void {
    if (this.#docs.has(SOURCE)) this.#docs.show(SOURCE);
    else if (this.#shown) this.#show(this.#shown);
    this.focus();
  }

  /** The program has no source here. */
  clear(): void {
    this.#docs.close(SOURCE);
    this.#shown = null;
    this.#events.hidden(false);
  }

  focus(): void {
    this.#editor?.focus();
  }

  /** Takes what was typed and is not taken yet; before a run. */
  flush(): void {
    if (this.#timer === 0 || !this.#editor || !this.#shown) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#events.typed({ name: this.#shown.name, source: new Blob([this.#editor.text]) });
  }

  #show(shown: Shown): void {
    this.#drop();
    this.#shown = shown;
    const about = shown.readOnly ? "What the program was compiled from" : "The program, in the WebAssembly text format";
    const editor = new Editor({
      label: `${about}: ${shown.name}`,
      text: shown.text,
      readOnly: shown.readOnly,
      changed: () => {
        this.#touched = true;
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.flush(), TYPING_MS);
      },
    });
    this.#editor = editor;
    const note = shown.readOnly ? make("p", { className: "doc-note" }, `${about}; to read, it is not compiled here.`) : null;
    this.#docs.open({
      key: SOURCE,
      title: shown.name,
      about,
      panel: make("div", { className: "source" }, note, editor.element),
      closed: () => {
        this.#drop();
        this.#events.hidden(true);
      },
    });
    this.#events.hidden(false);
  }

  /** Nothing typed is lost with the field. */
  #drop(): void {
    this.flush();
    if (this.#editor && this.#shown) this.#shown = { ...this.#shown, text: this.#editor.text };
    this.#touched = false;
    this.#editor = null;
  }
}
