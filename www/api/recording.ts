/** All that a run writes, in order, and any number of streams of it that each begin at the start. */
import type { OutputChunk } from "../face";

export class Recording {
  readonly #chunks: OutputChunk[] = [];
  #end: { error?: unknown } | null = null;
  #wake: (() => void)[] = [];

  push(chunks: readonly OutputChunk[]): void {
    this.#chunks.push(...chunks);
    this.#tell();
  }

  /** Nothing more comes; with `error` the streams end in it. */
  end(error?: unknown): void {
    this.#end ??= error === undefined ? {} : { error };
    this.#tell();
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const each of wake) each();
  }

  bytes(fd: 1 | 2): Uint8Array {
    const parts = this.#chunks.filter((chunk) => chunk.fd === fd);
    const all = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of parts) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  /**
   * A stream of the chunks that `pick` returns something for. It holds nothing itself: a reader that is slow, or none
   * at all, keeps no program waiting, since what a run may write is limited anyway.
   */
  stream<T>(pick: (chunk: OutputChunk) => T | null): ReadableStream<T> {
    let next = 0;
    let cancelled = false;
    return new ReadableStream<T>(
      {
        pull: async (controller) => {
          while (!cancelled) {
            const chunk = this.#chunks[next];
            if (chunk) {
              next += 1;
              const picked = pick(chunk);
              if (picked === null) continue;
              controller.enqueue(picked);
              return;
            }
            if (this.#end) {
              if ("error" in this.#end) controller.error(this.#end.error);
              else controller.close();
              return;
            }
            await new Promise<void>((resolve) => this.#wake.push(resolve));
          }
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
  }
}
