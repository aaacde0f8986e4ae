/** What a program writes, as text in the page: at most once a frame, and only the end of much. */
import { Ansi, dress, type Looks } from "./ansi";

/** Characters that are shown; what is before them is left out. */
const KEEP = 128 * 1024;
/** Pieces of different looks that are shown: each is an element. */
const PIECES = 8192;

type Kind = "stdout" | "stderr" | "echo";

class Stream {
  readonly ansi = new Ansi();
  readonly decoder = new TextDecoder();
}

export class Output {
  readonly #pre: HTMLElement;
  #streams = { stdout: new Stream(), stderr: new Stream() };
  #pending: { kind: Kind; text: string; looks: Looks }[] = [];
  #shown = 0;
  #drawing = false;
  /** Lines of all of it. */
  lines = 0;

  constructor(pre: HTMLElement) {
    this.#pre = pre;
  }

  clear(): void {
    this.#streams = { stdout: new Stream(), stderr: new Stream() };
    this.#pending = [];
    this.#shown = 0;
    this.lines = 0;
    this.#pre.replaceChildren();
  }

  /** Returns the text of the bytes, escape sequences and all. */
  write(fd: 1 | 2, bytes: Uint8Array): string {
    const kind = fd === 1 ? "stdout" : "stderr";
    const { ansi, decoder } = this.#streams[kind];
    const text = decoder.decode(bytes, { stream: true });
    for (const piece of ansi.feed(text)) this.#add(kind, piece.text, piece.looks);
    return text;
  }

  /** What was typed. */
  echo(text: string): void {
    this.#add("echo", text, {});
  }

  #add(kind: Kind, text: string, looks: Looks): void {
    for (const char of text) if (char === "\n") this.lines += 1;
    const last = this.#pending.at(-1);
    if (last?.kind === kind && last.looks === looks) last.text += text;
    else this.#pending.push({ kind, text, looks });
    if (this.#drawing) return;
    this.#drawing = true;
    // Timers as well: in a page that is not shown there are no frames.
    const draw = (): void => {
      if (this.#drawing) this.draw();
    };
    requestAnimationFrame(draw);
    setTimeout(draw, 250);
  }

  draw(): void {
    this.#drawing = false;
    const pre = this.#pre;
    const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 8;
    for (const { kind, text, looks } of this.#pending.slice(-PIECES)) {
      const piece = document.createElement("span");
      piece.part.add(kind);
      dress(piece, looks);
      piece.textContent = text.length > KEEP ? text.slice(-KEEP) : text;
      pre.append(piece);
      this.#shown += piece.textContent.length;
    }
    this.#pending = [];
    while ((this.#shown > KEEP || pre.childNodes.length > PIECES) && pre.firstChild !== pre.lastChild) {
      this.#shown -= pre.firstChild?.textContent?.length ?? 0;
      pre.firstChild?.remove();
    }
    if (atEnd) pre.scrollTop = pre.scrollHeight;
  }
}
