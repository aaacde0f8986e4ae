/** Where things are: the lines between the panes, the output beside or below the documents, one section at a time on phones. */
import { byId } from "./dom";
import { remember, remembered } from "./remembered";
import { Signal } from "./signal";
import { Splitter } from "./splitter";

/** Sections as the buttons at the bottom of a narrow page show them. */
export type View = "setup" | "docs" | "output" | "result";

/** From this width on the output has room beside the documents. */
const BESIDE_FROM = 1500;

export class Layout {
  readonly #panes = byId("panes");
  readonly #splitters: Splitter[];
  /** Emitted when the panes have other sizes than before. */
  readonly moved = new Signal<void>();

  constructor() {
    const moved = (): void => this.moved.emit();
    this.#panes.dataset["place"] = remembered("output") ?? (innerWidth >= BESIDE_FROM ? "beside" : "below");
    const layout = byId("layout");
    this.#splitters = [
      new Splitter(byId("splitSide"), { name: "side", container: layout, axis: () => "row", preset: 27, min: 16, max: 55, moved }),
      new Splitter(byId("splitFiles"), { name: "files", container: byId("side"), axis: () => "column", after: true, preset: 26, min: 8, max: 70, moved }),
      new Splitter(byId("splitOutput"), {
        name: "output",
        container: this.#panes,
        axis: () => (this.#panes.dataset["place"] === "beside" ? "row" : "column"),
        after: true,
        preset: 55,
        min: 10,
        max: 85,
        moved,
      }),
    ];
    byId("place").addEventListener("click", () => this.#turn());
    this.#showPlace();
    for (const button of document.querySelectorAll<HTMLElement>(".sections button")) {
      button.addEventListener("click", () => this.show(button.dataset["view"] as View));
    }
  }

  /** On narrow screens one section is shown at a time. */
  show(view: View): void {
    document.body.dataset["view"] = view;
    for (const button of document.querySelectorAll<HTMLElement>(".sections button")) {
      button.setAttribute("aria-current", String(button.dataset["view"] === view));
    }
    this.moved.emit();
  }

  /** Whether there is something to show in the middle; without it the output has all the room. */
  setDocuments(some: boolean): void {
    this.#panes.dataset["docs"] = some ? "some" : "none";
    this.moved.emit();
  }

  #turn(): void {
    const place = this.#panes.dataset["place"] === "beside" ? "below" : "beside";
    this.#panes.dataset["place"] = place;
    remember("output", place);
    for (const splitter of this.#splitters) splitter.update();
    this.#showPlace();
    this.moved.emit();
  }

  #showPlace(): void {
    const beside = this.#panes.dataset["place"] === "beside";
    const label = beside ? "Put the output below" : "Put the output beside";
    const button = byId("place");
    button.setAttribute("aria-label", label);
    button.title = label;
    button.querySelector("use")?.setAttribute("href", beside ? "#i-below" : "#i-beside");
  }
}
