/** `<wasm-task>` in pages of another origin, under the strict policy of docs/embedding.md and without special headers. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { checkAccessibility, noSidewaysScroll } from "./support/accessibility.mjs";
import { CORS, serveOrigin, strictPolicy } from "./support/origin.mjs";
import { launchChromium, PHONE, screenshot, siteFile, siteFolders, WIDE } from "./support/page.mjs";
import { BINARY, COPY, ECHO, ENDLESS, FLOOD, GREETING } from "./support/programs.mjs";

let browser;
let verirun;
let blog;
/** An origin that lets nobody read it. */
let closed;
before(async () => {
  browser = await launchChromium();
  verirun = await serveOrigin({ folders: siteFolders, headers: CORS });
  closed = await serveOrigin({ pages: { "/greeting.wat": GREETING } });
  blog = await serveOrigin({
    pages: {
      "/favicon.ico": "",
      "/greeting.wat": GREETING,
      "/echo.wat": ECHO,
      "/endless.wat": ENDLESS,
      "/flood.wat": FLOOD,
      "/binary.wat": BINARY,
      "/copy.wat": COPY,
      "/notes/a.txt": "from a file",
      "/garbage.wasm": Buffer.from([0, 1, 2, 3, 4, 5]),
    },
  });
});
after(async () => {
  await browser?.close();
  for (const server of [verirun, blog, closed]) server?.close();
});

const documentOf = (body) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A blog</title>
<script type="module" src="${verirun.url}/wasm-task.js"></script></head><body><main><h1>A blog</h1>${body}</main></body></html>`;

/** A page of the blog with `body`. `expected` are complaints of the browser that belong to the test. */
async function open(body, { expected = [], policy = `${strictPolicy(verirun.url)}`, prepare, ...options } = {}) {
  blog.pages["/post.html"] = { body: documentOf(body), headers: policy ? { "content-security-policy": policy } : {} };
  verirun.requests.length = 0;
  const context = await browser.newContext({ viewport: WIDE, ...options });
  await prepare?.(context);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors = [];
  const complain = (text) => expected.some((pattern) => pattern.test(text)) || errors.push(text);
  page.on("console", (message) => message.type() === "error" && complain(message.text()));
  page.on("pageerror", (error) => complain(String(error)));
  await page.goto(`${blog.url}/post.html`);
  const task = (selector = "wasm-task") => {
    const part = (name) => page.locator(`${selector} >> css=[part~="${name}"]`);
    return {
      part,
      press: (name) => part(name).click(),
      says: (text) => part("status").filter({ hasText: text }).waitFor(),
      output: () => part("output").textContent(),
    };
  };
  return {
    page,
    task,
    async done() {
      await context.close();
      assert.deepEqual(errors, [], "the console has errors");
    },
  };
}

test("the script is small, and nothing else is loaded before a task is run or seen", async () => {
  const script = readFileSync(siteFile("wasm-task.js"));
  assert.ok(script.length < 15_000, `wasm-task.js has ${script.length} bytes`);
  const { page, task, done } = await open('<wasm-task src="greeting.wat"></wasm-task>');
  await task().part("run").waitFor();
  assert.deepEqual(verirun.requests, ["/wasm-task.js"]);
  assert.equal(page.workers().length, 0);
  await task().press("run");
  await task().says("Exited with code 3");
  // The module is text, which the second part of the runtime reads.
  const wanted = ["/api-worker.js", "/api.js", "/verirun_bg.wasm", "/verirun_rest.wasm", "/wasm-task-run.js", "/wasm-task.js"];
  assert.deepEqual([...new Set(verirun.requests)].sort(), wanted);
  assert.equal(await task().output(), "to stdout\nto stderr\n");
  assert.equal(await page.locator('wasm-task >> css=[part~="stderr"]').textContent(), "to stderr\n");
  await done();
});

test("many on a page share one compiled runtime, and those with autorun run when they are seen", async () => {
  const many = Array.from({ length: 12 }, (_, index) => `<wasm-task id="t${index}" src="echo.wat" stdin="number ${index}" autorun></wasm-task>`);
  const { page, task, done } = await open(`${many.join("<p>text</p>".repeat(20))}`, {
    prepare: (context) =>
      context.addInitScript(() => {
        globalThis.compiled = 0;
        for (const name of ["compile", "compileStreaming", "instantiate", "instantiateStreaming"]) {
          const own = WebAssembly[name];
          WebAssembly[name] = (...all) => {
            globalThis.compiled += 1;
            return own.apply(WebAssembly, all);
          };
        }
      }),
  });
  await task("#t0").says("Finished");
  assert.equal(await page.locator("#t11").evaluate((element) => element.state), "idle", "out of sight");
  for (let index = 0; index < many.length; index++) {
    await page.locator(`#t${index}`).scrollIntoViewIfNeeded();
    await task(`#t${index}`).says("Finished");
    assert.equal(await task(`#t${index}`).output(), `> number ${index}[end]\n`);
  }
  assert.equal(await page.evaluate(() => globalThis.compiled), 1);
  assert.equal(verirun.requests.filter((path) => path === "/verirun_bg.wasm").length, 1);
  // No more than two workers are kept; that the others have ended is heard a little later.
  while (page.workers().length > 2) await Promise.race(page.workers().map((worker) => worker.waitForEvent("close")));
  await done();
});

