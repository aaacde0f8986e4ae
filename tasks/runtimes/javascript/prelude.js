// What a JavaScript task sees beside the language itself. host.c calls this function before the program runs, with its
// own functions (`host`), the program's arguments, and the environment as "NAME=value".
(function (host, args, environment) {
  "use strict";
  // Kept from a program that replaces them.
  const { assign, create, defineProperty, freeze, fromEntries, getPrototypeOf, keys } = Object;
  const { isArray } = Array;

  const hidden = (object, values) => {
    for (const key of keys(values)) {
      defineProperty(object, key, { value: values[key], writable: true, configurable: true, enumerable: false });
    }
  };

  // Text and bytes

  /** Bytes of whatever may be written: a string as UTF-8, a typed array, an ArrayBuffer. */
  function bufferOf(data, what) {
    if (typeof data === "string") return host.encode(data);
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    throw new TypeError(`${what} takes a string or bytes, not ${data === null ? "null" : typeof data}`);
  }

  const textOf = (buffer) => host.decode(buffer, 0, buffer.byteLength);

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return new Uint8Array(host.encode(String(text)));
    }
  }

  class TextDecoder {
    get encoding() {
      return "utf-8";
    }
    decode(bytes = new Uint8Array()) {
      return textOf(bufferOf(bytes, "decode"));
    }
  }

  // Files

  function readFile(path, as = "text") {
    const buffer = host.read(String(path));
    if (as === "bytes") return new Uint8Array(buffer);
    if (as === "text") return textOf(buffer);
    throw new TypeError(`readFile gives "text" or "bytes", not ${inspect(as)}`);
  }

  const writeFile = (path, data) => host.write(String(path), bufferOf(data, "writeFile"), false);
  const appendFile = (path, data) => host.write(String(path), bufferOf(data, "appendFile"), true);
  const listFiles = (path = "/") => host.list(String(path)).sort();
  const removeFile = (path) => host.remove(String(path));
  const makeDirectory = (path) => host.mkdir(String(path));
  const fileType = (path) => host.stat(String(path));

  // Streams

  /** What was read of standard input and not asked for yet. */
  let waiting = new Uint8Array();
  let ended = false;

  /** Waits for more; false at the end. */
  function more() {
    if (ended) return false;
    const piece = new Uint8Array(host.get());
    ended = piece.length === 0;
    const joined = new Uint8Array(waiting.length + piece.length);
    joined.set(waiting);
    joined.set(piece, waiting.length);
    waiting = joined;
    return !ended;
  }

  function take(length, skip = 0) {
    const text = host.decode(waiting.buffer, waiting.byteOffset, waiting.byteOffset + length);
    waiting = waiting.subarray(length + skip);
    return text;
  }

  const stdin = {
    /** The next line without its line feed; null at the end. */
    readLine() {
      for (let from = 0; ; ) {
        const at = waiting.indexOf(10, from);
        if (at >= 0) return take(at, 1);
        from = waiting.length;
        if (!more()) return from === 0 ? null : take(from);
      }
    },
    /** All that is left, as text. */
    read() {
      while (more());
      return take(waiting.length);
    },
    /** All that is left, as bytes. */
    readBytes() {
      while (more());
      const all = waiting.slice();
      waiting = new Uint8Array();
      return all;
    },
    *[Symbol.iterator]() {
      for (let line; (line = stdin.readLine()) !== null; ) yield line;
    },
  };

  const stream = (descriptor) => ({ write: (data) => host.put(descriptor, bufferOf(data, "write")) });
  const stdout = stream(1);
  const stderr = stream(2);

  // Showing values

  const WIDTH = 76;
  const DEEPEST = 4;
  const MOST = 100;

  const quoted = (text) => JSON.stringify(text);
  const keyed = (key) =>
    typeof key === "symbol" ? `[${String(key)}]` : /^[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*$/.test(key) ? key : quoted(key);

  function inspect(value, depth = 0, above = []) {
    switch (typeof value) {
      case "string":
        return quoted(value);
      case "bigint":
        return `${value}n`;
      case "number":
        return Object.is(value, -0) ? "-0" : String(value);
      case "function":
        return /^class\b/.test(String(value)) ? `[class ${value.name || "(anonymous)"}]` : `[Function ${value.name || "(anonymous)"}]`;
      case "object":
        return value === null ? "null" : inspectObject(value, depth, above);
      default:
        return String(value);
    }
  }

  function inspectObject(value, depth, above) {
    if (above.includes(value)) return "[Circular]";
    if (value instanceof Error) return errorText(value);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    const prototype = getPrototypeOf(value);
    const name = prototype === null ? "[Object: null prototype]" : (prototype.constructor?.name ?? "");
    if (depth > DEEPEST) return isArray(value) ? "[Array]" : `[${name || "Object"}]`;
    const inner = (item) => inspect(item, depth + 1, [...above, value]);
    const list = ArrayBuffer.isView(value) && "length" in value;
    const isMap = value instanceof Map;
    const entries = isMap || value instanceof Set ? [...value] : [];
    const length = isArray(value) || list ? value.length : 0;
    const names = list ? [] : isArray(value) ? keys(value).filter((key) => !/^\d+$/.test(key)) : keys(value);
    const parts = [];
    for (let index = 0; index < length && index < MOST; index++) {
      parts.push(index in value ? inner(value[index]) : "(empty)");
    }
    for (const entry of entries.slice(0, MOST)) {
      parts.push(isMap ? `${inner(entry[0])} => ${inner(entry[1])}` : inner(entry));
    }
    for (const key of names.slice(0, MOST)) parts.push(`${keyed(key)}: ${inner(value[key])}`);
    const more = length + entries.length + names.length - parts.length;
    if (more > 0) parts.push(`… ${more} more`);

    const [open, close] = isArray(value) || list ? "[]" : "{}";
    const size = isMap || value instanceof Set ? `(${value.size})` : list ? `(${value.length})` : "";
    const label = name === "Object" || name === "Array" ? "" : `${name}${size} `;
    if (parts.length === 0) return `${label}${open}${close}`;
    const line = parts.join(", ");
    const pad = "  ".repeat(depth);
    if (line.length + pad.length <= WIDTH && !line.includes("\n")) {
      return open === "[" ? `${label}[${line}]` : `${label}{ ${line} }`;
    }
    return `${label}${open}\n${parts.map((part) => `${pad}  ${part}`).join(",\n")}\n${pad}${close}`;
  }

  /** As printf: `%s %d %i %f %o %O %j %%`, and the rest behind, with spaces. */
  function format(...values) {
    const shown = (value) => (typeof value === "string" ? value : inspect(value));
    if (typeof values[0] !== "string" || values.length === 1) return values.map(shown).join(" ");
    const [pattern, ...rest] = values;
    const text = pattern.replace(/%([sdifoOj%])/g, (whole, kind) => {
      if (kind === "%") return "%";
      if (rest.length === 0) return whole;
      const value = rest.shift();
      if (kind === "s") return shown(value);
      if (kind === "d" || kind === "f") return String(Number(value));
      if (kind === "i") return String(Math.trunc(Number(value)));
      return kind === "j" ? JSON.stringify(value) : inspect(value);
    });
    return [text, ...rest.map(shown)].join(" ");
  }

  // Console

  let indent = "";
  const line = (descriptor) => (...values) => {
    const text = format(...values);
    host.put(descriptor, host.encode((indent ? indent + text.replaceAll("\n", `\n${indent}`) : text) + "\n"));
  };
  const out = line(1);
  const err = line(2);
  const counts = new Map();
  const timers = new Map();
  const console = {
    log: out,
    info: out,
    debug: out,
    dir: (value) => out(inspect(value)),
    error: err,
    warn: err,
    trace: (...values) => err(`${format("Trace:", ...values)}\n${new Error().stack.trimEnd()}`),
    assert: (good, ...values) => {
      if (!good) err(...(values.length ? ["Assertion failed:", ...values] : ["Assertion failed"]));
    },
    group: (...values) => {
      if (values.length) out(...values);
      indent += "  ";
    },
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      out(`${label}: ${counts.get(label)}`);
    },
    time: (label = "default") => void timers.set(label, host.now()),
    timeEnd: (label = "default") => {
      out(`${label}: ${host.now() - (timers.get(label) ?? host.now())} ms`);
      timers.delete(label);
    },
    table: (rows) => out(inspect(rows)),
  };

  // Errors

  /** The places of a stack that are in the program. */
  const placesOf = (error) =>
    String(error.stack ?? "")
      .split("\n")
      .filter((place) => place.trim() && !place.includes("<prelude>") && !place.includes("(native)"));

  function errorText(error) {
    const head = String(error);
    const rest = placesOf(error).map((place) => `\n${place}`);
    const cause = error.cause === undefined ? "" : `\n  caused by: ${inspect(error.cause)}`;
    const all = isArray(error.errors) ? error.errors.map((each) => `\n  one of: ${inspect(each)}`).join("") : "";
    return head + rest.join("") + cause + all;
  }

  /** What ended the program, on standard error: `file:line:column: Name: message`, and then where it came from. */
  function report(error) {
    if (!(error instanceof Error)) {
      err(`Uncaught ${inspect(error)}`);
      return;
    }
    const place = placesOf(error)[0]?.match(/([^\s()]+:\d+:\d+)\)?\s*$/)?.[1];
    indent = "";
    err(place ? `${place}: ${errorText(error)}` : errorText(error));
  }

  // Promises that were rejected while nobody waited for them

  const rejected = new Map();
  const handled = (promise) => void rejected.delete(promise);
  const unhandled = (promise, reason) => void rejected.set(promise, reason);
  function afterJobs() {
    for (const reason of rejected.values()) {
      report(reason);
      host.exit(1);
    }
  }

  // Timers: a queue by time, and then by the order in which they were set

  let queue = [];
  let last = 0;
  function setTimer(callback, delay, values, every) {
    if (typeof callback !== "function") throw new TypeError("a timer needs a function to call");
    const wait = Number(delay) > 0 ? Number(delay) : 0;
    last += 1;
    queue.push({ id: last, at: host.now() + wait, callback, values, every: every ? Math.max(wait, 1) : 0 });
    return last;
  }
  const clearTimer = (id) => {
    queue = queue.filter((timer) => timer.id !== id);
  };
  /** Waits for the next timer and calls it; false if there is none. */
  function nextTimer() {
    if (queue.length === 0) return false;
    const next = queue.reduce((one, other) => (other.at < one.at ? other : one));
    host.sleep(next.at - host.now());
    if (next.every) next.at += next.every;
    else clearTimer(next.id);
    next.callback(...next.values);
    return true;
  }

  hidden(Math, { random: host.random });
  hidden(globalThis, {
    console,
    readFile,
    writeFile,
    appendFile,
    listFiles,
    removeFile,
    makeDirectory,
    fileType,
    stdin,
    stdout,
    stderr,
    args,
    env: fromEntries(environment.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
    exit: (code = 0) => host.exit(code),
    inspect: (value) => inspect(value),
    TextEncoder,
    TextDecoder,
    performance: { now: () => host.now() },
    queueMicrotask: (callback) => void Promise.resolve().then(() => callback()),
    setTimeout: (callback, delay = 0, ...values) => setTimer(callback, delay, values, false),
    setInterval: (callback, delay = 0, ...values) => setTimer(callback, delay, values, true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
  });
  return freeze(assign(create(null), { report, handled, unhandled, afterJobs, nextTimer }));
});
