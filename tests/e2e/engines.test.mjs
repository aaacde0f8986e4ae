/** The interpreter and the browser's own engine give the same result, whatever the program does and whatever the
 * browser refuses. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chooseStdin, dropProgram, headline, openSite, openSiteUnder, plainText, screenshot, siteFile, visit } from "./support/page.mjs";
import { ECHO, ENDLESS } from "./support/programs.mjs";
import { program, SAY, TRAPS, UNCLEAR } from "./support/traps.mjs";
import { runInWorker, startWorker } from "./support/worker.mjs";

const target = fileURLToPath(new URL("../../target", import.meta.url));
const GUESTS = ["guests/wasm32-wasip1/release", "guests-unstable/wasm32-wasip1/release", "guests/c", "guests/assembly"];
const CASES = {
  args_env: { args: ["", "two words", "é"], env: [["A", "1"], ["EMPTY", ""], ["B", "x=y"]] },
  growth: { args: ["remove-batches", "200"] },
  scale: { args: ["200"] },
};

/** Takes JSPI away: the browser is then like one that can't suspend WebAssembly. */
const NO_JSPI = "delete WebAssembly.Suspending; delete WebAssembly.promising";

let site;
let visitor;
/** The same, without JSPI. */
let plainSite;
let plain;
let over;
before(async () => {
  site = await openSite(target);
  visitor = await visit(site);
  await startWorker(visitor.page);
  over = underlay(NO_JSPI);
  plainSite = await openSiteUnder(over, target);
  plain = await visit(plainSite);
  await startWorker(plain.page);
});
after(async () => {
  await visitor?.done();
  await plain?.done();
  await site?.close();
  await plainSite?.close();
  rmSync(over, { recursive: true });
});

/** A folder with a worker that begins with `script`. */
function underlay(script) {
  const folder = mkdtempSync(join(tmpdir(), "verirun-"));
  writeFileSync(join(folder, "worker.js"), `${script};\n${readFileSync(siteFile("worker.js"), "utf8")}`);
  return folder;
}

const runText = (page, text, options = {}) => runInWorker(page, { text, name: "test", ...options });

/** Runs a program on an engine and on the interpreter; all that is a result must be the same. */
async function same(page, request) {
  const reference = await runInWorker(page, { ...request, trace: true, engine: "interpreter" });
  const { engines, ...result } = await runInWorker(page, { ...request, trace: true });
  assert.equal(typeof reference.trace, "string");
  const { engines: _, ...expected } = reference;
  assert.deepEqual(result, expected);
  return { engines, ...result };
}

for (const part of GUESTS) {
  const place = join(target, part);
  const files = existsSync(place) ? readdirSync(place).filter((file) => file.endsWith(".wasm")) : [];
  for (const file of files.sort()) {
    const name = basename(file, ".wasm");
    test(`${name} of ${part} does the same on both`, async () => {
      const request = { url: `${part}/${file}`, name, stdin: "input\n", ...CASES[name] };
      const { engines } = await runInWorker(visitor.page, { ...request, engine: "both" });
      assert.deepEqual(engines, { ran: "interpreter", instead: null, compared: true });
      for (const { page } of [visitor, plain]) {
        const alone = await same(page, { ...request, engine: "browser" });
        assert.equal(alone.engines.ran, "browser");
      }
    });
  }
}

test("there are guests to compare", () => {
  for (const part of GUESTS) assert.ok(readdirSync(join(target, part)).length > 1, `${part}: run \`cargo xtask guests\``);
});

test("the sample tasks do the same on both", async () => {
  const { page } = visitor;
  const samples = await page.evaluate(async () => (await fetch("tasks/index.json")).json());
  assert.ok(samples.length > 5);
  for (const sample of samples) {
    // Without its input files a sample may fail: that is to be the same failure.
    const env = Array.isArray(sample.env) ? sample.env : Object.entries(sample.env);
    const request = { url: `tasks/${sample.module}`, name: sample.id, args: sample.args, env, stdin: sample.stdinText ?? "" };
    const limits = { gas: "300000000" };
    const { engines, outcome } = await runInWorker(page, { ...request, limits, engine: "both" });
    assert.deepEqual(engines, { ran: "interpreter", instead: null, compared: true }, `${sample.id}: ${JSON.stringify(outcome)}`);
  }
});