test("attributes say what is run", async () => {
  const { page, task, done } = await open(`
    <wasm-task id="hello" src="${verirun.url}/tasks/hello/hello.wasm" args="Grace 'two words'" env="A=b GREETING='good day'"></wasm-task>
    <wasm-task id="json" src="${verirun.url}/tasks/hello/hello.wasm" env='{"JSON":"yes it is"}'></wasm-task>
    <wasm-task id="gas" src="endless.wat" limits="gas=1000000"></wasm-task>
    <wasm-task id="both" src="greeting.wat" engine="both" label="Both engines"></wasm-task>
    <wasm-task id="files" src="copy.wat" files="big.bin=notes/a.txt" show="copy.bin"></wasm-task>`);
  for (const id of ["hello", "json", "gas", "both", "files"]) await task(`#${id}`).press("run");
  await task("#hello").says("Finished");
  const hello = await task("#hello").output();
  assert.match(hello, /Hello, Grace!/);
  assert.match(hello, /two words/);
  assert.match(hello, /good day/);
  assert.doesNotMatch(hello, /\x1b/);
  const looks = await task("#hello")
    .part("output")
    .evaluate((pre) => {
      const greeting = [...pre.children].find((piece) => piece.textContent.includes("Hello, Grace!"));
      const { color, fontWeight } = getComputedStyle(greeting);
      const backgrounds = new Set([...pre.children].map((piece) => getComputedStyle(piece).backgroundColor));
      return { green: color !== getComputedStyle(pre).color, fontWeight, backgrounds: backgrounds.size };
    });
  assert.deepEqual([looks.green, looks.fontWeight], [true, "700"]);
  assert.ok(looks.backgrounds > 200, "the table of colours");
  await task("#json").says("Finished");
  assert.match(await task("#json").output(), /yes it is/);
  await task("#gas").says("Out of gas");
  await task("#both").says("Exited with code 3");
  assert.equal(await task("#both").part("title").textContent(), "Both engines");
  assert.equal(await page.locator("#both").evaluate(({ result }) => result.engines.compared), true);
  await task("#files").says("Finished");
  assert.equal(await task("#files").part("text").textContent(), "grom a file");
  const link = page.locator('#files >> css=[part="files"] a');
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  assert.equal(download.suggestedFilename(), "copy.bin");
  assert.equal(readFileSync(await download.path(), "utf8"), "grom a file");
  await done();
});

