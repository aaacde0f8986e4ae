/** CodeMirror as this page uses it: the chunk that is loaded when someone looks at a text. */
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { languageOf } from "./languages";
import { type Mark, span } from "./marks";

export interface CodeOptions {
  label: string;
  name: string;
  text: string;
  readOnly: boolean;
  /** The selection to begin with. */
  from: number;
  to: number;
  changed(text: string): void;
}

/** Colours come from the page's own variables, so that a change of theme needs nothing here. */
const look = EditorView.theme({
  "&": { flex: "1", minWidth: "0", height: "100%", backgroundColor: "var(--panel)", color: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "12.5px", lineHeight: "1.55" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--accent)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--sunk) 55%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--select) !important" },
  ".cm-cursor": { borderLeftColor: "var(--accent)" },
  ".cm-selectionMatch": { backgroundColor: "var(--warn-wash)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--wash)", outline: "1px solid var(--edge)" },
  ".cm-tooltip": { border: "1px solid var(--line)", backgroundColor: "var(--panel)", color: "var(--ink)", boxShadow: "var(--shadow)" },
  ".cm-diagnostic": { padding: "5px 10px", borderLeft: "3px solid var(--bad)", maxWidth: "560px", whiteSpace: "pre-wrap" },
  ".cm-panels": { backgroundColor: "var(--ground)", color: "var(--ink)" },
  ".cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 12px" },
  ".cm-panel.cm-search label": { fontSize: "12.5px" },
  ".cm-textfield, .cm-button": {
    border: "1px solid var(--edge)",
    borderRadius: "5px",
    background: "var(--panel)",
    color: "var(--ink)",
    fontSize: "12.5px",
  },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.controlKeyword, tags.definitionKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.character], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.macroName], color: "var(--code-name)" },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.standard(tags.name)], color: "var(--code-type)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

export class CodeView {
  readonly #view: EditorView;
  readonly #language = new Compartment();

  constructor(parent: HTMLElement, options: CodeOptions) {
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: options.text,
        selection: { anchor: Math.min(options.from, options.text.length), head: Math.min(options.to, options.text.length) },
        extensions: [
          lineNumbers(),
          highlightActiveLineGutter(),
          highlightActiveLine(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightSelectionMatches(),
          lintGutter(),
          syntaxHighlighting(colours),
          look,
          this.#language.of([]),
          EditorState.readOnly.of(options.readOnly),
          // It can be focused anyway; said so for those who look at attributes.
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": options.label, ...(options.readOnly ? { "aria-readonly": "true" } : {}) }),
          // Ctrl-Enter is the page's. Tab leaves the editor, as everywhere; Ctrl-] and Ctrl-[ indent.
          keymap.of([...defaultKeymap.filter(({ key }) => key !== "Mod-Enter"), ...historyKeymap, ...searchKeymap, ...lintKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) options.changed(update.state.doc.toString());
          }),
        ],
      }),
    });
    void this.#highlight(options.name);
  }

  async #highlight(name: string): Promise<void> {
    const language = await languageOf(name)?.();
    if (language) this.#view.dispatch({ effects: this.#language.reconfigure(language) });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  focus(): void {
    this.#view.focus();
  }

  setMarks(marks: readonly Mark[]): void {
    const text = this.text;
    const diagnostics = marks.map((mark): Diagnostic => ({ ...span(text, mark), severity: "error", message: mark.message }));
    diagnostics.sort((a, b) => a.from - b.from);
    this.#view.dispatch(setDiagnostics(this.#view.state, diagnostics));
  }

  /** Brings a place into view, with the cursor there. */
  goTo(mark: Mark): void {
    const { from } = span(this.text, mark);
    this.#view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }
}
