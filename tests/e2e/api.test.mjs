/** The JavaScript API in a browser: on the page's own origin, and from another one under a strict policy. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tarOf, zipOf } from "./support/archives.mjs";
import { CORS, serveOrigin, strictPolicy } from "./support/origin.mjs";
import { launchChromium, siteFolders } from "./support/page.mjs";
import { packedCopy } from "./support/packages.mjs";
import { BINARY, COPY, ECHO, ENDLESS, FLOOD, GREETING, NOTHING } from "./support/programs.mjs";

const programs = { GREETING, BINARY, ECHO, ENDLESS, FLOOD, COPY, NOTHING };
const PAGE = "<!doctype html><title>A page</title><link rel=icon href=data:,>";
/** Takes JSPI away: the browser's engine then can't be heard. */
const NO_JSPI = "delete WebAssembly.Suspending; delete WebAssembly.promising";

const base64 = (all) => Object.fromEntries(Object.entries(all).map(([name, bytes]) => [name, bytes.toString("base64")]));

let browser;
/** A package with a receipt. */
let packed;
let verirun;
let other;
before(async () => {
  browser = await launchChromium();
  packed = await packedCopy();
  verirun = await serveOrigin({ folders: siteFolders, pages: { "/page.html": PAGE }, headers: CORS });
  const policy = { "content-security-policy": strictPolicy(verirun.url) };
  other = await serveOrigin({ pages: { "/page.html": PAGE.replace(/<link.*/, ""), "/favicon.ico": "", "/greeting.wat": GREETING }, headers: policy });
});
after(async () => {
  await browser?.close();
  verirun?.close();
  other?.close();
});

