/** Text with escape sequences, as pieces with their looks: colours and weights are kept, all else is left out. */

/** CSI, OSC and two-character escape sequences. */
const ESCAPES = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
/** The beginning of one at the end of the text; what gets longer than any that means something is none. */
const HALF = /\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|\][^\x07\x1b]{0,256})?$/;

/** `color` and `background`: one of the seven by number, which follow the theme, or a CSS colour. */
export interface Looks {
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly reverse?: boolean;
  readonly color?: number | string;
  readonly background?: number | string;
}

export interface Piece {
  text: string;
  /** The same object for pieces that look the same and follow each other. */
  looks: Looks;
}

const PLAIN: Looks = {};
const LEVELS = [0, 95, 135, 175, 215, 255];

/** A colour of the 256: the first sixteen are the seven, twice, with black and white as the text's own. */
function indexed(index: number): number | string | undefined {
  if (index < 16) return index % 8 === 0 || index % 8 === 7 ? undefined : index % 8;
  if (index >= 232) return `rgb(${Array(3).fill(8 + 10 * (index - 232)).join(" ")})`;
  const cube = index - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => LEVELS[level]).join(" ")})`;
}

/** What follows 38 or 48. Takes its numbers off `rest`. */
function extended(rest: number[]): number | string | undefined {
  const form = rest.shift();
  if (form === 5) return indexed(Math.min(255, rest.shift() ?? 0));
  if (form !== 2) return undefined;
  const [red = 0, green = 0, blue = 0] = rest.splice(0, 3);
  return `rgb(${red} ${green} ${blue})`;
}

function next(looks: Looks, parameters: string): Looks {
  let now: { -readonly [K in keyof Looks]: Looks[K] | undefined } = { ...looks };
  const rest = parameters.split(";").map((text) => Number.parseInt(text, 10) || 0);
  while (rest.length > 0) {
    const code = rest.shift() ?? 0;
    if (code === 0) now = {};
    else if (code === 1) now.bold = true;
    else if (code === 2) now.dim = true;
    else if (code === 3) now.italic = true;
    else if (code === 4) now.underline = true;
    else if (code === 7) now.reverse = true;
    else if (code === 22) now.bold = now.dim = undefined;
    else if (code === 23) now.italic = undefined;
    else if (code === 24) now.underline = undefined;
    else if (code === 27) now.reverse = undefined;
    else if (code === 38) now.color = extended(rest);
    else if (code === 48) now.background = extended(rest);
    else if (code === 39) now.color = undefined;
    else if (code === 49) now.background = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) now.color = indexed(code % 10);
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) now.background = indexed(code % 10);
  }
  const said = Object.entries(now).filter(([, value]) => value !== undefined);
  return said.length > 0 ? Object.fromEntries(said) : PLAIN;
}

/** One stream; what is cut off between two calls is put together. */
export class Ansi {
  #looks = PLAIN;
  #held = "";

  feed(text: string): Piece[] {
    const whole = this.#held + text;
    this.#held = HALF.exec(whole)?.[0] ?? "";
    const end = whole.length - this.#held.length;
    const pieces: Piece[] = [];
    const add = (from: number, to: number): void => {
      const part = whole.slice(from, to).replaceAll("\r\n", "\n");
      if (part !== "") pieces.push({ text: part, looks: this.#looks });
    };
    let at = 0;
    for (const match of whole.slice(0, end).matchAll(ESCAPES)) {
      add(at, match.index);
      at = match.index + match[0].length;
      if (match[2] === "m") this.#looks = next(this.#looks, match[1] ?? "");
    }
    add(at, end);
    return pieces;
  }
}

const CLASSES = ["bold", "dim", "italic", "underline", "reverse"] as const;

/** Gives an element its looks, in ways that no content security policy forbids. */
export function dress(element: HTMLElement, looks: Looks): void {
  for (const name of CLASSES) if (looks[name]) element.classList.add(name);
  const { color, background } = looks;
  if (typeof color === "number") element.classList.add(`c${color}`);
  else if (color !== undefined) element.style.color = color;
  if (typeof background === "number") element.classList.add(`g${background}`);
  else if (background !== undefined) element.style.background = background;
}
