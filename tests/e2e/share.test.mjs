/** Links and packages: what is set up goes out whole, and comes in without running before the user agreed. */
import assert from "node:assert/strict";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { after, before, test } from "node:test";
import { zipOf } from "./support/archives.mjs";
import { axeViolations } from "./support/axe.mjs";
import { buildCli, forged, PAGE_LIMITS, workFolder } from "./support/cli.mjs";
import { chooseStdin, downloaded, drop, dropProgram, headline, openSite, PHONE, plainText, screenshot, visit, WIDE } from "./support/page.mjs";
import { COPY, ECHO, ENDLESS, GREETING, NOTHING } from "./support/programs.mjs";

let site;
let folder;
before(async () => {
  buildCli();
  site = await openSite();
  folder = workFolder();
});
after(async () => {
  await site?.close();
  folder?.remove();
});

const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** Opens Share and waits for the link. */
async function shareLink(page) {
  await page.click("#shareButton");
  const link = page.locator("#shareLink");
  await link.waitFor();
  return link.inputValue();
}

const closeShare = (page) => page.locator("#share").getByRole("button", { name: "Close" }).click();

/** Goes to another fragment of the open page, as following a link does. */
const follow = (page, link) => page.evaluate((hash) => (location.hash = hash), new URL(link).hash);

test("a link has the whole task and its receipt, and runs only when the user says so", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "copy.wat", COPY);
  await drop(page, [{ name: "big.bin", bytes: "some input" }, { name: "other.txt", bytes: "unused, but there" }]);
  await page.fill("#args", "one 'two words'");
  await chooseStdin(page, "text");
  await page.fill("#stdinText", "some text\n");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  const link = await shareLink(page);
  assert.match(link, /#1[A-Za-z0-9_-]+$/);
  await closeShare(page);
  assert.equal(await shareLink(page), link, "the same content is the same link");
  await done();

  const other = await visit(site);
  await follow(other.page, link);
  const review = other.page.locator("#review");
  await review.locator(".summary").waitFor();
  const said = await review.textContent();
  for (const part of ["copy.wat", "two words", "big.bin", "other.txt", "Nothing of it has run", "exit code 0 after"]) assert.ok(said.includes(part), part);
  await headline(other.page, "Ready");
  await other.page.click("#reviewRun");
  await headline(other.page, "Finished with exit code 0");
  await other.page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  assert.equal(await other.page.inputValue("#args"), "one 'two words'");
  assert.equal(await other.page.inputValue("#stdinText"), "some text\n");
  // A change makes it another task, which the receipt says nothing of.
  await other.page.fill("#args", "three");
  await other.page.click("#run");
  await other.page.locator(".receipt-line", { hasText: "no longer the task of the receipt" }).waitFor();
  await other.done();
});

test("a visit with a link shows what will run, and nothing runs when it is declined", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "greeting.wat", GREETING);
  const link = await shareLink(page);
  await done();
  const other = await visit({ ...site, url: link });
  await other.page.locator("#review .summary").waitFor();
  await other.page.locator("#review").getByRole("button", { name: "Cancel" }).click();
  await headline(other.page, "Ready");
  assert.equal(await other.page.locator("#program strong", { hasText: "greeting.wat" }).count(), 0);
  await other.done();
});

test("a link that takes the place of the user's work asks first; another one while it is open replaces it", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "greeting.wat", GREETING);
  const greeting = await shareLink(page);
  await closeShare(page);
  await dropProgram(page, "echo.wat", ECHO);
  const echo = await shareLink(page);
  await closeShare(page);
  await page.fill("#args", "mine");
  await follow(page, greeting);
  const review = page.locator("#review");
  await review.locator(".summary strong", { hasText: "greeting.wat" }).waitFor();
  await review.getByText("takes the place of what you have set up").waitFor();
  await follow(page, echo);
  await review.locator(".summary strong", { hasText: "echo.wat" }).waitFor();
  await review.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.inputValue("#args"), "mine");
  await follow(page, greeting);
  await review.locator(".summary strong", { hasText: "greeting.wat" }).waitFor();
  await page.click("#reviewRun");
  await headline(page, "Exited with code 3");
  assert.equal(await page.inputValue("#args"), "");
  await done();
});

