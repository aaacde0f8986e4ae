/**
 * A file, shown in one of several ways: to edit, as text, JSON, table, image or bytes, and what has
 * changed in it. Only the part that is shown is read.
 */
import type { ByteSource } from "../bytes";
import { BlobSource, toBlob } from "../bytes";
import { iconButton, make } from "../dom";
import { saveAs } from "../download";
import { Editor } from "../editor/editor";
import { extension } from "../editor/languages";
import { bytes as bytesText, grouped } from "../format";
import { toProblem } from "../problem";
import { decodePage, hexDump, looksLikeText } from "./decode";

type View = "edit" | "diff" | "image" | "json" | "table" | "text" | "hex";

export interface PreviewOptions {
  path: string;
  source: ByteSource;
  /** Takes the text that it was edited to; it can't be edited without. */
  edited?: (content: Blob) => void;
  /** What it may be compared with, by name; the first is offered first. Empty names nothing. */
  others?: () => { name: string; source: ByteSource }[];
  /** Whether to begin with what has changed. */
  diffFirst?: boolean;
}

const NAMES: Record<View, string> = { edit: "Edit", diff: "Diff", image: "Image", json: "JSON", table: "Table", text: "Text", hex: "Hex" };
const TEXT_PAGE = 64 * 1024;
const HEX_PAGE = 4 * 1024;
/** Larger ones are shown as text: each has to be read whole. */
const EDIT_MAX = 1024 * 1024;
const JSON_MAX = 4 * 1024 * 1024;
/** Decoding larger images could take all memory. */
const IMAGE_MAX = 64 * 1024 * 1024;
const IMAGES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  bmp: "image/bmp",
  avif: "image/avif",
  svg: "image/svg+xml",
};

/** Fills `box` with a preview of the file; a later call for the same box takes over. */
export function openPreview(box: HTMLElement, options: PreviewOptions): void {
  new Preview(box, options).start().catch((error: unknown) => box.replaceChildren(failure(error)));
}

function failure(error: unknown): HTMLElement {
  return make("p", { className: "field-problem preview-problem", attrs: { role: "alert" } }, toProblem(error).message);
}

/** Radio buttons of two previews must not be of one group. */
let count = 0;

class Preview {
  #view: View = "text";
  #offset = 0;
  /** Counts what was asked to be shown: what is read for an earlier wish is not shown any more. */
  #wish = 0;
  #source: ByteSource;
  readonly #group = `view-${(count += 1)}`;
  readonly #content = make("div", { className: "content" });
  readonly #pager = make("div", { className: "pager" });

  constructor(
    readonly box: HTMLElement,
    readonly options: PreviewOptions,
  ) {
    this.#source = options.source;
  }

