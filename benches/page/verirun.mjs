/** Verirun as a page has it: the site's own worker, spoken to as the page speaks to it (www/protocol.ts). */

const concat = (chunks) => {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
};

/** The worker at an address, once it is ready. */
async function connect(url) {
  const worker = new Worker(url, { type: "module" });
  const waiting = new Map();
  let nextId = 1;
  let run = { number: 0 };
  let ready;
  const isReady = new Promise((resolve, reject) => (ready = { resolve, reject }));
  worker.onerror = (event) => ready.reject(new Error(event.message || `${url} did not start`));
  worker.onmessage = ({ data }) => {
    switch (data.type) {
      case "ready":
        return ready.resolve();
      case "unusable":
        return ready.reject(new Error(data.problem.message));
      case "reply":
        return waiting.get(data.id).resolve(data.value);
      case "refused":
        return waiting.get(data.id).reject(new Error(data.problem.message));
      case "output":
      case "written":
        return run.first?.();
      case "done":
        return run.resolve(data);
      case "crashed":
        return run.reject(new Error(data.problem.message));
    }
  };
  const request = (message) =>
    new Promise((resolve, reject) => {
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...message, id });
    });
  await isReady;
  return {
    load: (name, wasm) => request({ type: "load-module", name, source: new Blob([wasm]) }),
    /** Runs to the end; `onFirst` is called at the first output. */
    async run(args, stdin, engine, onFirst) {
      const number = run.number + 1;
      const ended = new Promise((resolve, reject) => (run = { number, resolve, reject, first: onFirst }));
      const source = new Blob([stdin]);
      await request({
        type: "start",
        run: number,
        request: { args, env: [], stdin: { kind: "bytes", source }, limits: {}, engine },
      });
      const { outcome, engines } = await ended;
      if (engines.instead !== null) throw new Error(`it ran on the ${engines.ran}: ${engines.instead}`);
      if (outcome.kind !== "exit") throw new Error(outcome.message);
      return { code: outcome.code };
    },
    async output() {
      const read = (fd) => request({ type: "read-output", run: run.number, fd, offset: 0, length: 1 << 26 });
      return concat([await read(1), await read(2)]);
    },
  };
}

export async function open(url, { engine }) {
  const verirun = await connect(url);
  return {
    async load(wasm, { program, args, first }) {
      // What it takes until a program shows something includes that it is given to the worker.
      if (!first) await verirun.load(program, wasm);
      return {
        async run(_, stdin) {
          const started = performance.now();
          let shown = null;
          if (first) await verirun.load(program, wasm);
          const { code } = await verirun.run(args, stdin, engine, () => (shown ??= performance.now()));
          return { code, output: () => verirun.output(), ms: first && shown !== null ? shown - started : undefined };
        },
      };
    },
  };
}