/** A page with the API as `globalThis.api`; `url` is where it lies. */
async function open(origin, { prepare } = {}) {
  const context = await browser.newContext();
  await prepare?.(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${origin.url}/page.html`);
  await page.evaluate(
    async ({ url, programs }) => {
      globalThis.api = await import(`${url}/api.js`);
      globalThis.programs = programs;
      /** Fails with what the error says, and not with how it prints. */
      globalThis.failure = async (promise) => {
        try {
          await promise;
        } catch (error) {
          return { name: error.name, code: error.code, message: error.message, hint: error.hint, isOurs: error instanceof api.VerirunError };
        }
        throw new Error("it did not fail");
      };
    },
    { url: verirun.url, programs },
  );
  return {
    page,
    errors,
    async done() {
      await context.close();
      assert.deepEqual(errors, [], "the console has errors");
    },
  };
}

for (const [where, origin] of [
  ["on the page's own origin", () => verirun],
  ["from another origin, under a strict policy", () => other],
]) {
  describe(where, () => {
    let visitor;
    before(async () => {
      visitor = await open(origin());
    });
    after(() => visitor?.done());
    const evaluate = (...all) => visitor.page.evaluate(...all);

    test("a run gives outcome, output, figures and module", async () => {
      const result = await evaluate(async () => {
        const result = await api.run({ wat: programs.GREETING }, { name: "greeting.wat" });
        const { outcome, ok, exitCode, summary, stdoutText, stderrText, stats, module, engines } = result;
        return { outcome, ok, exitCode, summary, stdoutText, stderrText, stats, module, engines, files: result.files.size };
      });
      assert.deepEqual(result.outcome, { kind: "exit", code: 3 });
      assert.deepEqual([result.ok, result.exitCode, result.files], [false, 3, 0]);
      assert.match(result.summary, /^Exited with code 3/);
      assert.equal(result.stdoutText, "to stdout\n");
      assert.equal(result.stderrText, "to stderr\n");
      assert.equal(result.module.name, "greeting.wat");
      assert.ok(result.stats.steps > 0 && result.stats.peakMemoryPages === 1);
      assert.equal(result.engines.ran, "browser");
    });

    test("a module at an address, with arguments, environment and files", async () => {
      const result = await evaluate(async (url) => {
        const loading = [];
        const result = await api.run(`${url}/hello.wasm`, {
          args: ["Grace", "two words"],
          env: { A: "b" },
          onLoading: ({ phase }) => loading.push(phase),
        });
        return { text: result.stdoutText, name: result.module.name, ok: result.ok };
      }, `${verirun.url}/tasks/hello`);
      assert.match(result.text, /Hello, Grace!/);
      assert.match(result.text, /two words/);
      assert.deepEqual([result.name, result.ok], ["hello.wasm", true]);
    });

    test("files go in and come out", async () => {
      const files = await evaluate(async () => {
        const big = new Uint8Array(3_000_000).fill(7);
        const { files, ok } = await api.run({ wat: programs.COPY }, { files: { "big.bin": big, "empty/": null } });
        const copy = files.get("copy.bin");
        return { ok, paths: [...files.keys()], change: copy.change, size: copy.size, first: copy.bytes[0], last: copy.bytes.at(-1) };
      });
      assert.deepEqual(files, { ok: true, paths: ["copy.bin"], change: "added", size: 3_000_000, first: 8, last: 7 });
    });

    test("output streams while the program runs, and bytes stay as they are", async () => {
      const read = await evaluate(async () => {
        const run = api.run({ wat: programs.ECHO }, { live: true });
        const writer = run.stdin.getWriter();
        const reader = run.stdout.pipeThrough(new TextDecoderStream()).getReader();
        const parts = [];
        const until = async (end) => {
          while (!parts.join("").endsWith(end)) parts.push((await reader.read()).value);
        };
        await until("> ");
        await writer.write("first\n");
        await until("first\n");
        await writer.write("second\n");
        await until("second\n");
        await writer.close();
        const result = await run;
        const binary = await api.run({ wat: programs.BINARY });
        return { whole: result.stdoutText, streamed: parts.join(""), ok: result.ok, bytes: [...binary.stdout.subarray(250, 260)], length: binary.stdout.length };
      });
      assert.equal(read.streamed, "> first\nsecond\n");
      assert.equal(read.whole, "> first\nsecond\n[end]\n");
      assert.deepEqual([read.ok, read.length], [true, 2048]);
      assert.deepEqual(read.bytes, [250, 251, 252, 253, 254, 255, 0, 1, 2, 3]);
    });

    test("stdin may be text, bytes, a blob or a stream", async () => {
      const texts = await evaluate(async () => {
        const stream = new Blob(["streamed"]).stream();
        const all = ["text", new TextEncoder().encode("bytes"), new Blob(["blob"]), stream];
        return Promise.all(all.map(async (stdin) => (await api.run({ wat: programs.ECHO }, { stdin })).stdoutText));
      });
      assert.deepEqual(texts, ["text", "bytes", "blob", "streamed"].map((text) => `> ${text}[end]\n`));
    });

    test("every byte of a flood arrives, in order, however late it is read", async () => {
      const flood = await evaluate(async () => {
        const run = api.run({ wat: programs.FLOOD }, { limits: { outputBytes: 20_000_000 } });
        const result = await run;
        let sum = 0;
        for (const reader = run.stdout.getReader(); ; ) {
          const { done, value } = await reader.read();
          if (done) break;
          sum += value.length;
        }
        const line = new TextDecoder().decode(result.stdout.subarray(128, 192));
        return { kind: result.outcome.kind, sum, length: result.stdout.length, counted: result.stats.outputBytes, line };
      });
      assert.equal(flood.kind, "output_limit_exceeded");
      assert.equal(flood.sum, flood.length);
      assert.equal(flood.length, flood.counted);
      assert.ok(flood.length > 19_000_000);
      assert.equal(flood.line, "the same line again and again and again and again and again....\n");
    });

    test("cancel gives a result; abort rejects at once; a timeout is an abort", async () => {
      const ends = await evaluate(async () => {
        const cancelled = api.run({ wat: programs.ENDLESS });
        const reader = cancelled.stdout.getReader();
        await reader.read();
        cancelled.cancel();
        const result = await cancelled;
        const controller = new AbortController();
        const aborted = api.run({ wat: programs.ENDLESS }, { signal: controller.signal });
        const stream = aborted.stdout.getReader();
        await stream.read();
        controller.abort(new Error("enough"));
        const reason = await failure(aborted);
        const streamReason = await failure(stream.read());
        const timeout = await failure(api.run({ wat: programs.ENDLESS }, { signal: AbortSignal.timeout(300) }));
        const before = await failure(api.run({ wat: programs.ENDLESS }, { signal: AbortSignal.abort() }));
        return { kind: result.outcome.kind, text: result.stdoutText, reason, streamReason, timeout, before };
      });
      assert.deepEqual([ends.kind, ends.text], ["cancelled", "before the loop\n"]);
      assert.equal(ends.reason.message, "enough");
      assert.equal(ends.streamReason.message, "enough");
      assert.equal(ends.timeout.name, "TimeoutError");
      assert.equal(ends.before.name, "AbortError");
    });

    test("limits end a run by name, and can be numbers, bigints or text", async () => {
      const kinds = await evaluate(async () => {
        const gas = (value) => api.run({ wat: programs.ENDLESS }, { limits: { gas: value } });
        const results = await Promise.all([gas(1000), gas(1000n), gas("1000")]);
        return results.map(({ outcome, stats }) => [outcome.kind, stats.steps]);
      });
      assert.equal(new Set(kinds.map(String)).size, 1);
      assert.equal(kinds[0][0], "out_of_gas");
    });

    test("the same seed gives the same result, on every engine", async () => {
      const digests = await evaluate(async (url) => {
        const engines = ["interpreter", "browser", "both"];
        const runs = engines.map((engine) => api.run(`${url}/tour.wasm`, { engine, trace: true, seed: "2a", clock: "virtual" }));
        return (await Promise.all(runs)).map(({ trace, stats, outcome }) => ({ trace, stats, outcome }));
      }, `${verirun.url}/tasks/tour`);
      assert.equal(digests[0].outcome.kind, "exit");
      assert.deepEqual(digests[1], digests[0]);
      assert.deepEqual(digests[2], digests[0]);
    });

    test("what can't be run is refused with a code, a message and a hint", async () => {
      const failures = await evaluate(async (url) => {
        const { run } = api;
        const wat = { wat: programs.NOTHING };
        return {
          missing: await failure(run(`${url}/nowhere.wasm`)),
          page: await failure(run(`${location.origin}/page.html`)),
          garbage: await failure(run(new Uint8Array([1, 2, 3, 4]))),
          text: await failure(run({ wat: "(module (func $" })),
          nothing: await failure(run(undefined)),
          empty: await failure(run("")),
          args: await failure(run(wat, { args: "one two" })),
          zero: await failure(run(wat, { args: ["a\0b"] })),
          env: await failure(run(wat, { env: { "A=B": "c" } })),
          limit: await failure(run(wat, { limits: { gas: -1 } })),
          unknown: await failure(run(wat, { limits: { fuel: 1 } })),
          seed: await failure(run(wat, { seed: "xyz" })),
          path: await failure(run(wat, { files: { "../up": "x" } })),
          file: await failure(run(wat, { files: { a: 7 } })),
          engine: await failure(run(wat, { engine: "warp" })),
          clock: await failure(run(wat, { clock: "wall" })),
          stdin: await failure(run(wat, { live: true, stdin: "x" })),
          notLive: await failure(run(wat).stdin.getWriter().write("x")),
          archive: await failure(run(wat, { archives: [{ format: "rar", content: "" }] })),
          badZip: await failure(run(wat, { archives: [{ format: "zip", content: "not a zip" }] })),
          after: (await run(wat)).ok,
        };
      }, verirun.url);
      const { after, ...errors } = failures;
      const codes = Object.fromEntries(Object.entries(errors).map(([name, { code }]) => [name, code]));
      assert.deepEqual(codes, {
        missing: "unreachable",
        page: "not-a-module",
        garbage: codes.garbage,
        text: codes.text,
        nothing: "bad-options",
        empty: "bad-options",
        args: "bad-options",
        zero: "bad-options",
        env: "bad-options",
        limit: "bad-limit",
        unknown: "bad-limit",
        seed: "bad-profile",
        path: "bad-path",
        file: "bad-options",
        engine: "bad-engine",
        clock: "bad-profile",
        stdin: "bad-options",
        notLive: "stdin-not-live",
        archive: "bad-options",
        badZip: "bad-archive",
      });
      for (const [name, { message, hint, isOurs }] of Object.entries(errors)) {
        assert.ok(isOurs && message && hint && message !== hint, `${name}: ${message} – ${hint}`);
      }
      assert.match(errors.missing.message, /404/);
      assert.equal(after, true);
      // What the browser says about the address that is not there.
      visitor.errors.splice(0, visitor.errors.length, ...visitor.errors.filter((text) => !text.includes("404")));
    });

    test("a result has a receipt, and verifying it tells what is the same and what is different", async () => {
      const told = await evaluate(async (url) => {
        const { run, verify } = api;
        const module = `${url}/hello.wasm`;
        const files = { "in/a.txt": "a", "in/b.txt": "b" };
        const { receipt } = await run(module, { args: ["Ada"], env: { A: "b" }, files });
        const text = JSON.stringify(receipt);
        const other = structuredClone(receipt);
        other.receipt.result.steps = "1";
        const short = async (promise) => (({ verdict, what, reason, id }) => ({ verdict, what, reason, same: id === receipt.id }))(await promise);
        const typed = run({ wat: programs.ECHO }, { live: true, name: "echo.wat" });
        const writer = typed.stdin.getWriter();
        const reader = typed.stdout.getReader();
        await reader.read();
        await writer.write("typed\n");
        await reader.read();
        await writer.close();
        const live = (await typed).receipt;
        const stopped = run({ wat: programs.ENDLESS });
        await stopped.stdout.getReader().read();
        stopped.cancel();
        const cancelled = await stopped;
        const compared = async (options) => (await run(module, { expected: receipt, ...options })).verification;
        return {
          same: await short(verify(receipt, { module, files })),
          text: await short(verify(text, { module, files, engine: "browser" })),
          blob: await short(verify(new Blob([text]), { module, files, engine: "both" })),
          module: await short(verify(receipt, { module: { wat: programs.NOTHING }, files })),
          file: await short(verify(receipt, { module, files: { ...files, "in/b.txt": "c" } })),
          args: await short(verify(receipt, { module, files, args: ["Grace"], name: "hello.wasm" })),
          noModule: await short(verify(receipt, { files })),
          noFiles: await short(verify(receipt, { module })),
          forged: await short(verify(other, { module, files })),
          noReceipt: await short(verify("{}", { module, files })),
          steps: await short(verify(receipt, { module, files, maxSteps: 10 })),
          live: (await verify(live, { module: { wat: programs.ECHO } })).verdict,
          liveAgain: (await run({ wat: programs.ECHO }, { expected: live })).verification.verdict,
          cancelled: [cancelled.receipt, typeof cancelled.noReceipt],
          none: (await run(module, { receipt: false })).receipt,
          again: (await compared({ files })).verdict,
          otherArgs: (await compared({ files, args: ["Grace"] })).what,
          bad: (await run(module, { expected: "{}" })).verification.verdict,
          wrong: await failure(verify(7)),
          aborted: await failure(verify(receipt, { module, signal: AbortSignal.abort() })),
        };
      }, `${verirun.url}/tasks/hello`);
      for (const name of ["same", "text", "blob"]) {
        const { verdict, what, same } = told[name];
        assert.deepEqual([verdict, what, same], ["verified", null, true], name);
      }
      assert.deepEqual([told.module.verdict, told.module.what], ["mismatch", "module"]);
      assert.equal(told.file.verdict, "mismatch");
      assert.match(told.file.reason, /in\/b\.txt/);
      assert.deepEqual([told.args.verdict, told.args.what], ["mismatch", "arguments"]);
      for (const name of ["noModule", "noFiles", "forged", "noReceipt", "steps"]) {
        assert.equal(told[name].verdict, "cannot-tell", name);
        assert.ok(told[name].reason.length > 10, name);
      }
      assert.match(told.noModule.reason, /module is missing/);
      assert.deepEqual([told.live, told.liveAgain], ["verified", "verified"]);
      assert.deepEqual(told.cancelled, [null, "string"]);
      assert.equal(told.none, null);
      assert.deepEqual([told.again, told.bad], ["verified", "cannot-tell"]);
      assert.match(told.otherArgs, /arguments/);
      assert.deepEqual([told.wrong.code, told.aborted.name], ["bad-options", "AbortError"]);
    });

    test("archives and empty directories are verified as they are run", async () => {
      const told = await evaluate(async ({ zip, tar, other }) => {
        const { run, verify } = api;
        const of = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
        const module = { wat: programs.COPY };
        const archives = [{ format: "zip", content: of(zip) }, { format: "tar", content: of(tar), path: "deep", readOnly: true }];
        const files = { "more.txt": "over the archives", empty: null };
        const { receipt, ok } = await run(module, { archives, files, name: "copy.wat" });
        const short = async (options) => (({ verdict, reason }) => [verdict, reason])(await verify(receipt, { module, ...options }));
        return {
          ok,
          same: await short({ archives, files }),
          writable: await short({ archives: [archives[0], { ...archives[1], readOnly: false }], files }),
          other: await short({ archives: [{ format: "zip", content: of(other) }, archives[1]], files }),
          without: await short({ files }),
          noDirectory: await short({ archives, files: { "more.txt": files["more.txt"] } }),
          bad: await short({ archives: [{ format: "zip", content: "no zip" }] }),
          rar: await failure(verify(receipt, { module, archives: [{ format: "rar", content: "" }] })),
        };
      }, base64({ zip: zipOf(["big.bin", "to be copied"], ["more.txt", "of the archive"]), tar: tarOf(["a.txt", "a"]), other: zipOf(["big.bin", "something else"]) }));
      assert.equal(told.ok, true);
      assert.deepEqual(told.same[0], "verified", told.same[1]);
      // Directories, and what may be written, stand beside the receipt.
      for (const name of ["writable", "noDirectory"]) assert.equal(told[name][0], "verified", `${name}: ${told[name][1]}`);
      for (const name of ["other", "without"]) assert.equal(told[name][0], "mismatch", `${name}: ${told[name][1]}`);
      assert.match(told.other[1], /big\.bin/);
      assert.equal(told.bad[0], "cannot-tell");
      assert.equal(told.rar.code, "bad-options");
    });

    test("a package has all that verifying it needs: as bytes, a blob or an address", async () => {
      verirun.pages["/copy.vtask"] = { body: packed, headers: CORS };
      const told = await evaluate(async ({ bytes, url }) => {
        const { verify } = api;
        const whole = Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
        const short = async (source) => (({ verdict, reason, id }) => ({ verdict, reason, id }))(await verify(source));
        return {
          bytes: await short(whole),
          blob: await short(new Blob([whole])),
          url: await short(new URL(url)),
          text: await short(url),
          cut: await short(whole.slice(0, whole.length / 2)),
          changed: await short(whole.with(whole.length - 1, whole.at(-1) ^ 1)),
        };
      }, { bytes: packed.toString("base64"), url: `${verirun.url}/copy.vtask` });
      for (const name of ["bytes", "blob", "url", "text"]) {
        assert.equal(told[name].verdict, "verified", `${name}: ${told[name].reason}`);
        assert.match(told[name].id, /^[0-9a-f]{64}$/);
      }
      for (const name of ["cut", "changed"]) assert.equal(told[name].verdict, "cannot-tell", name);
    });

    test("many runs at once share one compiled runtime, and wait for one another", async () => {
      const before = verirun.requests.filter((path) => path.endsWith("verirun_bg.wasm")).length;
      const texts = await evaluate(async () => {
        const runs = Array.from({ length: 40 }, (_, index) => api.run({ wat: programs.ECHO }, { stdin: String(index) }));
        return (await Promise.all(runs)).map(({ stdoutText }) => stdoutText);
      });
      assert.deepEqual(texts, Array.from({ length: 40 }, (_, index) => `> ${index}[end]\n`));
      assert.equal(verirun.requests.filter((path) => path.endsWith("verirun_bg.wasm")).length, before);
      assert.ok(visitor.page.workers().length <= 8, `${visitor.page.workers().length} workers`);
    });

    test("runs that wait for input keep no other from running", async () => {
      const result = await evaluate(async () => {
        const waiting = Array.from({ length: 12 }, () => api.run({ wat: programs.ECHO }, { live: true }));
        // Each has begun, and waits.
        await Promise.all(waiting.map((run) => run.stdout.getReader().read()));
        const { stdoutText } = await api.run({ wat: programs.ECHO }, { stdin: "through" });
        await Promise.all(waiting.map((run) => run.stdin.close()));
        return [stdoutText, (await Promise.all(waiting)).filter(({ ok }) => ok).length];
      });
      assert.deepEqual(result, ["> through[end]\n", 12]);
    });
  });
}

test("it works in a worker of the page too", async () => {
  const script = `import { run } from "./api.js";
    const { stdoutText } = await run("tasks/hello/hello.wasm", { args: ["worker"] });
    postMessage(stdoutText);`;
  verirun.pages["/own-worker.js"] = script;
  const visitor = await open(verirun);
  const text = await visitor.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker("own-worker.js", { type: "module" });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
  );
  assert.match(text, /Hello, worker!/);
  await visitor.done();
});

/** A page whose workers begin with a script of the test's. */
const openWith = (script) =>
  open(verirun, {
    prepare: (context) =>
      context.route("**/api-worker.js", async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${script};\n${await response.text()}` });
      }),
  });

