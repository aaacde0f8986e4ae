/** Fetches what a link only names by address and digest. It is used only if the digest is right. */
import { bytes } from "../format";
import { UserError } from "../problem";
import type { Digested } from "../receipt/types";

/** Where a module may lie: on this site, or anywhere with https. */
export function moduleUrl(text: string, base: string): URL {
  let url: URL;
  try {
    url = new URL(text, base);
  } catch {
    throw refused("bad-url", "The module’s address is no address.", "Give one that starts with https://.");
  }
  const here = url.origin === new URL(base).origin;
  if (url.protocol !== "https:" && !here) {
    throw refused("bad-url", `The module’s address is ${url.protocol}//…, and only https:// can be fetched from here.`, "Publish the module on a server with https.");
  }
  return url;
}

function refused(code: string, message: string, hint: string): UserError {
  return new UserError({ code, message, hint });
}

/** The bytes at `url`, of exactly the size that is said: no more is read. */
export async function fetchModule(url: URL, said: Digested, progress: (done: number, total: number) => void): Promise<Blob> {
  const response = await ask(url);
  if (!response.ok) {
    throw refused("module-gone", `The server answered ${response.status} for the module at ${url.href}.`, "It was moved or deleted. Get the module from whoever made the link, or ask for a package file.");
  }
  const size = Number(said.size);
  const wrong = (found: string): UserError =>
    refused("module-size", `The module at ${url.href} has ${found}, and the link says ${bytes(size)} (${said.size} bytes).`, "It was replaced since the link was made. Ask for a new link, or for a package file.");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    length += next.value.length;
    if (length > size) {
      await reader?.cancel();
      throw wrong("more bytes");
    }
    parts.push(next.value as Uint8Array<ArrayBuffer>);
    progress(length, size);
  }
  if (length !== size) throw wrong(`${length} bytes`);
  return new Blob(parts);
}

/** A page is not told why a request failed; a second one, of which it may see nothing, tells the two causes apart. */
async function ask(url: URL): Promise<Response> {
  const options = { credentials: "omit", referrerPolicy: "no-referrer" } as const;
  try {
    return await fetch(url, options);
  } catch {
    const isThere = await fetch(url, { ...options, mode: "no-cors" }).then(
      () => true,
      () => false,
    );
    throw isThere
      ? refused("module-cors", `The server at ${url.host} does not let other sites read the module (CORS).`, "Download it yourself and drop it here; whoever runs that server can allow it with the header Access-Control-Allow-Origin.")
      : refused("module-unreachable", `The module at ${url.href} can’t be reached.`, "Check your connection and the address, or get the module in another way and drop it here.");
  }
}

export function wrongDigest(url: string, found: string, said: string): UserError {
  return refused("module-digest", `What is at ${url} is not the module of the link: its SHA-256 is ${found}, and the link says ${said}.`, "It was replaced since the link was made. It was not run. Ask for a new link, or for a package file.");
}
