/** Which language a file is in, by its name; each is loaded when it is first needed. */
import type { LanguageSupport } from "@codemirror/language";

type Load = () => Promise<LanguageSupport>;

const rust: Load = async () => (await import("@codemirror/lang-rust")).rust();
const cpp: Load = async () => (await import("@codemirror/lang-cpp")).cpp();
const javascript = (typescript: boolean): Load => async () => (await import("@codemirror/lang-javascript")).javascript({ typescript });

const LANGUAGES: Record<string, Load> = {
  wat: async () => (await import("@codemirror/lang-wast")).wast(),
  wast: async () => (await import("@codemirror/lang-wast")).wast(),
  js: javascript(false),
  mjs: javascript(false),
  ts: javascript(true),
  json: javascript(false),
  py: async () => (await import("@codemirror/lang-python")).python(),
  rs: rust,
  c: cpp,
  h: cpp,
  cc: cpp,
  cpp,
  // Close enough to highlight: comments, strings, numbers, keywords.
  zig: rust,
  go: cpp,
};

export function extension(name: string): string {
  return /\.([^./]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
}

export function languageOf(name: string): Load | undefined {
  return LANGUAGES[extension(name)];
}