test("if the runtime itself fails the run says so, and the next one is not concerned", async () => {
  const crash = `addEventListener("message", ({ data }) => {
    if (data.type === "start" && data.request.args[0] === "crash") setTimeout(() => { throw new Error("broken"); });
  })`;
  const visitor = await openWith(crash);
  const told = await visitor.page.evaluate(async () => {
    const fine = api.run({ wat: programs.ECHO }, { live: true });
    await fine.stdout.getReader().read();
    const crashed = await failure(api.run({ wat: programs.ENDLESS }, { args: ["crash"] }));
    const after = await api.run({ wat: programs.NOTHING });
    await fine.stdin.close();
    return { crashed, after: after.ok, fine: (await fine).ok };
  });
  assert.equal(told.crashed.code, "runtime-crashed");
  assert.match(told.crashed.message, /broken/);
  assert.deepEqual([told.after, told.fine], [true, true]);
  await visitor.done();
});

test("without JSPI the browser's engine is stopped with its worker, and the output is kept", async () => {
  const visitor = await openWith(NO_JSPI);
  const ended = await visitor.page.evaluate(async () => {
    const run = api.run({ wat: programs.ENDLESS }, { engine: "browser" });
    await run.stdout.getReader().read();
    run.cancel();
    const { outcome, stdoutText, filesLost } = await run;
    return { kind: outcome.kind, stdoutText, filesLost, next: (await api.run({ wat: programs.NOTHING })).ok };
  });
  assert.deepEqual(ended, { kind: "cancelled", stdoutText: "before the loop\n", filesLost: true, next: true });
  await visitor.done();
});

test("where a policy forbids workers, or the runtime is not there, the error says what to do", async () => {
  const policy = strictPolicy(verirun.url).replace(/worker-src [^;]*/, "worker-src 'none'");
  const closed = await serveOrigin({ pages: { "/page.html": "<!doctype html>", "/favicon.ico": "" }, headers: { "content-security-policy": policy } });
  const visitor = await open(closed);
  const blocked = await visitor.page.evaluate(() => failure(api.run({ wat: programs.NOTHING })));
  assert.equal(blocked.code, "worker-blocked");
  assert.match(blocked.hint, /worker-src/);
  await visitor.page.context().close();
  closed.close();

  let broken = true;
  const offline = await open(verirun, {
    prepare: (context) => context.route("**/verirun_bg.wasm", (route) => (broken ? route.abort() : route.continue())),
  });
  const missing = await offline.page.evaluate(() => failure(api.run({ wat: programs.NOTHING })));
  assert.equal(missing.code, "runtime-missing");
  broken = false;
  assert.equal(await offline.page.evaluate(async () => (await api.run({ wat: programs.NOTHING })).ok), true, "tried again");
  await offline.page.context().close();
});
