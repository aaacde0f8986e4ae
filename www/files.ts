/** The files after a run, as a tree: what changed, previews, downloads. */
import { BlobSource, type ByteSource, RunFileSource } from "./bytes";
import type { Client } from "./client";
import type { Documents } from "./documents";
import { byId, icon, make } from "./dom";
import { saveAs } from "./download";
import type { FileEntry } from "./face";
import { bytes as bytesText, plural } from "./format";
import { openPreview } from "./preview/preview";
import type { InputItem } from "./inputs";
import { showProblem } from "./alerts";
import { buildTree, isChanged, type TreeNode } from "./tree";

/** Children shown of one directory before “show all”. */
const MANY = 500;
/** The document that shows one of the files. */
const OUTPUT = "output";
const BADGES = { added: "new", modified: "changed", removed: "removed", same: "" } as const;

export class FilesView {
  readonly #client: Client;
  readonly #docs: Documents;
  #entries: FileEntry[] = [];
  /** What went in. */
  #inputs: readonly InputItem[] = [];
  readonly #open = new Set<string>();
  readonly #tree = byId("tree");

  constructor(client: Client, docs: Documents) {
    this.#client = client;
    this.#docs = docs;
    byId("changedOnly").addEventListener("change", () => this.#render());
    byId("saveZip").addEventListener("click", () => void this.#saveZip());
    this.#tree.addEventListener("keydown", (event) => this.#key(event));
  }

  clear(): void {
    this.#entries = [];
    this.#open.clear();
    this.#docs.close(OUTPUT);
    this.#render();
    byId("filesEmpty").textContent = "The program's files appear here after a run.";
  }

  /** Shows what a run left, and the first changed file; that in `front` of the other documents, or behind them. */
  show(entries: FileEntry[], inputs: readonly InputItem[], front: boolean): void {
    this.#entries = entries;
    this.#inputs = inputs;
    for (const entry of entries) if (isChanged(entry)) openParents(entry.path, this.#open);
    this.#render();
    const first = entries.find((entry) => isChanged(entry) && entry.type === "file" && entry.change !== "removed");
    if (first) this.#preview(first.path, first.size, front);
  }

  #shown(): FileEntry[] {
    const changedOnly = byId<HTMLInputElement>("changedOnly").checked;
    return changedOnly ? this.#entries.filter(isChanged) : this.#entries;
  }

  #render(): void {
    const shown = this.#shown();
    const changed = this.#entries.filter((entry) => isChanged(entry) && entry.type !== "directory").length;
    byId("filesSum").textContent = changed > 0 ? `${changed} changed` : "";
    byId("filesTab").textContent = changed > 0 ? ` · ${changed}` : "";
    byId("saveZip").hidden = !this.#entries.some((entry) => entry.change !== "removed");
    this.#tree.hidden = shown.length === 0;
    byId("filesEmpty").hidden = shown.length > 0;
    byId("filesEmpty").textContent = this.#entries.length > 0 ? "The program changed no files." : "The program left no files.";
    this.#tree.replaceChildren(...this.#items(buildTree(shown), 1));
    const first = this.#tree.querySelector<HTMLElement>('[role="treeitem"]');
    if (first) first.tabIndex = 0;
  }

  #items(nodes: TreeNode[], level: number): HTMLElement[] {
    const items = nodes.slice(0, MANY).map((node) => this.#item(node, level));
    if (nodes.length > MANY) items.push(make("li", { className: "about", attrs: { role: "none" } }, `… and ${plural(nodes.length - MANY, "more", "more")} (the zip has all)`));
    return items;
  }

  #item(node: TreeNode, level: number): HTMLElement {
    const { entry } = node;
    const change = entry?.change ?? "same";
    const directory = node.children.length > 0 || entry?.type === "directory";
    const open = this.#open.has(node.path);
    const row = make(
      "span",
      { className: "node" },
      icon(directory ? "folder" : entry?.type === "symlink" ? "link" : "file"),
      make("span", { className: "path" }, entry?.target ? `${node.name} → ${entry.target}` : node.name),
      BADGES[change] ? make("span", { className: `badge ${change}` }, BADGES[change]) : null,
      entry?.type === "file" && change !== "removed" ? make("span", { className: "sum" }, bytesText(entry.size)) : null,
    );
    row.style.setProperty("--level", String(level));
    const item = make("li", {
      tabIndex: -1,
      attrs: { role: "treeitem", "aria-level": String(level), "data-path": node.path, "aria-selected": "false" },
    });
    item.append(row);
    const act = directory ? () => this.#toggle(node.path) : () => this.#activate(entry);
    row.addEventListener("click", () => {
      this.#focus(item);
      act();
    });
    item.addEventListener("activate", act);
    if (directory) {
      item.setAttribute("aria-expanded", String(open));
      if (open && node.children.length > 0) {
        item.append(make("ul", { attrs: { role: "group" } }, ...this.#items(node.children, level + 1)));
      }
    }
    return item;
  }

  #toggle(path: string): void {
    if (!this.#open.delete(path)) this.#open.add(path);
    this.#render();
    const again = [...this.#tree.querySelectorAll<HTMLElement>('[role="treeitem"]')].find((item) => item.dataset["path"] === path);
    if (again) this.#focus(again);
  }

  #activate(entry: FileEntry | undefined): void {
    if (!entry || entry.type !== "file" || entry.change === "removed") return;
    this.#preview(entry.path, entry.size);
  }

  #preview(path: string, size: number, front = true): void {
    const panel = make("div", { id: "preview", className: "preview" });
    this.#docs.open({ key: OUTPUT, title: path.split("/").at(-1) ?? path, about: `${path}, after the run`, panel, closed: () => this.#select(null) }, front);
    const entry = this.#entries.find((one) => one.path === path);
    openPreview(panel, {
      path,
      source: new RunFileSource(this.#client, path, size),
      others: () => this.#others(path),
      diffFirst: entry?.change === "modified",
    });
    this.#select(path);
  }

  /** What a file may be compared with: itself before the run, the other input files, the other files now. */
  #others(path: string): { name: string; source: ByteSource }[] {
    const inputs = this.#inputs.filter((item) => item.kind === "file");
    inputs.sort((a, b) => Number(b.path === path) - Number(a.path === path));
    const before = inputs.map(({ path: name, source }) => ({ name: `${name}, before the run`, source: new BlobSource(source) }));
    const now = this.#entries
      .filter((entry) => entry.type === "file" && entry.change !== "removed" && entry.path !== path)
      .slice(0, MANY)
      .map((entry) => ({ name: `${entry.path}, after the run`, source: new RunFileSource(this.#client, entry.path, entry.size) }));
    return [...before, ...now];
  }

  #select(path: string | null): void {
    for (const item of this.#tree.querySelectorAll<HTMLElement>('[role="treeitem"]')) {
      item.setAttribute("aria-selected", String(item.dataset["path"] === path));
    }
  }

  #focus(item: HTMLElement): void {
    for (const other of this.#tree.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    item.focus();
  }

  /** The keys of the tree pattern: arrows walk and open, Home and End jump, Enter and Space show. */
  #key(event: KeyboardEvent): void {
    const items = [...this.#tree.querySelectorAll<HTMLElement>('[role="treeitem"]')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const item = items[at];
    if (!item) return;
    const expanded = item.getAttribute("aria-expanded");
    const parent = item.parentElement?.closest<HTMLElement>('[role="treeitem"]');
    const go = (to: HTMLElement | null | undefined): void => (to ? this.#focus(to) : undefined);
    switch (event.key) {
      case "ArrowDown":
        go(items[at + 1]);
        break;
      case "ArrowUp":
        go(items[at - 1]);
        break;
      case "Home":
        go(items[0]);
        break;
      case "End":
        go(items.at(-1));
        break;
      case "ArrowRight":
        if (expanded === "false") item.dispatchEvent(new Event("activate"));
        else if (expanded === "true") go(items[at + 1]);
        break;
      case "ArrowLeft":
        if (expanded === "true") item.dispatchEvent(new Event("activate"));
        else go(parent);
        break;
      case "Enter":
      case " ":
        if (event.ctrlKey || event.metaKey) return;
        item.dispatchEvent(new Event("activate"));
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  async #saveZip(): Promise<void> {
    try {
      const zip = await this.#client.request({ type: "export-zip", run: this.#client.run, paths: null });
      saveAs("files.zip", new Blob([zip as Uint8Array<ArrayBuffer>], { type: "application/zip" }));
    } catch (error) {
      showProblem("files", error);
    }
  }
}

function openParents(path: string, open: Set<string>): void {
  const parts = path.split("/");
  for (let count = 1; count < parts.length; count++) open.add(parts.slice(0, count).join("/"));
}
