/** The terminal: draws the program's bytes with xterm.js and reads lines for its stdin. */
import type { FitAddon } from "@xterm/addon-fit";
import type { Terminal as Xterm } from "@xterm/xterm";
import { byId } from "./dom";
import { bytes as bytesText } from "./format";
import type { OutputChunk } from "./face";
import { LineEditor } from "./lineedit";
import { terminalTheme } from "./palette";
import { PlainText } from "./plaintext";

export interface TerminalEvents {
  line(text: string): void;
  end(): void;
  interrupt(): void;
  /** Output has been drawn, so that there may be more. */
  drawn(bytes: number): void;
}

const STDERR_ON = "\x1b[31m";
const STDERR_OFF = "\x1b[39m";

export class Terminal {
  readonly plain = new PlainText();
  readonly #events: TerminalEvents;
  readonly #editor = new LineEditor();
  #loading: Promise<Xterm> | null = null;
  #xterm: Xterm | null = null;
  #fit: FitAddon | null = null;
  #dark = false;
  #lastFd: 1 | 2 = 1;
  #reading = false;
  /** The column where the typed line starts, while one is shown. */
  #lineColumn: number | null = null;
  #shownBefore = "";
  /** Keys and output take turns: xterm parses later than we write. */
  #turns: Promise<void> = Promise.resolve();

  constructor(events: TerminalEvents) {
    this.#events = events;
  }

  /** Loads xterm.js, at the first need; earlier calls share it. */
  load(): Promise<Xterm> {
    this.#loading ??= this.#open();
    return this.#loading;
  }