test("a receipt gives a badge, and says what is run", async () => {
  const { page, task, done } = await open(`<wasm-task id="made" src="${verirun.url}/tasks/hello/hello.wasm" args="Ada" env="A=b" receipt></wasm-task>`);
  await task("#made").press("run");
  await task("#made").says("Finished");
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator('#made >> css=[part="files"] a', { hasText: "Receipt" }).click()]);
  blog.pages["/r.json"] = readFileSync(await download.path());
  await done();
  const again = await open(`
    <wasm-task id="same" src="${verirun.url}/tasks/hello/hello.wasm" receipt="r.json"></wasm-task>
    <wasm-task id="other" src="${verirun.url}/tasks/hello/hello.wasm" args="Grace" receipt="r.json"></wasm-task>
    <wasm-task id="none" src="greeting.wat" receipt="greeting.wat"></wasm-task>
    <wasm-task id="away" src="greeting.wat" receipt="nowhere.json"></wasm-task>`, { expected: [/404/] });
  for (const id of ["same", "other", "none", "away"]) await again.task(`#${id}`).press("run");
  const badge = (id, text) => again.task(`#${id}`).part("badge").filter({ hasText: text }).waitFor();
  await badge("same", "Verified");
  assert.match(await again.task("#same").output(), /Hello, Ada!/);
  await badge("other", "Differs from its receipt");
  await again.task("#other").says("arguments");
  await badge("none", "Not verified");
  await again.task("#away").says("Could not load the receipt");
  await screenshot(again.page, "element-receipts");
  await again.done();
});

test("input is typed, sent with Enter and ended with Ctrl-D, all from the keyboard", async () => {
  const { page, task, done } = await open('<wasm-task src="echo.wat" interactive></wasm-task>');
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await task().says("Waiting for input");
  const line = task().part("line");
  await line.and(page.locator(":focus")).waitFor();
  await page.keyboard.type("typed");
  await page.keyboard.press("Enter");
  await task().part("stdout").filter({ hasText: "typed" }).waitFor();
  await page.keyboard.press("Control+d");
  await task().says("Finished");
  assert.equal(await task().output(), "> typed\ntyped\n[end]\n");
  assert.equal(await page.evaluate(() => globalThis.document.querySelector("wasm-task").shadowRoot.activeElement?.part.contains("run")), true);
  await done();
});

test("what can't be written is told by the promise, and by an event to whoever does not look at it", async () => {
  const { page, done } = await open('<wasm-task src="echo.wat" interactive></wasm-task>');
  const told = await page.evaluate(async () => {
    const element = globalThis.document.querySelector("wasm-task");
    await customElements.whenDefined("wasm-task");
    const events = [];
    element.addEventListener("error", ({ detail }) => events.push(detail.code ?? detail.name));
    const code = (promise) => promise.then(() => "taken", (error) => error.code ?? error.name);
    const codes = [await code(element.write("too early\n"))];
    const started = new Promise((resolve) => element.addEventListener("output", resolve, { once: true }));
    const running = element.run();
    await started;
    codes.push(await code(element.write("in time\n")));
    element.write([1n]);
    element.endInput();
    codes.push(await code(element.write("too late\n")));
    const { stdoutText } = await running;
    return { codes, events, stdoutText };
  });
  assert.deepEqual(told.codes, ["no-input", "taken", "no-input"]);
  assert.deepEqual(told.events.sort(), ["TypeError", "no-input", "no-input"]);
  assert.match(told.stdoutText, /in time/);
  await done();
});