test("a link followed during a run ends that run when the user agrees", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "greeting.wat", GREETING);
  const link = await shareLink(page);
  await closeShare(page);
  await dropProgram(page, "endless.wat", ENDLESS);
  await page.click("#run");
  await headline(page, "Running");
  await follow(page, link);
  await page.locator("#review .summary").waitFor();
  await headline(page, "Running");
  await page.click("#reviewRun");
  await headline(page, "Exited with code 3");
  await done();
});

test("links that are cut, changed, of another version or bombs: each says what is wrong", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "greeting.wat", GREETING);
  const link = new URL(await shareLink(page)).hash.slice(1);
  await closeShare(page);
  const bomb = `1${base64url(deflateRawSync(Buffer.alloc(30_000_000), { level: 9 }))}`;
  const inside = inflateRawSync(Buffer.from(link.slice(1), "base64url"));
  const changed = Buffer.from(inside);
  changed[changed.indexOf("_start") + 1] ^= 1;
  const cases = [
    [link.slice(0, link.length / 2), "link-cut", /cut: its end is missing/],
    [link.slice(0, -1), "link-cut", /cut/],
    [`2${link.slice(1)}`, "link-version", /version `2`/],
    [`${link.slice(0, 50)}%20${link.slice(50)}`, "link-character", /`%` at position 51/],
    ["1", "link-empty", /empty/],
    ["1____", "link-damaged", /damaged/],
    [bomb, "link-bomb", /more than 16777216 bytes/],
    [`1${"A".repeat(70_000)}`, "link-too-long", /70001 characters/],
    [`1${base64url(deflateRawSync(changed))}`, "bad-package", /damaged|not what its task\.json says/],
    [`1${base64url(deflateRawSync(Buffer.from("no package")))}`, "bad-package", /damaged/],
  ];
  for (const [fragment, code, message] of cases) {
    await follow(page, `http://x/#${fragment}`);
    const alert = page.locator(`#review [role="alert"][data-code="${code}"]`);
    await alert.waitFor();
    assert.match(await alert.textContent(), message, code);
    await page.locator("#review").getByRole("button", { name: "Close" }).click();
    await page.evaluate(() => history.replaceState(null, "", location.pathname));
  }
  await page.click("#run");
  await headline(page, "Exited with code 3");
  await done();
});

/** A module whose bytes do not compress: 100 kB of data. */
function big() {
  let state = 1;
  let data = "";
  for (let index = 0; index < 100_000; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data += `\\${(state >>> 24).toString(16).padStart(2, "0")}`;
  }
  return NOTHING.replace(/\)$/, `(data (i32.const 0) "${data}"))`).replace('"memory") 1', '"memory") 2');
}