  async #open(): Promise<Xterm> {
    const [{ Terminal: Class }, { FitAddon: Fit }] = await Promise.all([
      import("@xterm/xterm"),
      import("@xterm/addon-fit"),
    ]);
    const xterm = new Class({
      convertEol: true,
      scrollback: 10_000,
      fontSize: 13,
      lineHeight: 1.25,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      theme: terminalTheme(this.#dark),
      minimumContrastRatio: 4.5,
      disableStdin: true,
      cursorInactiveStyle: "none",
      // Binary output is no mistake of ours, and xterm.js would report each odd byte on the console.
      logLevel: "off",
    });
    this.#xterm = xterm;
    this.#fit = new Fit();
    xterm.loadAddon(this.#fit);
    const host = byId("terminal");
    xterm.open(host);
    xterm.textarea?.setAttribute("aria-label", "Terminal: type input for the program here");
    xterm.write("\x1b[?25l");
    xterm.onData((data) => this.#typed(data));
    xterm.attachCustomKeyEventHandler((event) => this.#ours(event));
    new ResizeObserver(() => this.fit()).observe(host);
    this.fit();
    return xterm;
  }

  /** Keys that belong to the page, not to the program: its shortcut, copying a selection, leaving by Tab. */
  #ours(event: KeyboardEvent): boolean {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return false;
    if (event.key === "c" && event.ctrlKey && this.#xterm?.hasSelection()) return false;
    return event.key !== "Tab";
  }

  fit(): void {
    if (byId("terminal").clientHeight > 0) this.#fit?.fit();
  }

  setDark(dark: boolean): void {
    this.#dark = dark;
    if (this.#xterm) this.#xterm.options.theme = terminalTheme(dark);
  }

  focus(): void {
    this.#xterm?.focus();
  }

  /** Empties the screen for a new run. */
  reset(): void {
    this.plain.clear();
    this.#turn(async (xterm) => {
      xterm.reset();
      xterm.write("\x1b[?25l");
      this.#editor.clear();
      this.#lineColumn = null;
      this.#lastFd = 1;
    });
  }

  /** Whether lines are read from now on. */
  setReading(reading: boolean): void {
    if (reading === this.#reading) return;
    this.#reading = reading;
    this.#turn(async (xterm) => {
      if (!reading) await this.#hideLine(xterm);
      if (!reading) this.#editor.clear();
      xterm.options.disableStdin = !reading;
      xterm.write(reading ? "\x1b[?25h" : "\x1b[?25l");
    });
  }

  output(skipped: number, chunks: OutputChunk[]): void {
    if (skipped > 0) this.plain.note(skippedNote(skipped));
    for (const { bytes } of chunks) this.plain.append(bytes);
    this.#turn(async (xterm) => {
      await this.#hideLine(xterm);
      if (skipped > 0) xterm.write(`\x1b[0m\r\n\x1b[2m${skippedNote(skipped)}\x1b[0m\r\n`);
      let total = 0;
      for (const { fd, bytes } of chunks) {
        // Only where the stream changes, so that nothing is put inside an escape sequence.
        if (fd !== this.#lastFd) xterm.write(fd === 2 ? STDERR_ON : STDERR_OFF);
        this.#lastFd = fd;
        xterm.write(bytes);
        total += bytes.length;
      }
      await written(xterm);
      this.#events.drawn(total);
      if (this.#editor.before + this.#editor.after !== "") await this.#showLine(xterm);
    });
  }

  /** Shows a line that was sent from the input field, as if typed. */
  echo(text: string): void {
    this.plain.note(text);
    this.#turn(async (xterm) => {
      await this.#hideLine(xterm);
      xterm.write(`${printable(text)}\r\n`);
      await written(xterm);
    });
  }

  #turn(work: (xterm: Xterm) => Promise<void>): void {
    const ready = this.load();
    this.#turns = this.#turns.then(() => ready.then(work)).catch((error: unknown) => console.error(error));
  }

  #typed(data: string): void {
    if (!this.#reading) return;
    // Pasted text comes in one piece, perhaps of several lines.
    const keys = data.startsWith("\x1b") ? [data] : data.split(/([\r\n\x03\x04])/).filter((part) => part !== "");
    for (const key of keys) this.#turn((xterm) => this.#key(xterm, key));
  }

  async #key(xterm: Xterm, key: string): Promise<void> {
    if (!this.#reading) return;
    const typed = this.#editor.key(key);
    switch (typed.type) {
      case "none":
        return;
      case "edit":
        await this.#hideLine(xterm);
        return this.#showLine(xterm);
      case "line":
        await this.#hideLine(xterm);
        this.plain.note(typed.text);
        xterm.write(`${printable(typed.text)}\r\n`);
        await written(xterm);
        return this.#events.line(typed.text);
      case "end":
        return this.#events.end();
      case "interrupt":
        await this.#hideLine(xterm);
        xterm.write("^C\r\n");
        return this.#events.interrupt();
    }
  }

  /** Takes the typed line off the screen again: back to where it began, and clear from there. */
  async #hideLine(xterm: Xterm): Promise<void> {
    if (this.#lineColumn === null) return;
    await written(xterm);
    const rows = Math.floor((this.#lineColumn + width(this.#shownBefore)) / xterm.cols);
    xterm.write(`${rows > 0 ? `\x1b[${rows}A` : ""}\x1b[${this.#lineColumn + 1}G\x1b[J`);
    this.#lineColumn = null;
  }

  async #showLine(xterm: Xterm): Promise<void> {
    await written(xterm);
    this.#lineColumn = Math.min(xterm.buffer.active.cursorX, xterm.cols - 1);
    const before = printable(this.#editor.before);
    const after = printable(this.#editor.after);
    this.#shownBefore = before;
    const end = this.#lineColumn + width(before) + width(after);
    const at = this.#lineColumn + width(before);
    // A line that fills its row leaves the cursor on it: step over, so that rows can be counted.
    const wrap = end > 0 && end % xterm.cols === 0 ? " \b" : "";
    const up = Math.floor(end / xterm.cols) - Math.floor(at / xterm.cols);
    xterm.write(`${before}${after}${wrap}${up > 0 ? `\x1b[${up}A` : ""}\x1b[${(at % xterm.cols) + 1}G`);
  }
}

function written(xterm: Xterm): Promise<void> {
  return new Promise((resolve) => xterm.write("", resolve));
}

function printable(text: string): string {
  return text.replaceAll("\t", "  ");
}

/** Columns on the screen; East Asian wide characters and emoji take two. */
function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(char) ? 2 : 1;
  }
  return columns;
}

function skippedNote(skipped: number): string {
  return `… ${bytesText(skipped)} not shown; the download has everything …`;
}
