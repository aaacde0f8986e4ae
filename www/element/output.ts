/** What a program writes, as text in the page: at most once a frame, and only the end of much. */

/** Characters that are shown; what is before them is left out. */
const KEEP = 128 * 1024;
/** CSI, OSC and two-character escape sequences. */
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
/** The beginning of one at the end of the text. */
const HALF = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,256})?$/;

type Kind = "stdout" | "stderr" | "echo";

export class Output {
  readonly #pre: HTMLElement;
  #decoders = new Map<Kind, TextDecoder>();
  #held = new Map<Kind, string>();
  #pending: { kind: Kind; text: string }[] = [];
  #shown = 0;
  #drawing = false;
  /** Lines of all of it. */
  lines = 0;

  constructor(pre: HTMLElement) {
    this.#pre = pre;
  }

  clear(): void {
    this.#decoders = new Map();
    this.#held = new Map();
    this.#pending = [];
    this.#shown = 0;
    this.lines = 0;
    this.#pre.replaceChildren();
  }

  /** Returns the text of the bytes, escape sequences and all. */
  write(fd: 1 | 2, bytes: Uint8Array): string {
    const kind = fd === 1 ? "stdout" : "stderr";
    let decoder = this.#decoders.get(kind);
    if (!decoder) this.#decoders.set(kind, (decoder = new TextDecoder()));
    const text = decoder.decode(bytes, { stream: true });
    this.add(kind, text);
    return text;
  }

  add(kind: Kind, text: string): void {
    const whole = (this.#held.get(kind) ?? "") + text;
    const half = HALF.exec(whole)?.[0] ?? "";
    this.#held.set(kind, half);
    const clean = whole.slice(0, whole.length - half.length).replaceAll(ESCAPES, "").replaceAll("\r\n", "\n");
    if (clean === "") return;
    for (const char of clean) if (char === "\n") this.lines += 1;
    const last = this.#pending.at(-1);
    if (last?.kind === kind) last.text += clean;
    else this.#pending.push({ kind, text: clean });
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
    for (const { kind, text } of this.#pending) {
      const piece = document.createElement("span");
      piece.part.add(kind);
      piece.textContent = text.length > KEEP ? text.slice(-KEEP) : text;
      pre.append(piece);
      this.#shown += piece.textContent.length;
    }
    this.#pending = [];
    while (this.#shown > KEEP && pre.firstChild !== pre.lastChild) {
      this.#shown -= pre.firstChild?.textContent?.length ?? 0;
      pre.firstChild?.remove();
    }
    if (atEnd) pre.scrollTop = pre.scrollHeight;
  }
}
