// A guest on the browser's own WebAssembly engine: what src/engine/browser.rs can't say in Rust.

/** Thrown to unwind a guest that the host ends. */
const STOP = Symbol("stop");

/** Answered by ours to suspend the guest. */
const SUSPEND = -2;

/** What may have to wait: for the next slice, for input, or until the output was taken. */
const MAY_SUSPEND = new Set(["tick", "fd_read", "poll_oneoff", "fd_write"]);

/** Whether a guest can be suspended (JSPI). */
export function suspends() {
  return typeof WebAssembly.Suspending === "function" && typeof WebAssembly.promising === "function";
}

/** Of the guest that was set going last: settles when it stops. */
let stops = Promise.resolve();

/** Waits for the guest that was set going. Rejects with what our own code threw. */
export function back() {
  return stops;
}

/**
 * Room on the stack for one call of ours, from the deepest point of the guest: levels of recursion of `room`.
 * Measured, V8 takes well below 16 KiB for any call; these levels take several times that.
 */
const LEVELS = 400;

/** Uses stack; the arguments are there to make its frames larger, the sum to keep it from becoming a loop. */
function room(level, a, b, c, d, e, f, g, h) {
  return level === 0 ? a : 1 + room(level - 1, b, c, d, e, f, g, h, a);
}

function returned(name, value) {
  return value === undefined ? undefined : new TypeError(`\`${name}\` must return nothing`);
}

/**
 * Throws what the engine throws.
 * @param {Uint8Array} wasm an instrumented module
 */
export function compile(wasm) {
  return new WebAssembly.Module(wasm);
}

export class Guest {
  #calls;
  #instance;
  #memory;
  #left;
  #place;
  #bytes = new Uint8Array(0);
  /** Whether our own code runs, called by the guest: what is thrown then is not the guest's. */
  #inside = false;
  /** Lets the guest, which is suspended, go on. */
  #resume = null;
  /** Tells that the guest stops, or that our own code failed. */
  #stopped = null;
  #failed = null;
  /** How the function ended that was set going. */
  #ended = undefined;

