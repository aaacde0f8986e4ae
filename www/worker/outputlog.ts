/**
 * Everything a run wrote, and what of it the page has yet to be sent.
 *
 * A program may write gigabytes, faster than a terminal draws. All of it (up to the run's output
 * limit) is kept here, for copies and downloads; the page is sent no more than it can draw, and when
 * it falls far behind, the middle is skipped, since it would have scrolled away unseen.
 */
import type { OutputChunk } from "../face";

const BLOCK = 256 * 1024;

/** A growing run of bytes, in blocks, so that growing never copies what is there. */
export class ByteLog {
  readonly #blocks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    let rest = bytes;
    while (rest.length > 0) {
      const used = this.#length % BLOCK;
      if (used === 0) this.#blocks.push(new Uint8Array(BLOCK));
      const block = this.#blocks[this.#blocks.length - 1] as Uint8Array;
      const part = rest.subarray(0, BLOCK - used);
      block.set(part, used);
      this.#length += part.length;
      rest = rest.subarray(part.length);
    }
  }

  /** A copy of the bytes from `offset`, as many as there are up to `length`. */
  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.#length);
    const copy = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const block = this.#blocks[Math.floor(at / BLOCK)] as Uint8Array;
      const from = at % BLOCK;
      const part = block.subarray(from, Math.min(BLOCK, from + end - at));
      copy.set(part, at - offset);
      at += part.length;
    }
    return copy;
  }

  /** The bytes themselves, without copying; the log must not be used afterwards. */
  surrender(): Uint8Array[] {
    return this.#blocks.map((block, index) => block.subarray(0, Math.min(BLOCK, this.#length - index * BLOCK)));
  }
}

/** A stretch of one stream that the page has not been sent. */
interface Pending {
  fd: 1 | 2;
  offset: number;
  length: number;
}

/** Bytes sent and not yet drawn that we allow. */
const WINDOW = 384 * 1024;
/** With more than this unsent the page has fallen behind … */
const BEHIND = 4 * 1024 * 1024;
/** … and is sent only this much of the end. */
const TAIL = 256 * 1024;

export class OutputLog {
  readonly #logs = { 1: new ByteLog(), 2: new ByteLog() };
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #undrawn = 0;
  #skipped = 0;

  /** `everything`: for whoever takes it as a stream; nothing is skipped, and nothing waits to be drawn. */
  constructor(readonly everything = false) {}

  get stdout(): ByteLog {
    return this.#logs[1];
  }

  get stderr(): ByteLog {
    return this.#logs[2];
  }

  of(fd: 1 | 2): ByteLog {
    return this.#logs[fd];
  }

  /** `skipped` bytes before these chunks are already missing. */
  push(chunks: OutputChunk[], skipped = 0): void {
    this.#skipped += skipped;
    for (const { fd, bytes } of chunks) {
      if (bytes.length === 0) continue;
      const log = this.#logs[fd];
      const last = this.#pending[this.#pending.length - 1];
      if (last?.fd === fd) last.length += bytes.length;
      else this.#pending.push({ fd, offset: log.length, length: bytes.length });
      log.append(bytes);
      this.#pendingBytes += bytes.length;
    }
    if (this.#pendingBytes > BEHIND && !this.everything) this.#skipTo(TAIL);
  }

  #skipTo(keep: number): void {
    let drop = this.#pendingBytes - keep;
    let records = 0;
    for (const record of this.#pending) {
      const part = Math.min(drop, record.length);
      record.offset += part;
      record.length -= part;
      drop -= part;
      this.#skipped += part;
      this.#pendingBytes -= part;
      if (record.length > 0) break;
      records += 1;
    }
    this.#pending = this.#pending.slice(records);
    this.#startAtLine();
  }

  /** After a skip, goes on to the next line, so that no half line or half escape sequence is shown. */
  #startAtLine(): void {
    const first = this.#pending[0];
    if (!first) return;
    const newline = this.#logs[first.fd].read(first.offset, Math.min(first.length - 1, 4096)).indexOf(10);
    if (newline < 0) return;
    first.offset += newline + 1;
    first.length -= newline + 1;
    this.#pendingBytes -= newline + 1;
    this.#skipped += newline + 1;
  }

  get isEmpty(): boolean {
    return this.stdout.length + this.stderr.length === 0;
  }

  /** All that is pending was sent in another way. */
  markSent(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#skipped = 0;
  }

  /** The page has drawn this much. */
  drawn(bytes: number): void {
    this.#undrawn = Math.max(0, this.#undrawn - bytes);
  }

  /** What to send now, if anything: no more than the page has room for. */
  next(most = this.everything ? Number.POSITIVE_INFINITY : WINDOW - this.#undrawn): { skipped: number; chunks: OutputChunk[] } | null {
    let room = most;
    if (room <= 0 || this.#pending.length === 0) return null;
    const chunks: OutputChunk[] = [];
    let sent = 0;
    for (const record of this.#pending) {
      if (room === 0) break;
      const part = Math.min(room, record.length);
      chunks.push({ fd: record.fd, bytes: this.#logs[record.fd].read(record.offset, part) });
      record.offset += part;
      record.length -= part;
      room -= part;
      this.#pendingBytes -= part;
      this.#undrawn += part;
      if (record.length === 0) sent += 1;
    }
    this.#pending = this.#pending.slice(sent);
    const skipped = this.#skipped;
    this.#skipped = 0;
    return { skipped, chunks };
  }
}