test("events and promises tell what happens", async () => {
  const { page, done } = await open('<wasm-task src="greeting.wat"></wasm-task>');
  const told = await page.evaluate(async () => {
    const element = globalThis.document.querySelector("wasm-task");
    await customElements.whenDefined("wasm-task");
    const events = [];
    for (const name of ["start", "output", "done", "error"]) {
      element.addEventListener(name, ({ type, detail }) => events.push([type, detail.fd ?? null, detail.text ?? detail.code ?? null]));
    }
    const codes = [];
    const fails = (promise) => promise.catch((error) => codes.push(error.code ?? error.name));
    const running = element.run();
    await fails(element.run());
    const { exitCode, ok } = await running;
    const states = [element.state, element.result.exitCode];
    const { stdoutText } = await element.run({ args: ["more"], limits: { gas: 10n ** 9n } });
    element.src = "endless.wat";
    const endless = element.run();
    element.addEventListener("output", () => element.cancel(), { once: true });
    const cancelled = await endless;
    const before = element.run();
    element.cancel();
    await fails(before);
    const aborted = element.run({ signal: AbortSignal.timeout(200) });
    await fails(aborted);
    element.removeAttribute("src");
    await fails(element.run());
    return { events, codes, exitCode, ok, states, stdoutText, kind: cancelled.outcome.kind };
  });
  assert.deepEqual(told.events.slice(0, 4), [
    ["start", null, null],
    ["output", 1, "to stdout\n"],
    ["output", 2, "to stderr\n"],
    ["done", null, null],
  ]);
  assert.deepEqual(told.events.at(-1), ["error", null, "bad-attribute"]);
  assert.deepEqual([told.exitCode, told.ok, told.states], [3, false, ["done", 3]]);
  assert.equal(told.stdoutText, "to stdout\n");
  assert.equal(told.kind, "cancelled");
  assert.deepEqual(told.codes, ["already-running", "AbortError", "TimeoutError", "bad-attribute"].map((code) => (code === "AbortError" ? 20 : code === "TimeoutError" ? 23 : code)));
  await done();
});

test("what is wrong is said in the element, and what to do about it", async () => {
  const wrong = {
    none: ["", /There is no `src`/],
    missing: ['src="nowhere.wasm"', /the server answered 404/],
    page: ['src="post.html"', /is a web page, not a WebAssembly module/],
    garbage: ['src="garbage.wasm"', /garbage\.wasm/],
    closed: [`src="${closed.url}/greeting.wat"`, /another origin.*Access-Control-Allow-Origin/s],
    file: ['src="greeting.wat" files="in.txt=notes/none.txt"', /in\.txt.*404/s],
    quote: [`src="greeting.wat" args="'open"`, /quote is not closed/],
    env: ['src="greeting.wat" env="novalue"', /“novalue” is not NAME=VALUE/],
    json: ['src="greeting.wat" env="{oops"', /begins like JSON and is none/],
    limit: ['src="greeting.wat" limits="gas=lots"', /Gas must be a whole number/],
    unknown: ['src="greeting.wat" limits="fuel=1"', /no limit “fuel”/],
    engine: ['src="greeting.wat" engine="warp"', /It can be auto, interpreter, browser, both/],
    input: ['src="greeting.wat" stdin="x" interactive', /`stdin` and `interactive` are both given/],
  };
  const body = Object.entries(wrong).map(([id, [attributes]]) => `<wasm-task id="${id}" ${attributes}></wasm-task>`);
  const { page, task, done } = await open(body.join("\n"), {
    expected: [/404/, /CORS policy/, /net::ERR_FAILED/],
    policy: strictPolicy(verirun.url).replace("connect-src", `connect-src ${closed.url}`),
  });
  for (const [id, [, pattern]] of Object.entries(wrong)) {
    await task(`#${id}`).press("run");
    await page.waitForFunction((id) => globalThis.document.getElementById(id).state === "error", id);
    assert.match(await task(`#${id}`).part("status").textContent(), pattern, id);
  }
  await screenshot(page, "element-errors");
  await done();
});

test("an element that is taken away stops; one that is moved goes on", async () => {
  const { page, done } = await open('<wasm-task src="endless.wat"></wasm-task><section></section>');
  const told = await page.evaluate(async () => {
    const element = globalThis.document.querySelector("wasm-task");
    await customElements.whenDefined("wasm-task");
    const wrote = new Promise((resolve) => element.addEventListener("output", resolve, { once: true }));
    const run = element.run().then(
      () => "ended",
      (error) => error.name,
    );
    await wrote;
    globalThis.document.querySelector("section").append(element);
    await new Promise((resolve) => setTimeout(resolve));
    const moved = element.state;
    element.remove();
    return [moved, await run];
  });
  assert.deepEqual(told, ["running", "AbortError"]);
  await page.waitForFunction(() => true);
  await done();
});

