/** The runtime's second part: it comes when it is needed, and what happens if it does not. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { drop, dropProgram, headline, openSite, plainText, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/**
 * 60 000 nested calls, more than V8's stack holds and fewer than the default limit, then a word. Binary, since text is read
 * by the second part:
 *
 *     (func $deep (param i32) (result i32)
 *       (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
 *     (func (export "_start") (drop (call $deep (i32.const 60000))) (drop (call $fd_write ... "deep\n")))
 */
const DEEP = Buffer.from(
  "AGFzbQEAAAABEQNgBH9/f38Bf2ABfwF/YAAAAiMBFndhc2lfc25hcHNob3RfcHJldmlldzEIZmRfd3JpdGUAAAMDAgECBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0" +
    "AAIKKwIUACAABH9BASAAQQFrEAFqBUEACwsUAEHg1AMQARpBAUEAQQFBEBAAGgsLEwEAQQALDQgAAAAFAAAAZGVlcAo=",
  "base64",
);

/** A visit during which the second part can be kept away (`there` false, or a status) or withheld (`there` null, no answer
 * at all); `asked` counts the requests for it. */
async function visitor() {
  const network = { asked: 0, there: true };
  const prepare = (context) =>
    context.route("**/verirun_rest.wasm*", (route) => {
      network.asked += 1;
      if (network.there === null) return undefined;
      if (typeof network.there === "number") return route.fulfill({ status: network.there });
      return network.there ? route.continue() : route.abort();
    });
  return { network, ...(await visit(site, { prepare })) };
}

async function choose(page, engine) {
  await page.locator("#engineFold").evaluate((fold) => (fold.open = true));
  await page.selectOption("#engine", engine);
}

/** What the browser itself says of a request that failed. */
const refused = (errors) => errors.splice(0).every((error) => /ERR_FAILED|\b404\b/.test(error));

test("what needs it waits for it, and can be tried again if it does not come", async () => {
  const { page, errors, network, done } = await visitor();
  await choose(page, "interpreter");
  network.there = false;
  await page.click("#run");
  const alert = page.locator('.alert[data-code="runtime-missing"]');
  await alert.waitFor();
  assert.match(await alert.innerText(), /verirun_rest\.wasm.*Check your connection/s);
  assert.ok(refused(errors));
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(network.asked, 2);
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(network.asked, 2, "it comes once");
  await done();
});

test("a run that turns out to need it gets it in the middle", async () => {
  const { page, network, done } = await visitor();
  await choose(page, "browser");
  await dropProgram(page, "deep.wasm", DEEP);
  assert.equal(network.asked, 0);
  const shown = await plainText(page);
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await shown.has("deep");
  await page.locator("#advice", { hasText: "stack" }).waitFor();
  assert.equal(network.asked, 1);
  await done();
});

test("a large module, whose instrumented form is kept, does without it", async () => {
  const { page, network, done } = await visitor();
  // A custom section of 300 kB makes it large enough.
  const hello = await page.evaluate(async () => Array.from(new Uint8Array(await (await fetch("tasks/hello/hello.wasm")).arrayBuffer())));
  const size = 300_000;
  const section = [0, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14, 4, ...Buffer.from("more"), ...new Uint8Array(size - 5)];
  await dropProgram(page, "large.wasm", Buffer.from([...hello, ...section]));
  for (let time = 1; time <= 2; time++) {
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
  }
  assert.equal(network.asked, 0);
  await done();
});

test("if it does not come in the middle of a run, that is no failure of Verirun, however often, and nothing is lost", async () => {
  const { page, errors, network, done } = await visitor();
  await choose(page, "browser");
  await drop(page, [{ name: "kept.txt", bytes: "still here" }]);
  await dropProgram(page, "deep.wasm", DEEP);
  // The last answer is that of a server which has another version by now.
  const answers = [...Array(4).fill({ there: false, code: "runtime-missing", hint: "Check your connection" }), { there: 404, code: "version-mixed", hint: "Reload the page" }];
  for (const { there, code, hint } of answers) {
    network.there = there;
    await page.click("#run");
    const alert = page.locator(`.alert[data-code="${code}"]`, { hasText: "verirun_rest.wasm" });
    await alert.waitFor();
    await headline(page, "A part of the runtime is missing");
    assert.match(await alert.innerText(), new RegExp(`${hint}.*your setup is kept`, "s"));
    await alert.getByRole("button", { name: "Dismiss" }).click();
    await page.locator('#program[data-state="good"]').waitFor();
  }
  assert.equal(network.asked, answers.length);
  const said = [...errors];
  assert.ok(refused(errors), said.join("\n"));
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.locator("#changedOnly").uncheck();
  await page.locator('#tree [data-path="kept.txt"]').waitFor();
  await done();
});

test("what reads texts is asked for no more than it is needed where it does not come", async () => {
  const { page, errors, network, done } = await visitor();
  network.there = false;
  await drop(page, [{ name: "text.wat", bytes: '(module (memory (export "memory") 1) (func (export "_start")))' }]);
  await page.locator('.alert[data-code="runtime-missing"]').waitFor();
  await page.click("#run");
  await headline(page, "It did not start");
  // A drop sets up inputs and program, each of which tells the worker.
  assert.ok(network.asked <= 3, `asked ${network.asked} times`);
  assert.ok(refused(errors));
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(await page.locator(".alert").count(), 0);
  await done();
});

test("Cancel ends the wait for it before a run, and the next run asks again", async () => {
  const { page, network, done } = await visitor();
  await choose(page, "interpreter");
  network.there = null;
  for (let time = 1; time <= 2; time++) {
    await page.click("#run");
    await headline(page, "Loading the rest of the runtime");
    await page.locator('#cancel[aria-disabled="false"]').click();
    await headline(page, "Cancelled");
    await page.locator("#advice", { hasText: "before it began" }).waitFor();
  }
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(network.asked, 3);
  assert.equal(await page.locator(".alert").count(), 0);
  await done();
});

test("Cancel ends it too where the program itself waits, and holds nothing against the program", async () => {
  const { page, network, done } = await visitor();
  network.there = null;
  // The first is on its way to the worker when the second takes its place.
  for (const name of ["first.wat", "waits.wat"]) {
    await drop(page, [{ name, bytes: '(module (memory (export "memory") 1) (func (export "_start")))' }]);
    await page.locator("#program strong", { hasText: name }).waitFor();
  }
  await page.click("#run");
  await headline(page, "Loading the rest of the runtime");
  await page.locator('#cancel[aria-disabled="false"]').click();
  await headline(page, "Cancelled");
  await page.locator("#program", { hasText: "waits.wat" }).filter({ hasText: "Not checked yet" }).waitFor();
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  assert.equal(await page.locator(".alert").count(), 0);
  await done();
});

test("Cancel ends a run that waits for it in the middle, with its worker", async () => {
  const { page, errors, network, done } = await visitor();
  await choose(page, "browser");
  await dropProgram(page, "deep.wasm", DEEP);
  network.there = null;
  await page.click("#run");
  await page.locator("#advice", { hasText: "Cancel keeps its output" }).waitFor();
  await page.click("#cancel");
  await headline(page, "Cancelled");
  network.there = true;
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  errors.splice(0); // what the browser says of the request that ended with its worker, if anything
  await done();
});