test("what is too big for a link is offered as a package, or by its address", async () => {
  const { page, errors, done } = await visit(site);
  await dropProgram(page, "big.wat", big());
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await page.click("#shareButton");
  const long = page.locator('#share [data-code="link-too-long"]');
  await long.waitFor();
  assert.match(await long.textContent(), /too big for a link.*at most 60000/s);
  const bytes = await downloaded(page, () => page.click("#savePackage"));
  folder.write("big.vtask", bytes);
  assert.match(folder.verirun(["verify", "big.vtask"]).stdout, /^VERIFIED/);
  const module = moduleOf(bytes);
  const answers = {
    "https://modules.example/big.wasm": { body: module },
    "https://modules.example/gone.wasm": { status: 404, body: "" },
    "https://modules.example/closed.wasm": { body: module, headers: { "access-control-allow-origin": "https://other.example" } },
    "https://modules.example/long.wasm": { body: Buffer.concat([module, Buffer.from("x")]) },
    "https://modules.example/short.wasm": { body: module.subarray(1) },
    "https://modules.example/other.wasm": { body: Buffer.from(module).fill(1, 100, 101) },
  };
  const isRouted = (url) => url.hostname.endsWith(".example");
  const answer = (route) => (answers[route.request().url()] ? route.fulfill(answers[route.request().url()]) : route.abort());
  await page.route(isRouted, answer);
  const give = async (url) => {
    await page.fill("#moduleUrl", url);
    await page.locator("#share").getByRole("button", { name: "Make the link" }).click();
  };
  const refused = async (url, code, message) => {
    await give(url);
    const alert = page.locator(`#share [role="alert"][data-code="${code}"]`);
    await alert.waitFor();
    assert.match(await alert.textContent(), message, url);
  };
  await refused("https://modules.example/gone.wasm", "module-gone", /answered 404/);
  await refused("https://modules.example/closed.wasm", "module-cors", /does not let other sites read.*CORS/);
  await refused("https://nowhere.example/x.wasm", "module-unreachable", /can’t be reached/);
  await refused("https://modules.example/long.wasm", "module-size", /has more bytes/);
  await refused("https://modules.example/short.wasm", "module-size", new RegExp(`has ${module.length - 1} bytes`));
  await refused("https://modules.example/other.wasm", "module-digest", /its SHA-256 is/);
  await refused("http://modules.example/big.wasm", "bad-url", /only https/);
  await give("https://modules.example/big.wasm");
  const link = await page.locator("#shareLink").inputValue();
  assert.ok(link.length < 8000, `${link.length} characters`);
  // What the tests provoked is no fault of the page.
  errors.length = 0;
  await done();

  const other = await visit(site);
  await other.page.route(isRouted, answer);
  answers["https://modules.example/big.wasm"] = { body: Buffer.from(module).fill(1, 100, 101) };
  await follow(other.page, link);
  await other.page.locator("#review").getByText("https://modules.example/big.wasm").first().waitFor();
  await other.page.click("#reviewRun");
  await other.page.locator('#review [data-code="module-digest"]').waitFor();
  await headline(other.page, "Ready");
  answers["https://modules.example/big.wasm"] = { body: module };
  await other.page.click("#reviewRun");
  await other.page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  await other.done();
});

/** The module in a package, whose entries are stored. */
function moduleOf(zip) {
  const at = zip.indexOf("module.wasm");
  const header = zip.lastIndexOf("PK\x03\x04", at, "latin1");
  const [size, name, extra] = [zip.readUInt32LE(header + 22), zip.readUInt16LE(header + 26), zip.readUInt16LE(header + 28)];
  const from = header + 30 + name + extra;
  return zip.subarray(from, from + size);
}

test("a sample that is too long for a short link is named by its address on this site", async () => {
  const { page, done } = await visit(site);
  const link = await shareLink(page);
  assert.ok(link.length < 8100, `${link.length} characters`);
  await done();
  const other = await visit({ ...site, url: link });
  await other.page.locator("#review .summary").waitFor();
  await other.page.click("#reviewRun");
  await headline(other.page, "Finished with exit code 0");
  await other.done();
});

test("Cancel while the module of a link is fetched leaves everything as it was", async () => {
  const { page, done } = await visit(site);
  // Too long for a link, so it is named by its address.
  const link = await shareLink(page);
  await closeShare(page);
  await dropProgram(page, "greeting.wat", GREETING);
  await page.fill("#args", "mine");
  let go;
  const held = new Promise((resolve) => (go = resolve));
  await page.route(/hello\.wasm/, async (route) => {
    await held;
    await route.continue();
  });
  const review = page.locator("#review");
  for (const button of ["#reviewRun", "#reviewSetUp"]) {
    await page.evaluate(() => (location.hash = ""));
    await follow(page, link);
    await review.locator(".summary").waitFor();
    const asked = page.waitForRequest(/hello\.wasm/);
    await page.click(button);
    await asked;
    await review.getByRole("button", { name: "Cancel" }).click();
    await review.waitFor({ state: "hidden" });
  }
  const came = page.waitForResponse(/hello\.wasm/);
  go();
  await (await came).finished();
  // It is done when the worker has answered what was asked after it.
  await page.click("#run");
  await headline(page, "Exited with code 3");
  assert.equal(await page.inputValue("#args"), "mine");
  await page.locator("#program strong", { hasText: "greeting.wat" }).waitFor();
  assert.equal(await review.isVisible(), false);
  assert.equal(await page.locator(".alert").count(), 0);
  // Agreed to, it is set up.
  await page.evaluate(() => (location.hash = ""));
  await follow(page, link);
  await review.locator(".summary").waitFor();
  await page.click("#reviewSetUp");
  await page.locator('#program[data-state="good"] strong', { hasText: "hello" }).waitFor();
  await done();
});

