/** Shows a file as text, hex or image, reading only the part that is shown. */
import type { ByteSource } from "./bytes";
import { toBlob } from "./bytes";
import { iconButton, make } from "./dom";
import { saveAs } from "./download";
import { bytes as bytesText, grouped } from "./format";
import { toProblem } from "./problem";

type View = "text" | "hex" | "image";

const TEXT_PAGE = 64 * 1024;
const HEX_PAGE = 4 * 1024;
/** Larger images are shown as hex; decoding them could take all memory. */
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
export function openPreview(box: HTMLElement, path: string, source: ByteSource): void {
  new Preview(box, path, source).start().catch((error: unknown) => {
    box.replaceChildren(make("p", { className: "field-problem", attrs: { role: "alert" } }, toProblem(error).message));
  });
}

class Preview {
  #view: View = "text";
  #offset = 0;
  readonly #content = make("div", { className: "content" });
  readonly #pager = make("div", { className: "pager" });

  constructor(
    readonly box: HTMLElement,
    readonly path: string,
    readonly source: ByteSource,
  ) {}

  async start(): Promise<void> {
    const views: View[] = this.#imageType() && this.source.size <= IMAGE_MAX ? ["image", "text", "hex"] : ["text", "hex"];
    const head = await this.source.read(0, 4096);
    this.#view = views[0] === "image" ? "image" : looksLikeText(head) ? "text" : "hex";
    const name = this.path.split("/").at(-1) ?? this.path;
    this.box.replaceChildren(
      make(
        "div",
        { className: "bar" },
        make("h3", { title: this.path }, name),
        make("span", { className: "sum" }, bytesText(this.source.size)),
        make("span", { className: "grow" }),
        make("div", { className: "segments small", attrs: { role: "radiogroup", "aria-label": "View" } }, ...views.map((view) => this.#choice(view))),
        iconButton("down", `Download ${name}`, () => void this.#download(name)),
      ),
      this.#content,
      this.#pager,
    );
    await this.#show();
  }

  #choice(view: View): HTMLElement {
    const radio = make("input", { type: "radio", name: `view-${this.path}`, value: view, checked: view === this.#view });
    radio.addEventListener("change", () => {
      this.#view = view;
      this.#offset = 0;
      void this.#show();
    });
    return make("label", {}, radio, make("span", {}, view[0]?.toUpperCase() + view.slice(1)));
  }

  #imageType(): string | undefined {
    return IMAGES[this.path.split(".").at(-1)?.toLowerCase() ?? ""];
  }

  async #download(name: string): Promise<void> {
    saveAs(name, await toBlob(this.source));
  }

  async #show(): Promise<void> {
    if (this.#view === "image") return this.#showImage();
    const page = this.#view === "text" ? TEXT_PAGE : HEX_PAGE;
    const bytes = await this.source.read(this.#offset, page);
    const text = this.#view === "text" ? decodePage(bytes, this.#offset) : hexDump(bytes, this.#offset);
    const empty = this.source.size === 0;
    const pre = make("pre", { tabIndex: 0, attrs: { "aria-label": `Content of ${this.path}` } }, empty ? "(empty)" : text);
    this.#content.replaceChildren(pre);
    this.#showPager(page, bytes.length);
  }

  async #showImage(): Promise<void> {
    const url = URL.createObjectURL(await toBlob(this.source, this.#imageType()));
    const image = make("img", { src: url, alt: this.path });
    const free = (): void => URL.revokeObjectURL(url);
    image.addEventListener("load", free);
    image.addEventListener("error", () => {
      free();
      this.#content.replaceChildren(make("p", { className: "about" }, "This is not an image the browser can show."));
    });
    this.#content.replaceChildren(make("div", { className: "image" }, image));
    this.#pager.replaceChildren();
  }

  #showPager(page: number, length: number): void {
    if (this.source.size <= page) {
      this.#pager.replaceChildren();
      return;
    }
    const go = (label: string, offset: number): HTMLElement =>
      make(
        "button",
        {
          type: "button",
          disabled: offset < 0 || offset >= this.source.size,
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
      make("span", {}, `${grouped(this.#offset)} to ${grouped(this.#offset + length)} of ${grouped(this.source.size)} bytes`),
      go("Later", this.#offset + page),
    );
  }
}

/** No zero bytes, and valid UTF-8 but for a character cut off at the end. */
function looksLikeText(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A page may begin within a character: the rest of it belongs to the page before. */
function decodePage(bytes: Uint8Array, offset: number): string {
  let start = 0;
  while (offset > 0 && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return new TextDecoder().decode(bytes.subarray(start), { stream: true });
}

function hexDump(bytes: Uint8Array, offset: number): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0"));
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    const columns = `${hex.slice(0, 8).join(" ").padEnd(23)}  ${hex.slice(8).join(" ").padEnd(23)}`;
    lines.push(`${(offset + at).toString(16).padStart(8, "0")}  ${columns}  ${text}`);
  }
  return lines.join("\n");
}
