/** What is kept in this browser about receipts: which were verified. Nothing leaves it. */

const NAME = "verirun-receipts";
const VERSION = 1;
const STORES = ["verified", "keys"] as const;
type Store = (typeof STORES)[number];

let opening: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) {
        if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's storage can't be opened"));
    request.onblocked = () => reject(new Error("the browser's storage is in use by an older version of this page"));
  });
  // A browser that keeps nothing now may do so later.
  opening.catch(() => (opening = null));
  return opening;
}

async function transact<T>(store: Store, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("the browser's storage failed"));
  });
}

export function get<T>(store: Store, key: string): Promise<T | undefined> {
  return transact(store, "readonly", (objects) => objects.get(key) as IDBRequest<T | undefined>);
}

export async function put(store: Store, key: string, value: unknown): Promise<void> {
  await transact(store, "readwrite", (objects) => objects.put(value, key));
}

export function all<T>(store: Store): Promise<T[]> {
  return transact(store, "readonly", (objects) => objects.getAll() as IDBRequest<T[]>);
}

export async function remove(store: Store, key: string): Promise<void> {
  await transact(store, "readwrite", (objects) => objects.delete(key));
}

export async function clear(store: Store): Promise<void> {
  await transact(store, "readwrite", (objects) => objects.clear());
}
