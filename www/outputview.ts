/** The output panel around the terminal: views, copy, downloads, the input field. */
import type { Client } from "./client";
import { OutputSource, toBlob, BlobSource, type ByteSource } from "./bytes";
import { byId } from "./dom";
import { copyText, saveAs } from "./download";
import { bytes as bytesText } from "./format";
import type { RunStats } from "./protocol";
import { showProblem } from "./alerts";
import type { Terminal } from "./terminal";

/** More than this is not put on the clipboard: downloads are for that. */
const COPY_MAX = 16 * 1024 * 1024;

export interface OutputEvents {
  line(text: string): void;
  end(): void;
}

export class OutputView {
  readonly #client: Client;
  #stdout: ByteSource | null = null;
  #stderr: ByteSource | null = null;

  constructor(client: Client, terminal: Terminal, events: OutputEvents) {
    this.#client = client;
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name="outputView"]')) {
      radio.addEventListener("change", () => {
        terminal.plain.setVisible(radio.value === "text");
        byId("terminal").hidden = radio.value !== "terminal";
        byId("placeholder").classList.toggle("elsewhere", radio.value !== "terminal" && radio.value !== "text");
        terminal.fit();
      });
    }
    byId("saveOut").addEventListener("click", () => void this.#save("stdout.bin", this.#stdout));
    byId("saveErr").addEventListener("click", () => void this.#save("stderr.bin", this.#stderr));
    byId("copyOut").addEventListener("click", () => void copyText(byId("copyOut"), this.#text()));
    byId("inputBar").addEventListener("submit", (event) => {
      event.preventDefault();
      const line = byId<HTMLInputElement>("line");
      events.line(line.value);
      line.value = "";
    });
    byId("line").addEventListener("keydown", (event) => {
      if (event.ctrlKey && event.key === "d") {
        event.preventDefault();
        events.end();
      }
    });
    byId("endInput").addEventListener("click", () => events.end());
  }

  clear(): void {
    this.#stdout = null;
    this.#stderr = null;
    this.#render();
    byId("placeholder").hidden = true;
  }

  /** The streams have grown to these sizes. */
  update(stats: RunStats): void {
    this.#stdout = new OutputSource(this.#client, 1, stats.stdoutBytes);
    this.#stderr = new OutputSource(this.#client, 2, stats.stderrBytes);
    this.#render();
  }

  /** The run is over: an empty screen is said to be meant. */
  ended(): void {
    if ((this.#stdout?.size ?? 0) + (this.#stderr?.size ?? 0) > 0) return;
    byId("placeholder").textContent = "The program printed nothing.";
    byId("placeholder").hidden = false;
  }

  /** What is left of a run whose worker failed. */
  rescue(stdout: Blob, stderr: Blob): void {
    this.#stdout = new BlobSource(stdout);
    this.#stderr = new BlobSource(stderr);
    this.#render();
  }

  /** `null` when the program reads no live input (any more). */
  setInput(state: "open" | "waiting" | null): void {
    byId("inputBar").hidden = state === null;
    byId("inputBar").classList.toggle("waiting", state === "waiting");
  }

  #render(): void {
    const out = this.#stdout?.size ?? 0;
    const err = this.#stderr?.size ?? 0;
    byId("saveOut").hidden = out === 0;
    byId("copyOut").hidden = out + err === 0;
    byId("saveErr").hidden = err === 0;
    byId("outSize").textContent = bytesText(out);
    byId("errSize").textContent = bytesText(err);
  }

  async #text(): Promise<string> {
    const source = this.#stdout && this.#stdout.size > 0 ? this.#stdout : this.#stderr;
    if (!source || source.size > COPY_MAX) throw new Error("too much to copy");
    return (await toBlob(source)).text();
  }

  async #save(name: string, source: ByteSource | null): Promise<void> {
    if (!source) return;
    try {
      saveAs(name, await toBlob(source));
    } catch (error) {
      showProblem("output", error);
    }
  }
}
