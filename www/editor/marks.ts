/** Problems at places of a text. */

export interface Mark {
  /** From 1. */
  line: number;
  /** From 1, in characters; the whole line if it is not known. */
  column: number | null;
  message: string;
}

/** Where a mark lies in a text: from and to, in UTF-16 units. A place behind the end is the end. */
export function span(text: string, mark: Mark): { from: number; to: number } {
  let start = 0;
  for (let line = 1; line < mark.line; line++) {
    const next = text.indexOf("\n", start);
    if (next < 0) break;
    start = next + 1;
  }
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  if (mark.column === null) {
    const indent = /^\s*/.exec(text.slice(start, end))?.[0].length ?? 0;
    return { from: Math.min(start + indent, end), to: end };
  }
  // Columns count characters; a character outside the basic plane is two units.
  let from = start;
  for (let column = 1; column < mark.column && from < end; column++) from += (text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1;
  const word = /^(?:[\w$.]+|\S|\s+)/u.exec(text.slice(from, end))?.[0].length ?? 0;
  // At the end of a line there is nothing to underline: the character before it is.
  return word > 0 ? { from, to: from + word } : { from: Math.max(start, from - 1), to: from };
}