test("exit codes are the same on both", async () => {
  for (const code of ["0", "3", "4294967295"]) {
    const request = { url: `${GUESTS[0]}/process.wasm`, name: "process", args: ["exit", code] };
    const { outcome, engines } = await same(visitor.page, { ...request, engine: "browser" });
    assert.deepEqual(outcome, { kind: "exit", code: Number(code) });
    assert.equal(engines.ran, "browser");
  }
});

test("traps have the same name, place and count", async () => {
  for (const { page } of [visitor, plain]) {
    for (const [trap, bodies] of Object.entries(TRAPS)) {
      for (const body of bodies) {
        const { outcome, engines, stdout } = await same(page, { text: program(SAY + body), name: "t", engine: "browser" });
        assert.equal(outcome.trap, trap, body);
        assert.equal(engines.ran, "browser", body);
        assert.equal(stdout, "written\n");
      }
    }
  }
});

test("a trap that the browser does not name is named by the interpreter, and nothing is shown twice", async () => {
  for (const { page } of [visitor, plain]) {
    for (const [trap, body] of Object.entries(UNCLEAR)) {
      const { outcome, engines, stdout } = await same(page, { text: program(SAY + body), name: "t", engine: "browser" });
      assert.equal(outcome.trap, trap);
      assert.equal(engines.ran, "interpreter");
      assert.match(engines.instead, /does not tell which trap/);
      assert.equal(stdout, "written\n");
    }
  }
});

test("limits end both at the same step", async () => {
  for (const { page } of [visitor, plain]) await limits(page);
});

async function limits(page) {
  const loop = program(`${SAY}(loop $ever (br $ever))`);
  for (const gas of ["1", "6", "1000", "123456789"]) {
    const { outcome, stats, engines } = await runText(page, loop, { limits: { gas }, engine: "both" });
    assert.deepEqual([outcome.kind, stats.steps, engines.compared], ["out_of_gas", Number(gas), true], gas);
  }
  const deep = program("(call $deep)", "(func $deep (local i64) (call $deep))");
  for (const [limit, kind] of [[{ call: "100" }, "call_depth_exceeded"], [{ frame: "800" }, "frame_exceeded"]]) {
    const { outcome, engines } = await runText(page, deep, { limits: limit, engine: "both" });
    assert.deepEqual([outcome.kind, engines.compared], [kind, true]);
  }
  const grow = program("(drop (memory.grow (i32.const 200)))");
  for (const [memory, kind] of [["100", "memory_exceeded"], ["201", "exit"]]) {
    const { outcome, engines } = await runText(page, grow, { limits: { memory }, engine: "both" });
    assert.deepEqual([outcome.kind, engines.compared], [kind, true]);
  }
  const flood = program(`(loop $ever ${SAY} (br $ever))`);
  const { outcome, engines, stdout } = await runText(page, flood, { limits: { outputBytes: "3000001" }, engine: "both" });
  assert.deepEqual([outcome.kind, engines.compared, stdout.length], ["output_limit_exceeded", true, 3000001]);
}

test("when the browser's stack is full before the limits are, the interpreter has the result", async () => {
  // 60000 calls are below the limit of 65536, and more than V8's stack holds.
  const count = "(func $count (param i32) (if (local.get 0) (then (call $count (i32.sub (local.get 0) (i32.const 1))))))";
  const text = program(`${SAY}(call $count (i32.const 60000))${SAY}`, count);
  for (const { page } of [visitor, plain]) {
    const { outcome, engines, stdout, stats } = await same(page, { text, name: "deep", engine: "browser" });
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
    assert.equal(engines.ran, "interpreter");
    assert.match(engines.instead, /stack was full/);
    assert.equal(stdout, "written\nwritten\n", "what was shown before is not shown again");
    assert.equal(stats.peakCallDepth, 60002);
  }
});

/** A visit to a site whose worker begins with `script`. */
async function faulty(script, use) {
  const over = underlay(script);
  const site = await openSiteUnder(over, target);
  try {
    const visitor = await visit(site);
    await startWorker(visitor.page);
    await use(visitor.page);
    await visitor.page.context().close();
  } finally {
    await site.close();
    rmSync(over, { recursive: true });
  }
}

