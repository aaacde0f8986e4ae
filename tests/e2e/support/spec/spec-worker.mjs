/** Runs a file of those that tests/spec wrote on the browser's own engine, each module as it is and instrumented,
 * and says where the specification's assertions hold. */

/** Steps that no test uses up. */
const PLENTY = 1n << 60n;
/** Nested calls before a call counts as endless: fewer than V8's stack holds. */
const MOST_CALLS = 4000n;
const HALF = (1n << 31n) - 1n;
const most = (a, b) => (a > b ? a : b);

class Exhausted extends Error {}

function meter() {
  let depth = 0n;
  let cells = 0n;
  return {
    tick: () => PLENTY,
    deeper(level) {
      if (((level >> 32n) & HALF) > MOST_CALLS) throw new Exhausted("too many nested calls");
      depth = most(depth, (level >> 32n) & HALF);
      cells = most(cells, level & HALF);
      return ((HALF - depth) << 32n) | (HALF - cells);
    },
    grow: (_table, size, delta, limit) => (BigInt.asUintN(64, size) + BigInt.asUintN(64, delta) <= BigInt.asUintN(64, limit) ? 1 : 0),
    lack() {
      throw new Error("lack");
    },
  };
}

const fromHex = (text) => Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function value(arg) {
  const view = new DataView(new ArrayBuffer(8));
  if ("i32" in arg) return arg.i32;
  if ("i64" in arg) return BigInt(arg.i64);
  if ("f32" in arg) {
    view.setUint32(0, arg.f32);
    return view.getFloat32(0);
  }
  view.setBigUint64(0, BigInt(arg.f64));
  return view.getFloat64(0);
}

const WIDTHS = { canonical32: 4, arithmetic32: 4, canonical64: 8, arithmetic64: 8 };

function laneFits(found, expected) {
  const bits = () => BigInt(`0x${found.match(/../g).reverse().join("")}`);
  const quiet = { 32: 0x7fc0_0000n, 64: 0x7ff8_0000_0000_0000n };
  switch (expected) {
    case "canonical32":
      return (bits() & 0x7fff_ffffn) === quiet[32];
    case "canonical64":
      return (bits() & 0x7fff_ffff_ffff_ffffn) === quiet[64];
    case "arithmetic32":
      return (bits() & quiet[32]) === quiet[32];
    case "arithmetic64":
      return (bits() & quiet[64]) === quiet[64];
    default:
      return found === expected;
  }
}

function resultFits(bytes, ways) {
  return ways.some((lanes) => {
    let at = 0;
    return lanes.every((lane) => {
      const width = WIDTHS[lane] ?? lane.length / 2;
      const found = toHex(bytes.subarray(at, at + width));
      at += width;
      return laneFits(found, lane);
    });
  });
}

/** Where probes put results. */
const memory = new WebAssembly.Memory({ initial: 1 });

class Runner {
  constructor(which) {
    this.which = which;
    this.named = new Map();
    this.current = null;
    this.registered = {
      spectest: {
        print() {}, print_i32() {}, print_i64() {}, print_f32() {}, print_f64() {}, print_i32_f32() {}, print_f64_f64() {},
        global_i32: 666,
        global_i64: 666n,
        global_f32: 666.6,
        global_f64: 666.6,
        table: new WebAssembly.Table({ initial: 10, maximum: 20, element: "anyfunc" }),
        memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
      },
    };
  }

  instantiate(code) {
    const module = new WebAssembly.Module(fromHex(code[this.which]));
    const imports = { ...this.registered };
    if (this.which === "metered") imports.verirun = meter();
    const instance = new WebAssembly.Instance(module, imports);
    if (this.which === "metered") {
      instance.exports[code.left].value = PLENTY;
      if (code.start) instance.exports[code.start]();
    }
    return instance.exports;
  }

  exports(name) {
    return name === null ? this.current : (this.named.get(name) ?? null);
  }

  /** What came of it: "ok", or a word for how it failed. */
  directive(one) {
    const trapped = (error) => {
      if (error instanceof Exhausted || error instanceof RangeError || /too much recursion/.test(error)) return "exhaustion";
      if (error instanceof WebAssembly.RuntimeError) return "trap";
      return `${error.name}: ${error.message}`;
    };
    switch (one.type) {
      case "module":
        this.current = null;
        if (one.code === null) return "refused";
        try {
          this.current = this.instantiate(one.code);
        } catch (error) {
          return trapped(error);
        }
        if (one.name !== null) this.named.set(one.name, this.current);
        return "ok";
      case "instantiate":
        if (one.code === null) return "refused";
        try {
          this.instantiate(one.code);
        } catch (error) {
          return trapped(error) === "trap" ? "ok" : trapped(error);
        }
        return "no trap";
      case "register":
        if (this.exports(one.module) === null) return "missing";
        this.registered[one.name] = this.exports(one.module);
        return "ok";
      case "invoke": {
        const call = this.exports(one.module)?.[one.name];
        if (typeof call !== "function") return "missing";
        let end = "return";
        let bytes;
        try {
          if (one.probe) {
            bytes = new Uint8Array(memory.buffer, 0, 16 * one.results.length).fill(0);
            const probe = new WebAssembly.Instance(new WebAssembly.Module(fromHex(one.probe)), { m: { f: call, memory } });
            probe.exports.go();
          } else {
            call(...one.args.map(value));
          }
        } catch (error) {
          end = trapped(error);
        }
        if (one.expect === "any") return end === "return" ? "ok" : end;
        if (end !== one.expect) return end;
        if (end !== "return" || !bytes) return "ok";
        const fits = one.results.every((ways, index) => resultFits(bytes.subarray(16 * index, 16 * index + 16), ways));
        return fits ? "ok" : `other result: ${toHex(bytes.subarray(0, 16 * one.results.length))}`;
      }
      default:
        throw new Error(one.type);
    }
  }
}

onmessage = ({ data: { file: { name, directives } } }) => {
  const found = { directives: directives.length, passed: 0, metered: 0, failed: [], differ: [] };
  const plain = new Runner("plain");
  const metered = new Runner("metered");
  for (const one of directives) {
    const [before, after] = [plain.directive(one), metered.directive(one)];
    found.passed += before === "ok";
    found.metered += after === "ok";
    const line = `${name}:${one.line}: plain ${before}, metered ${after}`;
    if (before !== "ok") found.failed.push(line);
    if (before !== after) found.differ.push(line);
  }
  postMessage(found);
};
