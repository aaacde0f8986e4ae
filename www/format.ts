/** Numbers as people read them. */

/** `1234567` → `1.23 MB` (decimal units). */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${short(value)} ${units[unit]}`;
}

/** `1234567` → `1.23 M`. */
export function quantity(count: number): string {
  if (count < 10_000) return grouped(Math.round(count));
  const units = ["k", "M", "G", "T", "P", "E"];
  let value = count;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${short(value)} ${units[unit]}`;
}

/** `1234567` → `1 234 567`, with spaces that do not break. */
export function grouped(count: number | string): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** The share of `limit` that is used, never rounded up: 100 % is all of it. */
export function percent(used: number, limit: number): string {
  if (used >= limit) return "100\u00a0%";
  const share = (used / limit) * 100;
  if (share > 0 && share < 1) return "<1\u00a0%";
  return `${Math.floor(share)}\u00a0%`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

function short(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : String(Math.round(value));
}
