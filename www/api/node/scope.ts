/** Lets code written for a browser's worker run in one of Node.js. */
import { parentPort } from "node:worker_threads";

let handler: ((event: { data: unknown }) => void) | null = null;
parentPort?.on("message", (data) => handler?.({ data }));

Object.defineProperties(globalThis, {
  postMessage: {
    value: (message: unknown, transfer?: readonly Transferable[]) => parentPort?.postMessage(message, transfer as never),
  },
  onmessage: {
    get: () => handler,
    set: (next: typeof handler) => {
      handler = next;
    },
  },
});
