/** The end of the output as plain text, for screen readers, for selecting and for copying. */
import { byId } from "./dom";

const KEEP = 256 * 1024;
/** CSI, OSC and two-character escape sequences. */
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

export class PlainText {
  #text = "";
  #decoder = new TextDecoder();
  #visible = false;
  #drawing = false;

  clear(): void {
    this.#text = "";
    this.#decoder = new TextDecoder();
    this.#draw();
  }

  append(bytes: Uint8Array): void {
    this.#add(this.#decoder.decode(bytes, { stream: true }));
  }

  /** A line of ours: an echo of input, a remark. */
  note(text: string): void {
    this.#add(`${text}\n`);
  }

  setVisible(visible: boolean): void {
    this.#visible = visible;
    byId("plain").hidden = !visible;
    this.#draw();
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length > 2 * KEEP) this.#text = `…\n${this.#text.slice(-KEEP)}`;
    this.#draw();
  }

  /** At most once a frame. */
  #draw(): void {
    if (!this.#visible || this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      const plain = byId("plain");
      plain.textContent = this.#text.replaceAll(ESCAPES, "");
      plain.scrollTop = plain.scrollHeight;
    });
  }
}
