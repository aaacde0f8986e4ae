/** Which project this tab has open, so that two tabs can have two. Storage may be forbidden. */

const KEY = "verirun-project";

export function tabProject(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function setTabProject(id: string | null): void {
  try {
    if (id === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, id);
  } catch {
    // Then the next visit of this tab opens the latest project of all tabs.
  }
}
