/** What the browser keeps of large programs for a quicker start: how much it is, and a button that drops it. */
import type { Client } from "./client";
import { byId, make } from "./dom";
import { bytes as bytesText, plural } from "./format";

export class KeptView {
  readonly #client: Client;
  readonly #text = make("p", { className: "about", attrs: { role: "status" } });
  readonly #row: HTMLElement;

  constructor(client: Client) {
    this.#client = client;
    const clear = make("button", { type: "button", id: "clearKept", on: { click: () => void this.#clear() } }, "Clear");
    this.#row = make("div", { className: "row", hidden: true }, clear);
    const fold = byId<HTMLDetailsElement>("engineFold");
    fold.append(this.#text, this.#row);
    fold.addEventListener("toggle", () => void this.refresh());
  }

  async refresh(): Promise<void> {
    if (!byId<HTMLDetailsElement>("engineFold").open) return;
    const kept = await this.#client.request({ type: "kept" }).catch(() => null);
    const some = kept !== null && kept.count > 0;
    this.#row.hidden = !some;
    this.#text.textContent = some
      ? `Large programs are prepared for the browser's engine once and kept in this browser: ${plural(kept.count, "program")}, ${bytesText(kept.bytes)}.`
      : "";
  }

  async #clear(): Promise<void> {
    await this.#client.request({ type: "clear-kept" }).catch(() => null);
    await this.refresh();
    if (this.#text.textContent === "") this.#text.textContent = "Nothing is kept any more.";
    byId("engine").focus();
  }
}
