/** Bytes that are read piece by piece, wherever they are: a dropped file, or a file in the worker. */
import type { Client } from "./client";

export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export class BlobSource implements ByteSource {
  constructor(readonly blob: Blob) {}

  get size(): number {
    return this.blob.size;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    return new Uint8Array(await this.blob.slice(offset, offset + length).arrayBuffer());
  }
}

/** A file of the latest run. */
export class RunFileSource implements ByteSource {
  readonly #run: number;

  constructor(
    readonly client: Client,
    readonly path: string,
    readonly size: number,
  ) {
    this.#run = client.run;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.client.request({ type: "read-file", run: this.#run, path: this.path, offset, length });
  }
}

/** What the latest run wrote to stdout or stderr. */
export class OutputSource implements ByteSource {
  readonly #run: number;

  constructor(
    readonly client: Client,
    readonly fd: 1 | 2,
    readonly size: number,
  ) {
    this.#run = client.run;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.client.request({ type: "read-output", run: this.#run, fd: this.fd, offset, length });
  }
}

const PIECE = 4 * 1024 * 1024;

/** Everything, as a blob: the browser may keep its parts on disk, and no second copy is made. */
export async function toBlob(source: ByteSource, type = "application/octet-stream"): Promise<Blob> {
  if (source instanceof BlobSource) return source.blob;
  const parts: Blob[] = [];
  for (let offset = 0; offset < source.size; offset += PIECE) {
    const piece = await source.read(offset, Math.min(PIECE, source.size - offset));
    if (piece.length === 0) break;
    parts.push(new Blob([piece as Uint8Array<ArrayBuffer>]));
  }
  return new Blob(parts, { type });
}
