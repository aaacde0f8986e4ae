/** One line being typed, as a terminal's driver keeps it: no DOM, no terminal. */

export type Typed =
  | { type: "edit" }
  | { type: "line"; text: string }
  | { type: "end" }
  | { type: "interrupt" }
  | { type: "none" };

export class LineEditor {
  #chars: string[] = [];
  #at = 0;
  #history: string[] = [];
  #recall = 0;

  get before(): string {
    return this.#chars.slice(0, this.#at).join("");
  }

  get after(): string {
    return this.#chars.slice(this.#at).join("");
  }

  clear(): void {
    this.#chars = [];
    this.#at = 0;
    this.#recall = this.#history.length;
  }

  /** Takes one key: a control or escape sequence, or text. */
  key(data: string): Typed {
    switch (data) {
      case "\r":
      case "\n":
        return this.#enter();
      case "\x03":
        return { type: "interrupt" };
      case "\x04":
        return this.#chars.length === 0 ? { type: "end" } : { type: "none" };
      case "\x7f":
      case "\b":
        return this.#delete(this.#at - 1, this.#at);
      case "\x1b[3~":
        return this.#delete(this.#at, this.#at + 1);
      case "\x15":
        return this.#delete(0, this.#at);
      case "\x0b":
        return this.#delete(this.#at, this.#chars.length);
      case "\x17":
        return this.#delete(this.before.replace(/\S*\s*$/u, "").length, this.#at);
      case "\x1b[D":
        return this.#move(this.#at - 1);
      case "\x1b[C":
        return this.#move(this.#at + 1);
      case "\x1b[H":
      case "\x01":
        return this.#move(0);
      case "\x1b[F":
      case "\x05":
        return this.#move(this.#chars.length);
      case "\x1b[A":
        return this.#remember(-1);
      case "\x1b[B":
        return this.#remember(1);
      default:
        return this.#insert(data);
    }
  }

  #enter(): Typed {
    const text = this.#chars.join("");
    if (text !== "" && text !== this.#history.at(-1)) this.#history.push(text);
    this.clear();
    return { type: "line", text };
  }

  #insert(data: string): Typed {
    // A tab is text; other control characters and unknown escape sequences are not.
    if (data.startsWith("\x1b") || /[\0-\x08\x0b-\x1f\x7f]/.test(data)) return { type: "none" };
    const chars = [...data];
    this.#chars.splice(this.#at, 0, ...chars);
    this.#at += chars.length;
    return { type: "edit" };
  }

  #delete(from: number, to: number): Typed {
    if (from < 0 || to > this.#chars.length || from === to) return { type: "none" };
    this.#chars.splice(from, to - from);
    this.#at = from;
    return { type: "edit" };
  }

  #move(to: number): Typed {
    if (to < 0 || to > this.#chars.length) return { type: "none" };
    this.#at = to;
    return { type: "edit" };
  }

  #remember(step: number): Typed {
    const next = this.#recall + step;
    if (next < 0 || next > this.#history.length) return { type: "none" };
    this.#recall = next;
    this.#chars = [...(this.#history[next] ?? "")];
    this.#at = this.#chars.length;
    return { type: "edit" };
  }
}
