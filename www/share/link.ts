/** Links: which fragments are meant for us, and how a link is written for others. Pure. */
import { formatArgs } from "../args";
import type { Limits } from "../face";

/** The most characters of a fragment: the runtime makes and takes no longer ones. */
export const MAX_LINK = 60_000;
/** Programs that pass links on begin to cut longer ones. */
export const LONG_LINK = 8_000;

/** What the fragment of an address asks for. */
export type Asked = { kind: "nothing" } | { kind: "verify" } | { kind: "story" } | { kind: "link"; fragment: string };

/** A link starts with its version, a digit; other fragments are places in the page. */
export function asked(hash: string): Asked {
  const fragment = hash.replace(/^#/, "");
  if (fragment === "verify" || fragment === "story") return { kind: fragment };
  // Whatever starts with a digit is meant as a link, of this version or of another.
  return /^\d/.test(fragment) ? { kind: "link", fragment } : { kind: "nothing" };
}

/** The address of this page with another fragment. */
export function linkTo(page: string, fragment: string): string {
  return `${page.replace(/#.*$/s, "")}#${fragment}`;
}

/** `[title](link)`; nothing in the title is markup. */
export function asMarkdown(title: string, link: string): string {
  return `[${title.replaceAll(/[\\`*_{}[\]()#+!|<>~&]/g, "\\$&").replaceAll(/\s+/g, " ")}](${link})`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** What the attributes of `<wasm-task>` say. */
export interface ElementAttributes {
  src: string;
  args: readonly string[];
  env: readonly (readonly [string, string])[];
  /** Null if it is typed. */
  stdin: string | null;
  limits: Limits;
  clock: string;
  random: string;
  seed: string;
}

/** What to put into a page of one's own: the element, if its attributes can say the whole task; else a link. */
export function asElement(task: { title: string; link: string; script: string; element: ElementAttributes | null }): { html: string; isElement: boolean } {
  const { title, link, script, element } = task;
  if (!element) return { html: `<a href="${escapeHtml(link)}">${escapeHtml(title)}</a>`, isElement: false };
  const { src, args, env, stdin, limits, clock, random, seed } = element;
  const said: [string, string | null][] = [
    ["src", src],
    ["args", args.length > 0 ? formatArgs(args) : null],
    // A value may hold anything, so it is not left to the rules of a shell.
    ["env", env.length > 0 ? JSON.stringify(Object.fromEntries(env)) : null],
    ["stdin", stdin === "" ? null : stdin],
    ["limits", formatArgs(Object.entries(limits).map(([name, value]) => `${name}=${value}`)) || null],
    ["clock", clock === "fixed" ? null : clock],
    ["random", random === "seeded" ? null : random],
    ["seed", seed === "" ? null : seed],
  ];
  const attributes = said.flatMap(([name, value]) => (value === null ? [] : [`${name}="${escapeHtml(value)}"`]));
  if (stdin === null) attributes.push("interactive");
  return { html: `<script type="module" src="${escapeHtml(script)}"></script>\n<wasm-task ${attributes.join(" ")}></wasm-task>\n`, isElement: true };
}
