/** The documents in the middle of the page, in tabs: the program's source, input files, files that a run left. */
import { byId, make } from "./dom";
import { Signal } from "./signal";

export interface Doc {
  /** Two documents with one key are one: the later takes the place of the earlier. */
  readonly key: string;
  readonly title: string;
  /** For the tab's tooltip: what it is. */
  readonly about: string;
  readonly panel: HTMLElement;
  /** Called when it comes to the front. */
  shown?(): void;
  closed?(): void;
}

export class Documents {
  /** Emitted when someone has asked to see a document: on a narrow page they are not in view. */
  readonly wanted = new Signal<void>();
  readonly #tabs = byId("docTabs");
  readonly #panels = byId("docPanels");
  readonly #docs = new Map<string, Doc>();
  readonly #changed: (some: boolean) => void;
  #active: string | null = null;
  #number = 0;

  /** `changed` is told whether there are any. */
  constructor(changed: (some: boolean) => void) {
    this.#changed = changed;
    this.#tabs.addEventListener("keydown", (event) => this.#key(event));
    byId("closeDoc").addEventListener("click", () => this.#active !== null && this.close(this.#active));
    this.#render();
  }

  get active(): string | null {
    return this.#active;
  }

  has(key: string): boolean {
    return this.#docs.has(key);
  }

  /** Opens a document; `front` brings it to the front, as the first one is anyway. */
  open(doc: Doc, front = true): void {
    const before = this.#docs.get(doc.key);
    if (before && before !== doc) {
      before.closed?.();
      before.panel.remove();
    }
    doc.panel.id ||= `doc-${(this.#number += 1)}`;
    doc.panel.setAttribute("role", "tabpanel");
    doc.panel.classList.add("doc");
    this.#docs.set(doc.key, doc);
    this.#panels.append(doc.panel);
    if (front || this.#active === null || this.#active === doc.key) this.#activate(doc.key);
    else this.#render();
  }

  show(key: string): void {
    if (this.#docs.has(key)) this.#activate(key);
  }

  close(key: string): void {
    const doc = this.#docs.get(key);
    if (!doc) return;
    const keys = [...this.#docs.keys()];
    const at = keys.indexOf(key);
    const focused = byId("docs").contains(document.activeElement);
    this.#docs.delete(key);
    doc.panel.remove();
    doc.closed?.();
    if (this.#active === key) {
      this.#active = null;
      const next = keys[at + 1] ?? keys[at - 1];
      if (next !== undefined) this.#activate(next);
    }
    this.#render();
    if (focused) (this.#tabs.querySelector<HTMLElement>('[aria-selected="true"]') ?? byId("output")).focus();
  }

  #activate(key: string): void {
    this.#active = key;
    this.#render();
    this.#docs.get(key)?.shown?.();
  }

  #render(): void {
    const focused = this.#tabs.contains(document.activeElement);
    const tabs = [...this.#docs.values()].map((doc) => {
      const selected = doc.key === this.#active;
      doc.panel.hidden = !selected;
      const id = `tab-${doc.panel.id}`;
      doc.panel.setAttribute("aria-labelledby", id);
      return make(
        "button",
        {
          id,
          type: "button",
          title: doc.about,
          tabIndex: selected ? 0 : -1,
          attrs: { role: "tab", "aria-selected": String(selected), "aria-controls": doc.panel.id, "data-key": doc.key },
          on: { click: () => this.#activate(doc.key) },
        },
        doc.title,
      );
    });
    this.#tabs.replaceChildren(...tabs);
    const front = tabs.find((tab) => tab.tabIndex === 0);
    if (focused) front?.focus();
    front?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const active = this.#active === null ? undefined : this.#docs.get(this.#active);
    byId("closeDoc").setAttribute("aria-label", active ? `Close ${active.title}` : "Close");
    byId("docsEmpty").hidden = this.#docs.size > 0;
    byId("docBar").hidden = this.#docs.size === 0;
    this.#changed(this.#docs.size > 0);
  }

  #key(event: KeyboardEvent): void {
    const keys = [...this.#docs.keys()];
    const at = keys.indexOf(this.#active ?? "");
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: keys.length - 1 }[event.key];
    if (event.key === "Delete" && this.#active !== null) this.close(this.#active);
    else if (to === undefined) return;
    else if (keys[to] !== undefined) this.#activate(keys[to]);
    event.preventDefault();
  }
}
