/** Bytes as text and as hexadecimal numbers. No DOM. */

/** No zero bytes, and valid UTF-8 but for a character cut off at the end. */
export function looksLikeText(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** A page may begin within a character: the rest of it belongs to the page before. */
export function decodePage(bytes: Uint8Array, offset: number): string {
  let start = 0;
  while (offset > 0 && start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return new TextDecoder().decode(bytes.subarray(start), { stream: true });
}

export function hexDump(bytes: Uint8Array, offset: number): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0"));
    const text = row.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    const columns = `${hex.slice(0, 8).join(" ").padEnd(23)}  ${hex.slice(8).join(" ").padEnd(23)}`;
    lines.push(`${(offset + at).toString(16).padStart(8, "0")}  ${columns}  ${text}`);
  }
  return lines.join("\n");
}
