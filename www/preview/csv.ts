/** Comma-separated values (RFC 4180), read forgivingly. No DOM. */

/**
 * The rows of a text. A quoted field may hold separators, quotes (doubled) and line ends. `complete`: the text ends
 * where the file does; otherwise the last row may be cut off, and is left out.
 */
export function parseRows(text: string, separator: string, complete: boolean): { rows: string[][]; length: number } {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  let rowStart = 0;
  while (at <= text.length) {
    if (at === text.length) {
      if (complete && (row.length > 0 || rowStart < at)) {
        row.push("");
        rows.push(row);
        rowStart = at;
      }
      break;
    }
    const quoted = text[at] === '"' ? quotedField(text, at) : null;
    let field: string;
    if (quoted) {
      [field, at] = quoted;
    } else {
      const end = fieldEnd(text, at, separator);
      field = text.slice(at, end);
      at = end;
    }
    row.push(field);
    if (text[at] === separator) {
      at += 1;
      continue;
    }
    if (at >= text.length && !complete) break;
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
    at += 1;
    rows.push(row);
    row = [];
    rowStart = Math.min(at, text.length);
    if (at >= text.length) break;
  }
  return { rows, length: rowStart };
}

function fieldEnd(text: string, from: number, separator: string): number {
  let end = from;
  while (end < text.length && text[end] !== separator && text[end] !== "\n" && text[end] !== "\r") end += 1;
  return end;
}

/** The field and where it ends; null for a quote that nothing closes, which is then text like any other. */
function quotedField(text: string, from: number): [string, number] | null {
  let value = "";
  for (let at = from + 1; ; ) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return null;
    value += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [value, quote + 1];
    value += '"';
    at = quote + 2;
  }
}