  async start(): Promise<void> {
    const { path } = this.options;
    const isText = looksLikeText(await this.#source.read(0, 4096));
    const views = this.#views(isText);
    this.#view = this.options.diffFirst && views.includes("diff") ? "diff" : (views.find((view) => view !== "diff") ?? "hex");
    const name = path.split("/").at(-1) ?? path;
    this.box.replaceChildren(
      make(
        "div",
        { className: "bar" },
        make("h3", { title: path }, path),
        make("span", { className: "sum" }, bytesText(this.#source.size)),
        make("span", { className: "grow" }),
        make("div", { className: "segments small", attrs: { role: "radiogroup", "aria-label": "View" } }, ...views.map((view) => this.#choice(view))),
        iconButton("down", `Download ${name}`, () => void this.#download(name)),
      ),
      this.#content,
      this.#pager,
    );
    await this.#show();
  }

  /** The views that there are; the first that is no diff is the one to begin with. */
  #views(isText: boolean): View[] {
    const { path, edited, others } = this.options;
    const { size } = this.#source;
    const ending = extension(path);
    const views: View[] = [];
    if (isText && edited && size <= EDIT_MAX) views.push("edit");
    if (IMAGES[ending] && size <= IMAGE_MAX) views.push("image");
    if (isText && ending === "json" && size <= JSON_MAX) views.push("json");
    if (isText && (ending === "csv" || ending === "tsv")) views.push("table");
    views.push(...(isText ? (["text", "hex"] as const) : (["hex", "text"] as const)));
    if ((others?.().length ?? 0) > 0) views.push("diff");
    return views;
  }

  #choice(view: View): HTMLElement {
    const radio = make("input", { type: "radio", name: this.#group, value: view, checked: view === this.#view });
    radio.addEventListener("change", () => {
      this.#view = view;
      this.#offset = 0;
      void this.#show();
    });
    return make("label", {}, radio, make("span", {}, NAMES[view]));
  }

  async #download(name: string): Promise<void> {
    saveAs(name, await toBlob(this.#source));
  }

  async #show(): Promise<void> {
    this.#wish += 1;
    const wish = this.#wish;
    this.#pager.replaceChildren();
    try {
      const shown = await this.#make();
      if (wish === this.#wish) this.#content.replaceChildren(shown);
    } catch (error) {
      if (wish === this.#wish) this.#content.replaceChildren(failure(error));
    }
  }

  async #make(): Promise<HTMLElement> {
    const { path, others } = this.options;
    switch (this.#view) {
      case "edit":
        return this.#edit();
      case "image":
        return this.#image();
      case "json":
        return (await import("./json")).jsonView(await this.#text());
      case "table": {
        const { tableView } = await import("./table");
        return tableView(this.#source, extension(path) === "tsv" ? "\t" : ",");
      }
      case "diff": {
        const { diffView } = await import("./diff");
        return diffView({ name: path, source: this.#source }, others?.() ?? []);
      }
      case "text":
      case "hex":
        return this.#page(this.#view);
    }
  }

  async #text(): Promise<string> {
    return (await toBlob(this.#source)).text();
  }

  async #edit(): Promise<HTMLElement> {
    const { path, edited } = this.options;
    const editor = new Editor({
      label: `Text of ${path}`,
      name: path,
      text: await this.#text(),
      readOnly: false,
      changed: (text) => {
        const content = new Blob([text]);
        this.#source = new BlobSource(content);
        edited?.(content);
      },
    });
    return editor.element;
  }

  async #page(view: "text" | "hex"): Promise<HTMLElement> {
    const length = view === "text" ? TEXT_PAGE : HEX_PAGE;
    const bytes = await this.#source.read(this.#offset, length);
    const text = view === "text" ? decodePage(bytes, this.#offset) : hexDump(bytes, this.#offset);
    this.#showPager(length, bytes.length);
    const shown = this.#source.size === 0 ? "(empty)" : text;
    return make("pre", { tabIndex: 0, attrs: { "aria-label": `Content of ${this.options.path}` } }, shown);
  }

  async #image(): Promise<HTMLElement> {
    const { path } = this.options;
    const url = URL.createObjectURL(await toBlob(this.#source, IMAGES[extension(path)]));
    const image = make("img", { src: url, alt: path });
    const size = make("figcaption", { className: "about" });
    const free = (): void => URL.revokeObjectURL(url);
    image.addEventListener("load", () => {
      free();
      size.textContent = `${grouped(image.naturalWidth)} × ${grouped(image.naturalHeight)} pixels`;
    });
    image.addEventListener("error", () => {
      free();
      this.#content.replaceChildren(make("p", { className: "about preview-problem" }, "This is not an image the browser can show."));
    });
    return make("figure", { className: "image" }, image, size);
  }

  #showPager(page: number, length: number): void {
    const { size } = this.#source;
    if (size <= page) return;
    const go = (label: string, offset: number): HTMLElement =>
      make(
        "button",
        {
          type: "button",
          disabled: offset < 0 || offset >= size,
          on: {
            click: () => {
              this.#offset = offset;
              void this.#show();
            },
          },
        },
        label,
      );
    this.#pager.replaceChildren(
      go("Earlier", this.#offset - page),
      make("span", {}, `${grouped(this.#offset)} to ${grouped(this.#offset + length)} of ${grouped(size)} bytes`),
      go("Later", this.#offset + page),
    );
  }
}
