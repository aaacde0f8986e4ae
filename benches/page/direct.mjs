/** The browser's own engine with what a user would take for WASI. */
import { ConsoleStdout, File, OpenFile, WASI } from "./shim/index.js";

export async function open() {
  const modules = new Map();
  return {
    async load(wasm) {
      // Compiled once, as it would be kept; the engine goes on optimising what runs often.
      if (!modules.has(wasm)) modules.set(wasm, await WebAssembly.compile(wasm));
      const module = modules.get(wasm);
      return {
        run(args, stdin) {
          const chunks = [];
          const out = () => new ConsoleStdout((chunk) => chunks.push(chunk.slice()));
          const wasi = new WASI(args, [], [new OpenFile(new File(stdin)), out(), out()]);
          const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport });
          const code = wasi.start(instance);
          const output = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
          let at = 0;
          for (const chunk of chunks) {
            output.set(chunk, at);
            at += chunk.length;
          }
          return { code, output };
        },
      };
    },
  };
}
