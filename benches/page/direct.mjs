/** The browser's own engine with what a user would take for WASI. */
import { ConsoleStdout, File, OpenFile, WASI } from "./shim/index.js";

/** Steps that no benchmark uses up. */
const PLENTY = 1n << 60n;

/** What an instrumented module asks its host, without any limit; others do not import it. */
function meter() {
  const half = (1n << 31n) - 1n;
  const most = (a, b) => (a > b ? a : b);
  let depth = 0n;
  let cells = 0n;
  return {
    tick: () => PLENTY,
    deeper(level) {
      depth = most(depth, (level >> 32n) & half);
      cells = most(cells, level & half);
      return ((half - depth) << 32n) | (half - cells);
    },
    grow: (_table, size, delta, limit) => (size + delta <= limit ? 1 : 0),
    lack() {
      throw new Error("out of memory");
    },
  };
}

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
          const instance = new WebAssembly.Instance(module, {
            wasi_snapshot_preview1: wasi.wasiImport,
            verirun: meter(),
          });
          const left = instance.exports["verirun:left"];
          if (left) left.value = PLENTY;
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
