/** wasmi compiled to wasm: `benches/harness`. */
export async function open(url) {
  const module = await WebAssembly.compileStreaming(fetch(url));
  const { exports } = await WebAssembly.instantiate(module, {});
  const fill = (bytes) => {
    const at = exports.buffer(bytes.length);
    new Uint8Array(exports.memory.buffer, at, bytes.length).set(bytes);
  };
  const taken = () => {
    const length = exports.length();
    return new Uint8Array(exports.memory.buffer, exports.buffer(length), length).slice();
  };
  const encoder = new TextEncoder();
  return {
    load(wasm, { fuel }) {
      fill(wasm);
      if (exports.load(fuel) !== 0) throw new Error(new TextDecoder().decode(taken()));
      return {
        run(args, stdin) {
          // A second run gets its arguments again.
          exports.clear();
          for (const arg of args) {
            fill(encoder.encode(arg));
            exports.arg();
          }
          fill(stdin);
          exports.stdin();
          const code = exports.run();
          return { code, output: taken() };
        },
      };
    },
  };
}