test("a flood is shown to its end without filling the page", async () => {
  const { page, task, done } = await open('<wasm-task src="flood.wat" limits="outputBytes=30000000"></wasm-task>');
  await task().press("run");
  await task().says("Too much output");
  const shown = (await task().output()).length;
  assert.ok(shown > 60_000 && shown < 400_000, `${shown} characters`);
  assert.ok((await page.locator("wasm-task").evaluate(({ result }) => result.stdout.length)) > 29_000_000);
  await done();
});

for (const theme of ["light", "dark"]) {
  for (const [device, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
    test(`${theme}, ${device}: accessible before, during and after a run`, async () => {
      const { page, task, done } = await open(
        `<wasm-task id="one" src="${verirun.url}/tasks/hello/hello.wasm" args="Ada" env="LANG=C"><p>What a program says.</p></wasm-task>
        <wasm-task id="two" src="echo.wat" interactive label="Echo"></wasm-task>
        <wasm-task id="three" src="${verirun.url}/tasks/raytrace/raytrace.wasm" args="64 40" show="image.png"></wasm-task>
        <wasm-task id="four" src="nowhere.wasm"></wasm-task>`,
        // axe-core is put into the page, which the policy forbids.
        { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, expected: [/404/], isMobile: device === "phone" },
      );
      await task("#four").part("run").waitFor();
      await checkAccessibility(page, "before");
      for (const id of ["one", "two", "three", "four"]) await task(`#${id}`).press("run");
      await task("#one").says("Finished");
      await task("#two").says("Waiting for input");
      await task("#three").part("picture").waitFor();
      await task("#four").says("404");
      await checkAccessibility(page, "after");
      await noSidewaysScroll(page);
      await page.screenshot({ path: `target/screens/element-${device}-${theme}.png`, fullPage: true });
      await done();
    });
  }
}

for (const theme of ["light", "dark"]) {
  test(`the page about embedding, ${theme}: its examples run, and it is accessible`, async () => {
    const phone = theme === "dark";
    const context = await browser.newContext({
      viewport: phone ? PHONE : WIDE,
      colorScheme: theme,
      reducedMotion: "reduce",
      serviceWorkers: "block",
      // Once with the policy that the page has itself; axe-core needs it away.
      bypassCSP: phone,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const errors = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${verirun.url}/embedding/index.html`);
    for (const button of await page.locator("button[data-example]").all()) {
      await button.click();
      const said = button.locator("xpath=ancestor::div[contains(@class,'live')]").locator(".said");
      await said.filter({ hasText: /steps|true/ }).waitFor();
    }
    const tasks = page.locator("wasm-task");
    const count = await tasks.count();
    assert.ok(count >= 5);
    for (let index = 0; index < count; index++) {
      const task = tasks.nth(index);
      await task.scrollIntoViewIfNeeded();
      const [interactive, autorun] = await task.evaluate((element) => ["interactive", "autorun"].map((name) => element.hasAttribute(name)));
      if (!autorun) await task.locator('css=[part~="run"]').click();
      const end = interactive ? /Waiting for input/ : /Finished with exit code 0|Out of gas/;
      await task.locator('css=[part="status"]').filter({ hasText: end }).waitFor();
    }
    await page.locator('wasm-task >> css=[part="picture"]').waitFor();
    if (phone) await checkAccessibility(page, "embedding");
    await noSidewaysScroll(page);
    await page.screenshot({ path: `target/screens/embedding-${theme}.png`, fullPage: true });
    await context.close();
    assert.deepEqual(errors, []);
  });
}
