/** Links: which fragments are meant for us, and how a link is written for others. Pure. */

/** The most characters of a fragment: the runtime makes and takes no longer ones. */
export const MAX_LINK = 60_000;
/** Programs that pass links on begin to cut longer ones. */
export const LONG_LINK = 8_000;

/** What the fragment of an address asks for. */
export type Asked = { kind: "nothing" } | { kind: "verify" } | { kind: "link"; fragment: string };

/** A link starts with its version, a digit; other fragments are places in the page. */
export function asked(hash: string): Asked {
  const fragment = hash.replace(/^#/, "");
  if (fragment === "verify") return { kind: "verify" };
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

/** What to put into a page of one's own: the element of this site with the link as what to run. */
export function asElement(title: string, link: string, script: string): string {
  return `<script type="module" src="${escapeHtml(script)}"></script>\n<wasm-task src="${escapeHtml(link)}">${escapeHtml(title)}</wasm-task>\n`;
}
