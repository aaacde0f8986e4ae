/** The list of input files: remove, rename, preview, unpack. */
import { BlobSource } from "./bytes";
import type { Documents } from "./documents";
import { byId, icon, iconButton, make } from "./dom";
import { bytes as bytesText, plural } from "./format";
import type { InputItem, Inputs } from "./inputs";
import { archiveFormat, cleanPath } from "./inputs";
import { showProblem } from "./alerts";
import { openPreview } from "./preview/preview";

/** More rows than this help nobody. */
const MAX_ROWS = 200;

export class InputsView {
  readonly #inputs: Inputs;
  readonly #docs: Documents;
  readonly #entries = new WeakMap<InputItem, number>();
  readonly #refused = new WeakSet<InputItem>();
  #renaming: InputItem | null = null;

  constructor(inputs: Inputs, docs: Documents) {
    this.#inputs = inputs;
    this.#docs = docs;
  }

  setEntries(item: InputItem, entries: number): void {
    this.#entries.set(item, entries);
    this.render();
  }

  setRefused(item: InputItem): void {
    this.#refused.add(item);
    this.render();
  }

  render(): void {
    const { items } = this.#inputs;
    const files = items.filter((item) => item.kind !== "directory");
    const total = items.reduce((sum, item) => sum + (item.kind === "directory" ? 0 : item.source.size), 0);
    byId("inputsSum").textContent = files.length > 0 ? `${plural(files.length, "file")}, ${bytesText(total)}` : "";
    byId("inputsEmpty").hidden = items.length > 0;
    const rows = items.slice(0, MAX_ROWS).map((item) => this.#row(item));
    if (items.length > MAX_ROWS) rows.push(make("li", { className: "about" }, `… and ${plural(items.length - MAX_ROWS, "more", "more")}`));
    byId("inputs").replaceChildren(...rows);
    byId("inputs").querySelector<HTMLInputElement>("input")?.select();
  }

  #row(item: InputItem): HTMLLIElement {
    const row = make("li", { className: this.#refused.has(item) ? "refused" : "" });
    if (this.#renaming === item) {
      row.append(this.#renameField(item));
      return row;
    }
    const name = item.kind === "archive" ? item.name : item.path;
    row.append(icon(item.kind === "directory" ? "folder" : item.kind === "archive" ? "box" : "file"));
    row.append(item.kind === "file" ? this.#opener(item) : make("span", { className: "path", title: name }, name));
    if (item.kind !== "directory") row.append(make("span", { className: "sum" }, bytesText(item.source.size)));
    if (item.kind === "archive") {
      const entries = this.#entries.get(item);
      row.append(make("span", { className: "sum" }, entries === undefined ? "" : plural(entries, "entry", "entries")));
    }
    if (item.kind === "file") {
      row.append(iconButton("edit", `Rename ${name}`, () => this.#startRename(item)));
    }
    row.append(iconButton("close", `Remove ${name}`, () => this.#remove(item)));
    row.append(...this.#offers(item, name));
    return row;
  }

  /** Archives can be a file like any other, or stand for what is in them. */
  #offers(item: InputItem, name: string): HTMLElement[] {
    const format = item.kind === "file" ? archiveFormat(item.path) : null;
    if (item.kind === "file" && format) {
      const mounted: InputItem = { kind: "archive", path: "", name, format, source: item.source };
      return [offer("Mount as files", () => this.#inputs.replace(item, mounted))];
    }
    if (item.kind !== "archive") return [];
    return [offer("Keep as one file", () => this.#inputs.replace(item, { kind: "file", path: item.name, source: item.source }))];
  }

  #remove(item: InputItem): void {
    const index = this.#inputs.items.indexOf(item);
    this.#inputs.remove(item);
    this.#docs.close(inputKey(item.path));
    // The focus goes on to what took the place, not back to the top of the page.
    const rows = byId("inputs").children;
    const next = rows[Math.min(index, rows.length - 1)];
    (next?.querySelector<HTMLElement>("button:last-of-type") ?? byId("addFiles")).focus();
  }

  #opener(item: Extract<InputItem, { kind: "file" }>): HTMLElement {
    const { path } = item;
    return make("button", { type: "button", className: "path open", title: `Open ${path}`, on: { click: () => this.open(path) } }, path);
  }

  /** Opens an input file among the documents, to look at and, if it is a text, to edit. */
  open(path: string): void {
    const item = this.#file(path);
    if (!item) return;
    this.#docs.wanted.emit();
    const panel = make("div", { className: "preview" });
    this.#docs.open({ key: inputKey(path), title: path.split("/").at(-1) ?? path, about: `${path}, an input file`, panel });
    openPreview(panel, {
      path,
      source: new BlobSource(item.source),
      edited: (source) => {
        const now = this.#file(path);
        if (now) this.#inputs.replace(now, { ...now, source });
      },
    });
  }

  #file(path: string): Extract<InputItem, { kind: "file" }> | undefined {
    return this.#inputs.items.find((item) => item.kind === "file" && item.path === path) as Extract<InputItem, { kind: "file" }> | undefined;
  }

  #startRename(item: InputItem): void {
    this.#renaming = item;
    this.render();
    byId("inputs").querySelector<HTMLInputElement>("input")?.focus();
  }

  #renameField(item: InputItem): HTMLElement {
    const stop = (): void => {
      this.#renaming = null;
      this.render();
    };
    const field = make("input", { type: "text", value: item.path, spellcheck: false, attrs: { "aria-label": "New path" } });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") stop();
    });
    const submit = (event: Event): void => {
      event.preventDefault();
      try {
        const path = cleanPath(field.value);
        this.#renaming = null;
        if (item.kind === "file" && path !== item.path) {
          this.#docs.close(inputKey(item.path));
          this.#inputs.replace(item, { ...item, path });
        }
        else this.render();
      } catch (error) {
        showProblem("inputs", error);
      }
    };
    return make(
      "form",
      { className: "rename", on: { submit } },
      field,
      make("button", { type: "submit" }, "Rename"),
      make("button", { type: "button", on: { click: stop } }, "Keep"),
    );
  }
}

/** The document of an input file. */
function inputKey(path: string): string {
  return `input:${path}`;
}

function offer(label: string, action: () => void): HTMLElement {
  return make("button", { type: "button", className: "offer", on: { click: action } }, label);
}
