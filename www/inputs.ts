/** The input files the user has chosen: a list of immutable items, kept on the page so that no crash loses them. */
import { UserError } from "./problem";

/** A `vtask` is a package: only its input files count here, and they take the place of all others. */
export type ArchiveFormat = "zip" | "tar" | "vtask";

export type InputItem =
  | { kind: "file"; path: string; source: Blob }
  /** Only for directories that would not exist otherwise, being empty. */
  | { kind: "directory"; path: string }
  /** Its entries become files under `path`; of a tar also ones that the program can't change. */
  | { kind: "archive"; path: string; name: string; format: ArchiveFormat; source: Blob; readOnly?: boolean };

/** A guest path relative to `/`, in plain form; throws `bad-path` for one that leaves it or names nothing. */
export function cleanPath(text: string): string {
  const parts: string[] = [];
  for (const part of text.trim().split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." || part.includes("\0")) {
      throw new UserError({
        code: "bad-path",
        message: `“${text}” is not a path inside the task.`,
        hint: "Use a path such as data/input.txt, without “..”.",
      });
    }
    parts.push(part);
  }
  if (parts.length === 0) {
    throw new UserError({ code: "bad-path", message: "The path is empty.", hint: "Give the file a name." });
  }
  return parts.join("/");
}

/** Which archive a name promises, if any. Compressed tars are not unpacked here. */
export function archiveFormat(name: string): "zip" | "tar" | null {
  if (/\.zip$/i.test(name)) return "zip";
  return /\.tar$/i.test(name) ? "tar" : null;
}

export class Inputs {
  #items: readonly InputItem[] = [];
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get items(): readonly InputItem[] {
    return this.#items;
  }

  /** Adds items; one at the same path is replaced. */
  add(items: readonly InputItem[]): void {
    const paths = new Set(items.filter(placed).map((item) => item.path));
    this.#set([...this.#items.filter((item) => !placed(item) || !paths.has(item.path)), ...items]);
  }

  remove(item: InputItem): void {
    this.#set(this.#items.filter((other) => other !== item));
  }

  /** Puts `replacement` in the place of `item`. */
  replace(item: InputItem, replacement: InputItem): void {
    const rest = this.#items.filter(
      (other) => other === item || !placed(other) || !placed(replacement) || other.path !== replacement.path,
    );
    this.#set(rest.map((other) => (other === item ? replacement : other)));
  }

  setAll(items: readonly InputItem[]): void {
    this.#set(items);
  }

  #set(items: readonly InputItem[]): void {
    this.#items = items;
    this.#changed();
  }
}

/** Archives share their directory with others; files and directories have their path to themselves. */
function placed(item: InputItem): boolean {
  return item.kind !== "archive";
}
