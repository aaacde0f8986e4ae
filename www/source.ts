/** The program's source as a document: a text that runs, to be edited, or what a sample was compiled from. */
import type { Documents } from "./documents";
import { make } from "./dom";
import { Editor } from "./editor/editor";
import type { Mark } from "./editor/marks";

export const SOURCE = "source";

/** After the last key; then the text is taken, and its errors shown. */
const TYPING_MS = 400;

export interface SourceEvents {
  /** A key was pressed: `typed` will follow. */
  typing(): void;
  /** What was typed, in pauses. */
  typed(text: string): void;
  /** Whether there is a source that is not shown. */
  hidden(is: boolean): void;
}

export interface SourceText {
  name: string;
  text: string;
  /** It is not what runs: that was compiled from it. */
  readOnly: boolean;
  /** What it is, for a tooltip and for those who do not see it. */
  about: string;
}

export class Source {
  readonly #docs: Documents;
  readonly #events: SourceEvents;
  #shown: SourceText | null = null;
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

  get shown(): SourceText | null {
    return this.#shown;
  }

  /** Shows a text in place of the one before. */
  show(source: SourceText): void {
    this.#drop();
    this.#shown = source;
    const { name, text, readOnly, about } = source;
    const editor = new Editor({
      label: `${about}: ${name}`,
      name,
      text,
      readOnly,
      changed: () => {
        this.#touched = true;
        this.#events.typing();
        clearTimeout(this.#timer);
        this.#timer = window.setTimeout(() => this.flush(), TYPING_MS);
      },
    });
    this.#editor = editor;
    const note = readOnly ? make("p", { className: "doc-note" }, `${about}; to read, it is not compiled here.`) : null;
    this.#docs.open({
      key: SOURCE,
      title: name,
      about,
      panel: make("div", { className: "source" }, note, editor.element),
      closed: () => {
        // Another text has taken its place.
        if (this.#editor !== editor) return;
        this.#drop();
        this.#events.hidden(true);
      },
    });
    this.#events.hidden(false);
  }

  /** Shows it again, after it was closed. */
  reopen(): void {
    if (this.#docs.has(SOURCE)) this.#docs.show(SOURCE);
    else if (this.#shown) this.show(this.#shown);
    this.focus();
  }

  /** The program has no source here. */
  clear(): void {
    this.#docs.close(SOURCE);
    this.#shown = null;
    this.#events.hidden(false);
  }

  /** Brings it into view, to be written in. */
  focus(): void {
    this.#docs.wanted.emit();
    this.#editor?.focus();
  }

  /** Shows what is wrong with the text, where it is. */
  setMarks(marks: readonly Mark[]): void {
    this.#editor?.setMarks(marks);
  }

  /** Takes what was typed and is not taken yet; before a run. */
  flush(): void {
    if (this.#timer === 0 || !this.#editor || !this.#shown) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#events.typed(this.#editor.text);
  }

  /** Nothing typed is lost with the field. */
  #drop(): void {
    this.flush();
    if (this.#editor && this.#shown) this.#shown = { ...this.#shown, text: this.#editor.text };
    this.#editor?.destroy();
    this.#touched = false;
    this.#editor = null;
  }
}
