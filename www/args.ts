/** Reads the arguments field the way a POSIX shell splits words, without its expansions. */

export type ParsedArgs = { ok: true; args: string[] } | { ok: false; message: string };

/**
 * Splits `text` into words. Single quotes keep everything, double quotes know `\"`, `\\`, `\$`, `` \` ``,
 * a backslash outside quotes keeps the next character. No variables, globs or substitutions.
 */
export function parseArgs(text: string): ParsedArgs {
  const args: string[] = [];
  let word: string | null = null;
  let quote: "'" | '"' | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote === "'") {
      if (char === "'") quote = null;
      else word += char;
    } else if (quote === '"') {
      const next = text[at + 1];
      if (char === '"') quote = null;
      else if (char === "\\" && next !== undefined && '"\\$`'.includes(next)) {
        word += next;
        at++;
      } else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (char === "\\") {
      const next = text[at + 1];
      if (next === undefined) return { ok: false, message: "There is nothing after the last backslash." };
      word = (word ?? "") + next;
      at++;
    } else if (/\s/.test(char)) {
      if (word !== null) args.push(word);
      word = null;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote) return { ok: false, message: `A quote is not closed: ${quote}` };
  if (word !== null) args.push(word);
  if (args.some((arg) => arg.includes("\0"))) return { ok: false, message: "An argument cannot contain a zero byte." };
  return { ok: true, args };
}

/** The reverse: text that `parseArgs` reads back as `args`. */
export function formatArgs(args: readonly string[]): string {
  return args.map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`)).join(" ");
}

export type ParsedEnv = { ok: true; env: [string, string][] } | { ok: false; message: string };

/** One `KEY=VALUE` a line; empty lines and those starting with `#` are skipped, a later key replaces an earlier one. */
export function parseEnv(text: string): ParsedEnv {
  const env = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const equals = line.indexOf("=");
    if (equals <= 0) return { ok: false, message: `Line ${index + 1} is not of the form KEY=VALUE.` };
    env.set(line.slice(0, equals).trim(), line.slice(equals + 1));
  }
  return { ok: true, env: [...env] };
}

export function formatEnv(env: readonly (readonly [string, string])[]): string {
  return env.map(([key, value]) => `${key}=${value}`).join("\n");
}
