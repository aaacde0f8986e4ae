/** The browser's own engine with what a user would take for WASI. */
import { ConsoleStdout, File, OpenFile, WASI } from "./shim/index.js";

/** How many steps are granted at a time: as many as `meter::Gauge` grants at most. */
const PLENTY = (1n << 23n) - 1n;

/** What an instrumented module asks its host, without any limit; others do not import it. */
function meter() {
  // `meter::Level` of the `verirun` crate.
  const mostDepth = (1n << 23n) - 1n;
  const mostCells = (1n << 39n) - 1n;
  const most = (a, b) => (a > b ? a : b);
  let depth = 0n;
  let cells = 0n;
  return {
    tick: () => PLENTY,
    deeper(level) {
      depth = most(depth, level & ((1n << 24n) - 1n));
      cells = most(cells, level >> 24n);
      return ((mostCells - cells) << 24n) | (mostDepth - depth);
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
