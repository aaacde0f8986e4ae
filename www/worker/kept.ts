/**
 * Instrumented modules, kept in the browser between visits (Cache API), so that a large one is instrumented once.
 *
 * What is found is used only if it has the digest that it was kept with; a damaged entry is dropped and made again.
 * Where there is no such storage, or no room in it, nothing is kept and nothing is amiss.
 */

/** One for the origin, so that the bound holds for all of its pages. */
const STORE = "verirun-instrumented";
const PLACE = "/verirun-instrumented/";
/** When each was used last. */
const USES = "uses.json";
/** All together, and one of them, take no more bytes. */
const MOST = 256 * 1024 * 1024;
const MOST_EACH = MOST / 2;

export interface KeptSum {
  count: number;
  bytes: number;
}

interface Entry {
  request: Request;
  name: string;
  bytes: number;
  sha256: string;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Its size and digest are part of an entry's address, so that a list of them needs none of their bytes. */
function toEntry(request: Request): Entry | null {
  const { pathname, searchParams } = new URL(request.url);
  const name = pathname.slice(PLACE.length);
  if (!pathname.startsWith(PLACE) || name === USES) return null;
  return { request, name, bytes: Number(searchParams.get("bytes")), sha256: searchParams.get("sha256") ?? "" };
}

const address = (name: string): string => new URL(PLACE + name, location.origin).href;

/** `null` where there is no storage: over plain HTTP, or where the user does not allow it. */
async function open(): Promise<Cache | null> {
  try {
    return await caches.open(STORE);
  } catch {
    return null;
  }
}

async function entries(store: Cache): Promise<Entry[]> {
  return (await store.keys()).map(toEntry).filter((entry) => entry !== null);
}

async function readUses(store: Cache): Promise<Record<string, number>> {
  try {
    return ((await (await store.match(address(USES)))?.json()) ?? {}) as Record<string, number>;
  } catch {
    return {};
  }
}

async function noteUse(store: Cache, name: string): Promise<void> {
  const there = new Set((await entries(store)).map((entry) => entry.name)).add(name);
  const uses = Object.entries(await readUses(store)).filter(([one]) => there.has(one));
  await store.put(address(USES), Response.json({ ...Object.fromEntries(uses), [name]: Date.now() }));
}

/** Makes room for `bytes` more, at the cost of those that were not used for the longest time. */
async function makeRoom(store: Cache, bytes: number): Promise<void> {
  const all = await entries(store);
  const uses = await readUses(store);
  let total = all.reduce((sum, entry) => sum + entry.bytes, bytes);
  for (const entry of all.sort((a, b) => (uses[a.name] ?? 0) - (uses[b.name] ?? 0))) {
    if (total <= MOST) return;
    await store.delete(entry.request);
    total -= entry.bytes;
  }
}

/** What is kept under that name, whole; `null` if there is nothing. */
export async function find(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const store = await open();
  try {
    const entry = store && (await entries(store)).find((entry) => entry.name === name);
    const response = entry && (await store.match(entry.request));
    if (!response) return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== entry.bytes || (await digest(bytes)) !== entry.sha256) {
      await store.delete(entry.request);
      return null;
    }
    await noteUse(store, name);
    return bytes;
  } catch {
    return null; // no worse than if nothing were kept
  }
}

/** Keeps it if there is room. */
export async function keep(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const store = bytes.length <= MOST_EACH ? await open() : null;
  if (!store) return;
  try {
    await drop(name);
    await makeRoom(store, bytes.length);
    const query = new URLSearchParams({ bytes: String(bytes.length), sha256: await digest(bytes) });
    await store.put(`${address(name)}?${query.toString()}`, new Response(bytes));
    await noteUse(store, name);
  } catch {
    await drop(name).catch(() => {}); // there is no room, or the storage is gone
  }
}

/** Drops what is kept under that name. */
export async function drop(name: string): Promise<void> {
  await (await open())?.delete(address(name), { ignoreSearch: true });
}

/** How much is kept; `null` where nothing can be. */
export async function sum(): Promise<KeptSum | null> {
  const store = await open();
  const all = store && (await entries(store));
  return all && { count: all.length, bytes: all.reduce((sum, entry) => sum + entry.bytes, 0) };
}

/** Drops all of it. */
export async function clear(): Promise<void> {
  try {
    await caches.delete(STORE);
  } catch {
    // There is no storage, so nothing is kept.
  }
}
