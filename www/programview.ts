/** The program section: samples, a file of the user's, or a text module typed here. */
import { byId, make } from "./dom";
import type { LintReport, ModuleInfo } from "./face";
import { bytes as bytesText, grouped, plural } from "./format";
import { lintView } from "./lintview";
import type { Sample } from "./samples";
import type { Program } from "./session";

export interface ProgramEvents {
  sample(sample: Sample): void;
  file(file: File): void;
  /** A text module was opened for writing or changed; `pause` since the last key. */
  text(program: Program): void;
}

const STARTER = `(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "Hello from WAT!\\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16)) ;; where the text lies
    (i32.store (i32.const 4) (i32.const 16)) ;; how long it is
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
`;

/** After the last key; then the text is assembled and its errors shown. */
const TYPING_MS = 500;

export class ProgramView {
  readonly #events: ProgramEvents;
  readonly #text = byId<HTMLTextAreaElement>("watText");
  #samples: Sample[] = [];
  #name = "program.wat";
  #timer = 0;

  constructor(events: ProgramEvents) {
    this.#events = events;
    const picker = byId<HTMLInputElement>("programFile");
    byId("openProgram").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      const file = picker.files?.[0];
      // So that choosing the same file again, rebuilt, is a change as well.
      picker.value = "";
      if (file) events.file(file);
    });
    byId("writeWat").addEventListener("click", () => {
      this.openText("program.wat", STARTER);
      this.#text.focus();
    });
    this.#text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.flush(), TYPING_MS);
    });
    byId<HTMLSelectElement>("sample").addEventListener("change", () => this.#choose());
  }

  setSamples(samples: Sample[]): void {
    this.#samples = samples;
    const select = byId<HTMLSelectElement>("sample");
    select.replaceChildren(
      make("option", { value: "" }, samples.length > 0 ? "None: your own program" : "No samples here"),
      ...samples.map((sample) => make("option", { value: sample.id }, `${sample.title} (${sample.language})`)),
    );
  }

  selectSample(sample: Sample): void {
    byId<HTMLSelectElement>("sample").value = sample.id;
    byId("sampleAbout").textContent = sample.description;
    this.#closeText();
  }

  /** The program is no sample. */
  selectOwn(): void {
    byId<HTMLSelectElement>("sample").value = "";
    byId("sampleAbout").textContent = "";
    this.#closeText();
  }

  /** Shows a text module for editing and loads it. */
  openText(name: string, text: string): void {
    this.selectOwn();
    this.#name = name;
    this.#text.value = text;
    byId("wat").hidden = false;
    this.#emit();
  }

  /** Takes what was typed and is not loaded yet; before a run. */
  flush(): void {
    if (this.#timer === 0) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#emit();
  }

  showLoading(name: string): void {
    this.#card([make("p", {}, make("strong", {}, name)), make("p", { className: "about" }, "Checking and compiling…")], "busy");
  }

  showRefused(name: string, message: string): void {
    this.#card([make("p", {}, make("strong", {}, name)), make("p", { className: "field-problem" }, message)], "bad");
  }

  showInfo(info: ModuleInfo): void {
    const memory = info.memoryPages ? `${grouped(info.memoryPages.min)} pages` : "none";
    const kind = info.kind === "command" ? "" : " · reactor";
    this.#card(
      [
        make("p", {}, make("strong", {}, info.name), make("span", { className: "sum" }, `${bytesText(info.size)}${kind}`)),
        make(
          "details",
          {},
          make("summary", {}, plural(info.imports.length, "import"), ", ", plural(info.exports.length, "export")),
          make("p", { className: "about" }, `Memory at the start: ${memory}`),
          make("p", { className: "hash" }, make("span", {}, "SHA-256 "), make("code", {}, info.sha256)),
          list(info.imports.map(({ module, name }) => `${module} · ${name}`), "Imports"),
          list(info.exports, "Exports"),
        ),
      ],
      "good",
    );
  }

  /** Below what is shown of the program now. */
  showLint(report: LintReport): void {
    byId("program").querySelector(".lint")?.remove();
    byId("program").append(lintView(report));
  }

  #card(children: Node[], state: string): void {
    const card = byId("program");
    card.hidden = false;
    card.dataset["state"] = state;
    card.replaceChildren(...children);
  }

  #choose(): void {
    const id = byId<HTMLSelectElement>("sample").value;
    const sample = this.#samples.find((other) => other.id === id);
    if (sample) this.#events.sample(sample);
  }

  #closeText(): void {
    clearTimeout(this.#timer);
    this.#timer = 0;
    byId("wat").hidden = true;
  }

  #emit(): void {
    this.#events.text({ name: this.#name, source: new Blob([this.#text.value]) });
  }
}

function list(names: string[], title: string): HTMLElement {
  return make(
    "div",
    { className: "names" },
    make("h3", {}, title),
    make("ul", {}, ...names.map((name) => make("li", {}, make("code", {}, name)))),
  );
}
