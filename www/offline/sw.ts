/**
 * The service worker: the page's files, kept by what is in them, so that the page works without a network.
 *
 * build.mjs puts the list of files with their SHA-256 digests in here, so a changed site is a changed worker, which the
 * browser notices. A version is taken whole or not at all: each file is checked against its digest, and until all
 * essential ones are there the version before goes on. Everything else is kept when it is first used.
 */
export {};

/** Path → digest, and which are fetched ahead. Filled in by build.mjs. */
declare const FILES: Record<string, string>;
declare const ESSENTIAL: string[];

/** The part of `ServiceWorkerGlobalScope` used here; TypeScript's DOM and worker libraries exclude each other. */
interface Extendable extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  registration: { scope: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "message", listener: (event: Extendable & { data: unknown }) => void): void;
}
const scope = globalThis as unknown as Scope;

const BASE = scope.registration.scope;
/** Sites below one another on the same origin have a cache each. */
const CACHE = `verirun ${new URL(BASE).pathname}`;
/** Where the cache notes which files the latest versions have. */
const VERSIONS = `${BASE}?versions`;
/** Pages of the version before may still be open, and load parts that only it had. */
const KEPT_VERSIONS = 2;
const AT_ONCE = 6;

const keyOf = (path: string, digest = FILES[path]): string => `${BASE}${path}?sha256=${digest}`;

/** What is being kept of what a page loads. A new version can't take over before that ends. */
const keeping = new Set<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>>();
let ending = false;

async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The response's copy as this version has it, or null if it is another version's, or no success, or time to end. */
async function checked(path: string, response: Response, digest = FILES[path]): Promise<Response | null> {
  if (!response.ok) return null;
  const bytes = await allOf(response);
  if (bytes === null || (await digestOf(bytes)) !== digest) return null;
  // A new one: browsers refuse one that was redirected where a page is to be shown.
  return new Response(bytes, { headers: { "content-type": response.headers.get("content-type") ?? "" } });
}

/** The whole body; null if it was given up. The page's own copy of it goes on. */
async function allOf({ body }: Response): Promise<ArrayBuffer | null> {
  const reader = body?.getReader();
  if (!reader) return new ArrayBuffer(0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  keeping.add(reader);
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) parts.push(part.value);
    return ending ? null : await new Blob(parts).arrayBuffer();
  } finally {
    keeping.delete(reader);
  }
}

/** Ends what can wait: another version is to take over. */
function end(): void {
  ending = true;
  for (const reader of keeping) void reader.cancel().catch(() => {});
}

async function download(path: string): Promise<Response> {
  // What the page has just loaded is in the browser's own cache.
  for (const cache of ["default", "reload"] as const) {
    const found = await checked(path, await fetch(BASE + path, { cache }));
    if (found) return found;
  }
  throw new Error(`${path} is not there in this version`);
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const rest = [...ESSENTIAL];
  const next = async (): Promise<void> => {
    for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
      if (!(await cache.match(keyOf(path)))) await cache.put(keyOf(path), await download(path));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** Forgets what only versions older than the last had. */
async function tidy(): Promise<void> {
  const cache = await caches.open(CACHE);
  const noted = (await (await cache.match(VERSIONS))?.json()) as string[][] | undefined;
  const versions = [Object.keys(FILES).map((path) => keyOf(path)), ...(noted ?? [])].slice(0, KEPT_VERSIONS);
  await cache.put(VERSIONS, Response.json(versions));
  const kept = new Set([VERSIONS, ...versions.flat()]);
  for (const { url } of await cache.keys()) if (!kept.has(url)) await cache.delete(url);
}

async function keep(path: string, response: Response): Promise<void> {
  const found = await checked(path, response);
  // Without room for it the page works on, online.
  if (found) await (await caches.open(CACHE)).put(keyOf(path), found).catch(() => {});
}

/** A file of which a page knows the digest: from another version, it must not be this one's. */
async function servePinned(event: Fetching, path: string, digest: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const found = (await cache.match(keyOf(path, digest))) ?? (await checked(path, await fetch(event.request), digest));
  return found ?? new Response("This file is not there any more in the version that was asked for.", { status: 404 });
}

async function serve(event: Fetching, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const own = Object.hasOwn(FILES, path);
  const found = own ? await cache.match(keyOf(path)) : undefined;
  if (found) return found;
  const older = (): Promise<Response | undefined> => cache.match(BASE + path, { ignoreSearch: true });
  // What this version does not have is wanted by a page of the version before.
  if (!own) return (await older()) ?? fetch(event.request);
  try {
    const response = await fetch(event.request);
    if (response.ok && !ending) event.waitUntil(keep(path, response.clone()));
    return response;
  } catch (error) {
    const instead = await older();
    if (instead) return instead;
    throw error;
  }
}

scope.addEventListener("install", (event) => event.waitUntil(install()));

scope.addEventListener("activate", (event) => {
  // The first visit is kept too: what it loads from now on passes through here.
  event.waitUntil(tidy().then(() => scope.clients.claim()));
});

scope.addEventListener("message", (event) => {
  // To the version that waits, and to the one before it.
  if (event.data === "update") event.waitUntil(scope.skipWaiting());
  if (event.data === "end") end();
});

scope.addEventListener("fetch", (event) => {
  const { method, url, headers } = event.request;
  const [address = ""] = url.split(/[?#]/);
  if (method !== "GET" || !address.startsWith(BASE) || headers.has("range")) return;
  let path: string;
  try {
    path = decodeURIComponent(address.slice(BASE.length));
  } catch {
    return;
  }
  if (path === "" || path.endsWith("/")) path += "index.html";
  const digest = new URL(url).searchParams.get("sha256");
  const pinned = digest !== null && digest !== FILES[path];
  event.respondWith(pinned ? servePinned(event, path, digest) : serve(event, path));
});
