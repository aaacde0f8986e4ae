/** The files that a run wrote, as links, and one of them shown. */
import type { ResultFile, RunResult } from "../api/types";
import { make } from "./make";
import type { View } from "./view";

/** More than this of a text is not shown; it can be downloaded. */
const SHOWN = 64 * 1024;

const PICTURES: Record<string, string> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  bmp: "image/bmp",
};

const extension = (path: string): string => (/\.(\w+)$/.exec(path)?.[1] ?? "").toLowerCase();

export class FileList {
  readonly #view: View;
  #urls: string[] = [];

  constructor(view: View) {
    this.#view = view;
  }

  clear(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#view.files.replaceChildren();
    this.#view.files.hidden = true;
    this.#view.preview.replaceChildren();
    this.#view.preview.hidden = true;
  }

  /** `show` is the path of the one to look at. */
  fill({ files, receipt }: RunResult, show: string | null): void {
    this.clear();
    for (const file of files.values()) {
      if (file.type !== "file" || file.change === "removed") continue;
      this.#view.files.hidden = false;
      this.#view.files.append(make("li", {}, this.#link(file)));
    }
    if (receipt) {
      this.#view.files.hidden = false;
      const file = new TextEncoder().encode(`${JSON.stringify(receipt)}\n`);
      this.#view.files.append(make("li", {}, make("a", { href: this.#url("", file), download: "receipt.json" }, "Receipt")));
    }
    const shown = show === null ? undefined : files.get(show.replace(/^\//, ""));
    if (shown?.bytes) this.#show(shown, shown.bytes);
  }

  #url(path: string, bytes: Uint8Array): string {
    // Never as a page: what a program writes must not run here.
    const type = PICTURES[extension(path)] ?? "application/octet-stream";
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
    this.#urls.push(url);
    return url;
  }

  #link(file: ResultFile): Node {
    if (!file.bytes) return make("span", {}, `${file.path} (too large to keep)`);
    const name = file.path.split("/").at(-1) ?? file.path;
    return make("a", { href: this.#url(file.path, file.bytes), download: name }, `${file.path} (${size(file.size)})`);
  }

  #show(file: ResultFile, bytes: Uint8Array): void {
    const { preview } = this.#view;
    if (PICTURES[extension(file.path)]) {
      const picture = make("img", { part: "picture", alt: `The picture ${file.path} that the program wrote` });
      // Where the page's policy or the browser does not allow it, the link is left.
      picture.addEventListener("error", () => {
        preview.hidden = true;
      });
      picture.src = this.#url(file.path, bytes);
      preview.append(picture);
    } else {
      const text = new TextDecoder().decode(bytes.subarray(0, SHOWN));
      const rest = bytes.length > SHOWN ? "\n…" : "";
      preview.append(make("pre", { part: "text", tabindex: "0", "aria-label": file.path }, text + rest));
    }
    preview.hidden = false;
  }
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