/** Has the script act on how the runtime makes modules and instances, which it does only for guests. */
const onConstruct = (what, act) =>
  `WebAssembly.${what} = new Proxy(WebAssembly.${what}, { construct(target, args) { ${act} } });`;

test("when the browser does not compile it, the interpreter has the result", async () => {
  await faulty(onConstruct("Module", 'throw new WebAssembly.CompileError("not today")'), async (page) => {
    for (const engine of ["browser", "both"]) {
      const { outcome, engines, stdout } = await same(page, { text: program(SAY), name: "t", engine });
      assert.deepEqual(outcome, { kind: "exit", code: 0 });
      assert.deepEqual([engines.ran, engines.compared], ["interpreter", false]);
      assert.match(engines.instead, /not today/);
      assert.equal(stdout, "written\n");
    }
  });
});

test("when the browser has no memory for it, the interpreter has the result", async () => {
  const refuse = onConstruct("Instance", 'throw new RangeError("could not allocate memory")');
  await faulty(refuse, async (page) => {
    const { engines } = await same(page, { text: program(SAY), name: "t", engine: "browser" });
    assert.match(engines.instead, /could not allocate memory/);
  });
  // The memory gets a maximum that the task does not know of, so that it does not grow.
  const keepSmall = onConstruct(
    "Module",
    `const bytes = [...args[0]];
     const at = bytes.findIndex((_, i) => [5, 3, 1, 0, 1].every((byte, j) => bytes[i + j] === byte));
     if (at < 0) throw new Error("no memory section");
     bytes.splice(at, 5, 5, 4, 1, 1, 1, 1);
     return Reflect.construct(target, [new Uint8Array(bytes)]);`,
  );
  await faulty(keepSmall, async (page) => {
    const text = program(`${SAY}(if (i32.eq (memory.grow (i32.const 9)) (i32.const -1)) (then (call $exit (i32.const 9))))`);
    const { outcome, engines, stdout } = await same(page, { text, name: "t", engine: "browser" });
    assert.deepEqual(outcome, { kind: "exit", code: 0 });
    assert.match(engines.instead, /did not give the memory/);
    assert.equal(stdout, "written\n");
  });
});

test("a difference is an error that names the first call that differs", async () => {
  // The second engine's guest is told that its first write failed.
  const lie = onConstruct(
    "Instance",
    `const wasi = args[1].wasi_snapshot_preview1;
     const write = wasi.fd_write;
     wasi.fd_write = (...given) => (write(...given), 8);
     return Reflect.construct(target, args);`,
  );
  await faulty(`${NO_JSPI};${lie}`, async (page) => {
    const body = `(if (call $write (i32.const 1) (i32.const 96) (i32.const 1) (i32.const 0)) (then (call $exit (i32.const 9))))`;
    const { outcome, engines } = await runText(page, program(body + SAY), { engine: "both" });
    assert.equal(outcome.kind, "failed");
    assert.match(outcome.message, /call 2 is `wasi_snapshot_preview1\.fd_write` after \d+ steps here and `wasi_snapshot_preview1\.proc_exit` after \d+ steps there/);
    assert.equal(engines.compared, false);
  });
});

test("a failure of our own code within a call is no trap of the program", async () => {
  const panic = `const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...args) => {
      const instance = await instantiate(...args);
      const { exports } = instance;
      // The runtime's second part has none.
      if (!exports.hostcalls_call) return instance;
      const hostcalls_call = () => { throw new WebAssembly.RuntimeError("unreachable"); };
      const value = { ...exports, hostcalls_call };
      return Object.create(WebAssembly.Instance.prototype, { exports: { value } });
    }`;
  await faulty(panic, async (page) => {
    await assert.rejects(runText(page, program(SAY), { engine: "browser" }), /runtime-crashed: .*unreachable/);
  });
});

/** On the page, a program of the user's on an engine. */
async function choose(page, engine, text, stdin) {
  await page.locator("#engineFold").evaluate((fold) => (fold.open = true));
  await page.selectOption("#engine", engine);
  await dropProgram(page, "mine.wat", text);
  await chooseStdin(page, stdin);
}

