/** What interpreters say of errors in the programs that they run, as places in the text. No DOM. */
import type { Mark } from "./editor/marks";

/** How much of the end of standard error is looked at. */
export const TAIL = 16 * 1024;

/**
 * The place in the script at `path` that an uncaught error names, if one does.
 *
 * JavaScript tells the innermost call first (`at f (/task.js:3:7)`), Python last (`File "/task.py", line 3`); the
 * message is before the first, and behind the last.
 */
export function scriptError(stderr: string, path: string): Mark | null {
  const name = (path.split("/").at(-1) ?? path).replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const lines = stderr.trimEnd().split(/\r?\n/);
  const place = new RegExp(`${name}(?:"?, line (\\d+)|:(\\d+)(?::(\\d+))?)`);
  const places = lines.flatMap((line, index) => {
    const match = place.exec(line);
    const number = match?.[1] ?? match?.[2];
    return match && number !== undefined ? [{ index, line: Number(number), column: match[3] === undefined ? null : Number(match[3]), python: match[1] !== undefined }] : [];
  });
  const [first, last] = [places[0], places.at(-1)];
  if (!first || !last) return null;
  if (last.python) {
    const message = lines.at(-1)?.trim() ?? "";
    // Below a line of the source a caret may point at the column.
    const caret = lines.slice(last.index + 1, last.index + 4).find((line) => /^\s*[~^]*\^[~^]*\s*$/.test(line));
    const code = lines[last.index + 1] ?? "";
    const indent = /^\s*/.exec(code)?.[0].length ?? 0;
    const column = caret === undefined || code.trim() === "" ? null : caret.search(/[~^]/) - indent + 1;
    return { line: last.line, column: column !== null && column >= 1 ? column : null, message };
  }
  const before = lines.slice(0, first.index + 1).findLast((line) => /\w*(?:Error|Exception)\b/.test(line)) ?? lines[first.index] ?? "";
  return { line: first.line, column: first.column, message: before.trim() };
}