test("a package of the page is that of verirun pack, byte for byte, and comes in again", async () => {
  const { page, done } = await visit(site);
  folder.write("copy.wat", COPY);
  folder.write("dir/big.bin", "some input");
  folder.write("dir/sub/deep.txt", "deep");
  folder.write("stdin", "not read");
  await dropProgram(page, "copy.wat", COPY);
  await page.setInputFiles("#inputFiles", [{ name: "big.bin", mimeType: "", buffer: Buffer.from("some input") }]);
  await drop(page, [{ name: "more.zip", bytes: zipOf(["sub/deep.txt", "deep"]) }]);
  await page.getByRole("button", { name: "Mount as files" }).click();
  await page.fill("#args", "one");
  await chooseStdin(page, "text");
  await page.fill("#stdinText", "not read");
  await page.locator("#profileFold > summary").click();
  await page.fill("#seed", "2a");
  const options = [...PAGE_LIMITS, "--stdin", "stdin", "--seed", "2a", "--dir", "dir::/", "copy.wat", "one"];
  assert.equal(folder.verirun(["pack", "-o", "bare.vtask", ...options]).status, 0);
  await page.click("#shareButton");
  assert.ok((await downloaded(page, () => page.click("#savePackage"))).equals(folder.read("bare.vtask")), "without a receipt");
  await closeShare(page);
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  folder.verirun(["run", "--receipt", "r.json", ...options]);
  assert.equal(folder.verirun(["pack", "-o", "whole.vtask", "--with-receipt", "r.json", ...options]).status, 0);
  await page.click("#shareButton");
  const whole = await downloaded(page, () => page.click("#savePackage"));
  assert.ok(whole.equals(folder.read("whole.vtask")), "with a receipt");
  await closeShare(page);
  await done();

  const other = await visit(site);
  await drop(other.page, [{ name: "whole.vtask", bytes: whole }]);
  await other.page.locator("#review .summary").waitFor();
  await other.page.click("#reviewRun");
  await other.page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  // It went through the fields of the page and is the same package still.
  await other.page.click("#shareButton");
  assert.ok((await downloaded(other.page, () => other.page.click("#savePackage"))).equals(whole), "again");
  await other.done();
});

test("a package with a false receipt is a mismatch when it has run", async () => {
  const { page, done } = await visit(site);
  folder.write("greeting.wat", GREETING);
  folder.verirun(["run", "--receipt", "true.json", ...PAGE_LIMITS, "greeting.wat"]);
  folder.write("false.json", forged(folder.read("true.json").toString(), ({ receipt }) => (receipt.result.stdout.size = "11")));
  assert.equal(folder.verirun(["pack", "-o", "false.vtask", "--with-receipt", "false.json", ...PAGE_LIMITS, "greeting.wat"]).status, 0);
  await drop(page, [{ name: "false.vtask", bytes: folder.read("false.vtask") }]);
  await page.click("#reviewRun");
  const line = page.locator('.receipt-line[data-tone="bad"]');
  await line.waitFor();
  assert.match(await line.textContent(), /^MISMATCH: standard output: the receipt says 11 bytes/);
  // The Verify view comes to the same of the same file.
  await page.click("#verifyButton");
  await drop(page, [{ name: "false.vtask", bytes: folder.read("false.vtask") }]);
  await page.locator(".verdict-badge", { hasText: "READY" }).waitFor();
  await page.click("#verify .primary");
  await page.locator(".verdict-badge", { hasText: "MISMATCH" }).waitFor();
  await done();
});

