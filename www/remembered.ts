/** Small choices about the page that outlive it. Storage may be forbidden; then they last as long as the page. */

const PREFIX = "verirun-";

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
  } catch {
    // Not stored then.
  }
}

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}