  /**
   * Instantiates; throws what the engine throws.
   * @param {WebAssembly.Module} module the instrumented module
   * @param {string} host the module that metering's functions are imported from
   * @param {object} calls a `HostCalls`
   */
  constructor(module, host, left, place, calls) {
    this.#calls = calls;
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      const ours = from === host ? this.#meter(name) : this.#system(from, name);
      imports[from][name] = suspends() && MAY_SUSPEND.has(name) ? new WebAssembly.Suspending(ours) : ours;
    }
    this.#instance = new WebAssembly.Instance(module, imports);
    const { exports } = this.#instance;
    this.#memory = exports.memory instanceof WebAssembly.Memory ? exports.memory : null;
    this.#left = exports[left];
    this.#place = exports[place];
  }

  /** Makes a call of ours. */
  #enter(call) {
    this.#inside = true;
    const answer = call();
    this.#inside = false;
    return answer < 0 ? this.#leave(answer) : answer;
  }

  /** A negative answer, as a number or a bigint, suspends or ends the guest. */
  #leave(answer) {
    if (Number(answer) !== SUSPEND) throw STOP;
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#stopped();
    });
  }

  #meter(name) {
    const calls = this.#calls;
    switch (name) {
      case "tick":
        return (left, at) => this.#enter(() => calls.tick(left, at));
      case "deeper":
        return (level, left, at) => {
          // If the stack ends here, it does so in the guest's name, not in the middle of our own code.
          room(LEVELS, 1, 2, 3, 4, 5, 6, 7, 8);
          return this.#enter(() => calls.deeper(level, left, at));
        };
      case "grow":
        return (table, size, delta, max, left, at) => this.#enter(() => calls.grow(table, size, delta, max, left, at));
      default:
        return () => this.#enter(() => calls.lack());
    }
  }

  /** A function of WASI: its i32 arguments and its i64 ones are passed apart, so that all have one signature. */
  #system(from, name) {
    const calls = this.#calls;
    const index = calls.find(from, name);
    const types = calls.parameters(index);
    const ints = [];
    const longs = [];
    for (let at = 0; at < types.length; at++) (types[at] === "l" ? longs : ints).push(at);
    const [a, b, c, d, e, f, g] = ints;
    const [l, m] = longs;
    return (...args) => {
      this.#inside = true;
      const answer = calls.call(
        index,
        this.#view().length,
        this.#left.value,
        args[a] | 0,
        args[b] | 0,
        args[c] | 0,
        args[d] | 0,
        args[e] | 0,
        args[f] | 0,
        args[g] | 0,
        args[l] ?? 0n,
        args[m] ?? 0n,
      );
      this.#inside = false;
      return answer < 0 ? this.#leave(answer) : answer;
    };
  }

  /** The guest's memory; its buffer is another one after it grew. */
  #view() {
    const memory = this.#memory;
    if (memory && this.#bytes.buffer !== memory.buffer) this.#bytes = new Uint8Array(memory.buffer);
    return this.#bytes;
  }

  /** Bytes of the guest's memory. */
  size() {
    return this.#view().length;
  }

  /** Copies from the guest's memory. Bounds were checked. */
  read(address, into) {
    into.set(this.#view().subarray(address, address + into.length));
  }

  /** Copies to the guest's memory. Bounds were checked. */
  write(address, bytes) {
    this.#view().set(bytes, address);
  }

  /** What an exported function of that name returns; throws what the engine throws. */
  cell(name) {
    return this.#instance.exports[name]();
  }

  /** Calls the exported function of that name, which flips bits of a cell. */
  flip(name, cell, bits) {
    this.#instance.exports[name](cell, bits);
  }

  /** Bytes of an exported memory. */
  sizeOf(memory) {
    return this.#instance.exports[memory].buffer.byteLength;
  }

  /** Copies from an exported memory. */
  readFrom(memory, address, into) {
    into.set(new Uint8Array(this.#instance.exports[memory].buffer, address, into.length));
  }

  /** Copies to an exported memory. */
  writeTo(memory, address, bytes) {
    new Uint8Array(this.#instance.exports[memory].buffer, address, bytes.length).set(bytes);
  }

  /** Whether there is an exported function of that name. */
  has(name) {
    return typeof this.#instance.exports[name] === "function";
  }

  /** What the guest has left of its steps. */
  left() {
    return this.#left.value;
  }

  /** Where it is, if the module tells. */
  place() {
    return this.#place?.value;
  }

  /**
   * Calls an exported function: `undefined` if it returned, `null` if the host ended it, or the error that ended it.
   * Throws what our own code threw.
   */
  run(name, left) {
    this.#left.value = left;
    try {
      return returned(name, this.#instance.exports[name]());
    } catch (error) {
      return this.#thrown(error);
    }
  }

  #thrown(error) {
    if (this.#inside) throw error;
    return error === STOP ? null : error;
  }

  /** Sets an exported function going, to be suspended; `back` waits until it stops. */
  begin(name, left) {
    this.#left.value = left;
    this.#expect();
    const end = (ended) => {
      this.#ended = ended;
      this.#stopped();
    };
    WebAssembly.promising(this.#instance.exports[name])()
      .then((value) => end(returned(name, value)), (error) => end(this.#thrown(error)))
      .catch((error) => this.#failed(error));
  }

  /** From here on `back` waits for this guest. */
  #expect() {
    stops = new Promise((resolve, reject) => {
      this.#stopped = resolve;
      this.#failed = reject;
    });
  }

  /** Lets the guest go on with what its call returns. */
  go(value) {
    this.#expect();
    const resume = this.#resume;
    this.#resume = null;
    resume(value);
  }

  /** How the function ended, as of `run`. */
  ended() {
    return this.#ended;
  }
}