test("what no field of the page shows is kept as it came: directories, links, typed input", async () => {
  const { page, done } = await visit(site);
  folder.write("copy.wat", COPY);
  folder.write("dir/big.bin", "some input");
  const options = ["--dir", "dir::/in", "--env", "A=1", "--memory", "100", "copy.wat", "one"];
  folder.verirun(["run", "--receipt", "d.json", ...options]);
  assert.equal(folder.verirun(["pack", "-o", "dirs.vtask", "--with-receipt", "d.json", ...options]).status, 0);
  await drop(page, [{ name: "dirs.vtask", bytes: folder.read("dirs.vtask") }]);
  await page.locator("#review").getByText("/in (/in, read-write)").waitFor();
  await page.click("#reviewRun");
  await page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  await page.locator(".kept", { hasText: "directories" }).waitFor();
  await page.getByRole("button", { name: "Use the fields alone" }).click();
  await page.click("#run");
  await page.locator(".receipt-line", { hasText: "no longer the task" }).waitFor();
  // Typed input: it is typed again at the same moments.
  await dropProgram(page, "echo.wat", ECHO);
  await chooseStdin(page, "live");
  await page.click("#run");
  await headline(page, "Waiting for input");
  await page.fill("#line", "typed by hand");
  await page.keyboard.press("Enter");
  const { has } = await plainText(page);
  await has("typed by hand");
  await page.click("#endInput");
  await headline(page, "Finished with exit code 0");
  const link = await shareLink(page);
  await done();
  const other = await visit({ ...site, url: link });
  await other.page.locator("#review").getByText("2 typed or sent while it runs").waitFor();
  await other.page.click("#reviewRun");
  await other.page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  await (await plainText(other.page)).has("typed by hand");
  await other.done();
});

test("copies: the link, Markdown, and an element for another page", async () => {
  const { page, done } = await visit(site, { permissions: ["clipboard-read", "clipboard-write"] });
  await dropProgram(page, "a_[b].wat", GREETING);
  const link = await shareLink(page);
  const copied = async (id) => {
    await page.click(id);
    await page.locator(`${id} .label`, { hasText: "Copied" }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  assert.equal(await copied("#copyLink"), link);
  assert.equal(await copied("#copyMarkdown"), `[a\\_\\[b\\]](${link})`);
  assert.equal(await copied("#copyHtml"), `<a href="${link}">a_[b]</a>`);
  await closeShare(page);
  // What has an address of its own can be an element.
  await page.selectOption("#sample", "hello");
  await page.locator("#program strong", { hasText: "hello" }).waitFor();
  await shareLink(page);
  const html = await copied("#copyHtml");
  assert.match(html, /^<script type="module" src="http[^"]*"><\/script>\n<wasm-task src="http:[^"]*tasks\/hello\/hello\.wasm"/);
  await done();
  // It does in another page what the task does here.
  folder.write("embed.html", `<!doctype html><html lang="en"><meta charset="utf-8"><title>Embedded</title>${html}</html>`);
  const host = await openSite(folder.at(""));
  folder.write("embed.html", folder.read("embed.html").toString().replaceAll(site.url, host.url));
  const context = await host.browser.newContext();
  const embedded = await context.newPage();
  await embedded.goto(`${host.url}embed.html`);
  await embedded.locator('wasm-task >> css=[part~="run"]').click();
  await embedded.locator('wasm-task >> css=[part~="output"]', { hasText: "Hello, Ada" }).waitFor();
  await host.close();
});

for (const theme of ["light", "dark"]) {
  for (const [device, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
    test(`${theme}, ${device}: the Share dialog and what a link shows have no accessibility violation`, async () => {
      const phone = device === "phone";
      const { page, done } = await visit(site, { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, hasTouch: phone, isMobile: phone });
      await dropProgram(page, "copy.wat", COPY);
      await drop(page, [{ name: "big.bin", bytes: "some input" }]);
      await page.fill("#args", "one 'two words'");
      await page.click("#run");
      await headline(page, "Finished with exit code 0");
      const link = await shareLink(page);
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `share-${device}-${theme}`);
      await closeShare(page);
      await follow(page, link);
      await page.locator("#review .summary").waitFor();
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `review-${device}-${theme}`);
      await page.click("#reviewRun");
      await page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `verified-${device}-${theme}`);
      await follow(page, "http://x/#1abcd");
      await page.locator('#review [role="alert"]').waitFor();
      await screenshot(page, `link-error-${device}-${theme}`);
      await done();
    });
  }
}