test("on the page, without JSPI: it says what is missing, and cancelling keeps the output", async () => {
  const { page, done } = await visit(plainSite);
  await choose(page, "browser", ENDLESS, "none");
  const shown = await plainText(page);
  await page.click("#run");
  await headline(page, "Running on the browser's engine");
  await shown.has("before the loop");
  assert.equal(await page.getAttribute("#pause", "aria-disabled"), "true");
  await page.locator("#statSteps", { hasText: /[MG]/ }).waitFor();
  await screenshot(page, "engine-away");
  await page.click("#cancel");
  await headline(page, "Cancelled");
  assert.match(await shown.text(), /before the loop/);
  await page.locator("#saveOut", { hasText: "16" }).waitFor();
  // The new worker has the program again. It would wait for input for ever, so the interpreter runs it.
  await choose(page, "browser", ECHO, "live");
  await page.click("#run");
  await headline(page, "Waiting for input");
  await page.fill("#line", "a line");
  await page.press("#line", "Enter");
  await shown.has("a line");
  await page.click("#endInput");
  await headline(page, "Finished with exit code 0");
  await page.locator("#advice", { hasText: "can't wait for live input" }).waitFor();
  await choose(page, "both", program(SAY), "none");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.locator("#advice", { hasText: "did the same" }).waitFor();
  await screenshot(page, "engine-both");
  await done();
});

test("on the page, with JSPI: it pauses, goes on, waits for input and is cancelled like the interpreter", async () => {
  const { page, done } = await visit(site);
  await choose(page, "browser", ENDLESS, "none");
  const shown = await plainText(page);
  await page.click("#run");
  await shown.has("before the loop");
  const steps = () => page.textContent("#statSteps");
  await page.locator("#statSteps", { hasText: /[MG]/ }).waitFor();
  await page.click("#pause");
  await headline(page, "Paused");
  const paused = await steps();
  await page.click("#pause");
  await page.waitForFunction((old) => document.querySelector("#statSteps").textContent !== old, paused);
  await page.click("#cancel");
  await headline(page, "Cancelled");
  await page.locator("#advice", { hasText: "output and files until then are kept" }).waitFor();
  for (const engine of ["browser", "both"]) {
    await choose(page, engine, ECHO, "live");
    await page.click("#run");
    for (const line of ["one line", "another"]) {
      await headline(page, "Waiting for input");
      await page.fill("#line", line);
      await page.press("#line", "Enter");
      await shown.has(line);
    }
    await page.click("#endInput");
    await headline(page, "Finished with exit code 0");
    await page.locator("#advice", { hasText: engine === "both" ? "did the same" : "Run on the browser's engine" }).waitFor();
  }
  await screenshot(page, "engine-suspended");
  await done();
});

test("automatic: the browser's engine where it can be paused, else the interpreter, but for large modules with their input given", async () => {
  const light = { text: program(SAY), name: "light", engine: "auto" };
  // A megabyte of data, written in words.
  const large = { ...light, name: "large", text: program(SAY).replace(/\)\s*$/, `(data (i32.const 65536) "${"0123456789abcdef".repeat(1 << 16)}"))`).replace("(memory (export \"memory\") 1)", "(memory (export \"memory\") 32)") };
  assert.equal((await same(visitor.page, light)).engines.ran, "browser");
  assert.equal((await same(plain.page, light)).engines.ran, "interpreter");
  assert.equal((await same(visitor.page, large)).engines.ran, "browser");
  assert.equal((await same(plain.page, large)).engines.ran, "browser");
});

test("a run that is made again has the input that was typed", async () => {
  const { page, done } = await visit(site);
  // It reads a line, and then traps in a way that V8 does not name: so it runs twice on each engine that tells.
  const text = `(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\00\\04\\00\\00\\00\\01\\00\\00")
    (func (export "_start")
      (drop (call $read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)))
      (i32.store (i32.const 12) (i32.load (i32.const 0)))
      (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
      (drop (i32.trunc_f64_s (f64.const nan)))))`;
  await choose(page, "browser", text, "live");
  const shown = await plainText(page);
  await page.click("#run");
  await headline(page, "Waiting for input");
  await page.fill("#line", "typed once");
  await page.press("#line", "Enter");
  await headline(page, "Crashed: it converted a float that no integer can hold");
  await page.locator("#advice", { hasText: "does not tell which trap" }).waitFor();
  // The page echoes what is typed.
  assert.equal((await shown.text()).split("typed once").length - 1, 2);
  await done();
});
