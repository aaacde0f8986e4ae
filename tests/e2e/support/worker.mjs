/** The site's own worker, spoken to as the page speaks to it (www/protocol.ts), for tests that run many programs. */

/** Starts the worker in a page of the site; it is kept there as `globalThis.guests`. */
export async function startWorker(page) {
  await page.evaluate(async () => {
    const worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
    const waiting = new Map();
    let nextId = 1;
    let ready;
    const isReady = new Promise((resolve, reject) => (ready = { resolve, reject }));
    let run = { number: 0, end: null };
    worker.onmessage = ({ data }) => {
      switch (data.type) {
        case "ready":
          return ready.resolve();
        case "unusable":
          return ready.reject(new Error(data.problem.message));
        case "reply":
          return waiting.get(data.id).resolve(data.value);
        case "refused":
          return waiting.get(data.id).reject(new Error(`${data.problem.code}: ${data.problem.message}`));
        case "done":
          if (data.run === run.number) run.end.resolve(data);
          return;
        case "crashed":
          return run.end.reject(new Error(`${data.problem.code}: ${data.problem.message}`));
      }
    };
    const request = (message) =>
      new Promise((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ ...message, id });
      });
    const output = async (number, fd) => {
      const bytes = await request({ type: "read-output", run: number, fd, offset: 0, length: 1 << 24 });
      return new TextDecoder().decode(bytes);
    };
    /**
     * Runs the module at an address, or the text given; every run starts from the files in `inputs`, with the
     * text or address of each, or from an empty directory; with `contents` the result has those of changed files,
     * with `timed` how long it took.
     */
    globalThis.guests = async ({ url, text, name, args = [], env = [], stdin = "", limits = {}, inputs, contents, timed, ...options }) => {
      await isReady;
      if (inputs) await request({ type: "reset" });
      for (const input of inputs ?? []) {
        const source = input.url ? await (await fetch(input.url)).blob() : new Blob([input.text]);
        await request({ type: "put-file", path: input.path, source });
      }
      let module = new Blob([text ?? ""]);
      if (url) {
        const response = await fetch(url);
        if (!response.ok) throw new Error(`${url}: the server answered ${response.status}`);
        module = await response.blob();
      }
      await request({ type: "load-module", name, source: module });
      const number = run.number + 1;
      const ended = new Promise((resolve, reject) => (run = { number, end: { resolve, reject } }));
      const source = new Blob([stdin]);
      const asked = { ...options, args, env, stdin: { kind: "bytes", source }, limits };
      const began = performance.now();
      await request({ type: "start", run: number, request: asked });
      const { outcome, stats, engines, trace } = await ended;
      const elapsedMs = performance.now() - began;
      // Times are no part of a result.
      delete stats.busyMs;
      const files = await request({ type: "list-files", run: number });
      const [stdout, stderr] = [await output(number, 1), await output(number, 2)];
      const receipt = options.commit && JSON.parse(await request({ type: "receipt", run: number }));
      const texts = {};
      for (const { path, type, change, size } of contents ? files : []) {
        if (type !== "file" || change === "same" || change === "removed") continue;
        const bytes = await request({ type: "read-file", run: number, path, offset: 0, length: size });
        texts[path] = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
      }
      return { outcome, stdout, stderr, stats, engines, trace, files, ...(timed ? { elapsedMs } : {}), ...(contents ? { texts } : {}), ...(receipt && { receipt }) };
    };
    /** Makes an input directory for the runs that follow. */
    globalThis.putDirectory = async (path) => {
      await isReady;
      await request({ type: "put-directory", path });
    };
  });
}

/** Runs a module in that worker. */
export function runInWorker(page, request) {
  return page.evaluate((request) => globalThis.guests(request), request);
}

/** Makes an input directory for the runs that follow in that worker. */
export function putDirectory(page, path) {
  return page.evaluate((path) => globalThis.putDirectory(path), path);
}
