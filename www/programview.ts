/** The program section: samples, a file of the user's, and what the runtime says of it. */
import { byId, make } from "./dom";
import type { LintReport, ModuleInfo } from "./face";
import { bytes as bytesText, grouped, plural } from "./format";
import { lintView } from "./lintview";
import type { Sample } from "./samples";

export interface ProgramEvents {
  sample(sample: Sample): void;
  file(file: File): void;
  /** To write a program here: in WebAssembly text, or for the runtime with this id. */
  write(language: string): void;
  /** To show the source again. */
  source(): void;
}

/** Smaller modules are there before this could be read. */
const SHOW_PROGRESS = 200_000;

export class ProgramView {
  readonly #events: ProgramEvents;
  #samples: Sample[] = [];
  /** What was shown before a module began to come. */
  #before: { children: Node[]; state: string | undefined } | null = null;

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
    byId("writeWat").addEventListener("click", () => events.write(""));
    byId("openSource").addEventListener("click", () => events.source());
    byId<HTMLSelectElement>("sample").addEventListener("change", () => this.#choose());
  }

  setSamples(samples: Sample[]): void {
    this.#samples = samples;
    const select = byId<HTMLSelectElement>("sample");
    select.replaceChildren(
      make("option", { value: "" }, samples.length > 0 ? "None: your own program" : "No samples here"),
      ...samples
        .filter(({ runtimeFor }) => !runtimeFor)
        .map((sample) => make("option", { value: sample.id }, `${sample.title} (${sample.language})`)),
      ...samples.filter(({ runtimeFor }) => runtimeFor).map(({ id, title }) => make("option", { value: id }, `New ${title} program`)),
    );
    const writers = samples.filter(({ runtimeFor }) => runtimeFor);
    byId("writers").replaceChildren(
      ...writers.map(({ id, title }) => make("button", { type: "button", on: { click: () => this.#events.write(id) } }, `Write ${title}`)),
    );
    const endings = [".wasm", ".wat", ".wast", ".vtask", ".zip", ...writers.flatMap(({ runtimeFor }) => (runtimeFor ?? []).map((ending) => `.${ending}`))];
    byId<HTMLInputElement>("programFile").accept = endings.join(",");
  }

  selectSample(sample: Sample): void {
    byId<HTMLSelectElement>("sample").value = sample.id;
    byId("sampleAbout").textContent = sample.description;
  }

  /** The program is no sample. */
  selectOwn(): void {
    byId<HTMLSelectElement>("sample").value = "";
    byId("sampleAbout").textContent = "";
  }

  /** Whether there is a source that is not shown. */
  offerSource(offered: boolean): void {
    byId("openSource").hidden = !offered;
  }

  /** How much of a module has come. */
  showProgress(name: string, loaded: number, total: number | null): void {
    if (loaded < SHOW_PROGRESS) return;
    const of = total === null ? "" : ` of ${bytesText(total)}`;
    const bar = make("progress", { attrs: { "aria-label": `Loading ${name}` } });
    if (total !== null) bar.value = Math.min(1, loaded / total);
    const card = byId("program");
    const before = this.#before ?? { children: [...card.childNodes], state: card.dataset["state"] };
    this.#card([make("p", {}, make("strong", {}, name)), make("p", { className: "about" }, `Loading ${bytesText(loaded)}${of}`), bar], "busy");
    this.#before = before;
  }

  /** The module does not come: the one before is still there. */
  endProgress(): void {
    if (this.#before?.state) this.#card(this.#before.children, this.#before.state);
    else if (this.#before) this.showNone();
  }

  /** There is no program. */
  showNone(): void {
    this.#card([], "none");
    byId("program").hidden = true;
  }

  showLoading(name: string): void {
    this.#card([make("p", {}, make("strong", {}, name)), make("p", { className: "about" }, "Checking and compiling…")], "busy");
  }

  /** Nobody wanted to wait for what checks it. */
  showUnchecked(name: string): void {
    this.#card([make("p", {}, make("strong", {}, name)), make("p", { className: "about" }, "Not checked yet: it will be when it is run.")], "unchecked");
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
    this.#before = null;
    card.hidden = false;
    card.dataset["state"] = state;
    card.replaceChildren(...children);
  }

  #choose(): void {
    const id = byId<HTMLSelectElement>("sample").value;
    const sample = this.#samples.find((other) => other.id === id);
    if (sample) this.#events.sample(sample);
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
