/**
 * Which projects tabs use: one that is open somewhere, or that a tab can bring back, is not removed for good.
 *
 * They are locks (Web Locks), which end with their tab however that ends. Where there are none, nothing is held; a tab
 * still notices by the revision that its project is gone.
 */

const name = (id: string): string => `verirun-project ${id}`;

/** Held until what is returned is called. */
export function use(id: string): () => void {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // Denied, for instance, to a page that is being left.
  void locks()?.request(name(id), { mode: "shared" }, () => ended).catch(() => {});
  return end;
}

/** Does `work` if no tab uses the project; tells whether it did. */
export async function ifUnused(id: string, work: () => Promise<void>): Promise<boolean> {
  const once = async (): Promise<boolean> => {
    await work();
    return true;
  };
  const all = locks();
  return all ? all.request(name(id), { ifAvailable: true }, (lock) => (lock ? once() : false)) : once();
}

/** Old browsers, and pages that are not secure, have none. */
function locks(): LockManager | undefined {
  return (navigator as { locks?: LockManager }).locks;
}
