/** Receipts in the page: the same as the command line's, and each verifies the other's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildCli, forged, PAGE_LIMITS, workFolder } from "./support/cli.mjs";
import { tarOf } from "./support/archives.mjs";
import { axeViolations } from "./support/axe.mjs";
import { chooseStdin, downloaded, drop, dropProgram, headline, openSite, openSiteUnder, PHONE, plainText, screenshot, siteFile, visit, WIDE } from "./support/page.mjs";
import { COPY, ECHO, ENDLESS, GREETING } from "./support/programs.mjs";

/** Says how long its input is by its exit code, and writes the input to out.txt. */
const KEEP = COPY.replace("copy.bin", "out.text");

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

/** The receipt of the run that has ended, as the page gives it. */
async function pageReceipt(page) {
  await page.click("#shareButton");
  const bytes = await downloaded(page, () => page.click("#saveReceipt"));
  await page.locator("#share").getByRole("button", { name: "Close" }).click();
  return bytes.toString();
}

/** The Verify view with these files added; `add` adds more. */
async function openVerify(page, files) {
  await page.click("#verifyButton");
  await drop(page, files);
  await page.locator(".verify-list > li").first().waitFor();
  const row = (name) => page.locator(".verify-list > li", { has: page.locator(".verify-name", { hasText: name }) });
  return {
    add: (more) => drop(page, more),
    row,
    badge: (name, text) => row(name).locator(".verdict-badge", { hasText: text }).waitFor(),
    line: (name) => row(name).locator(".verify-line").textContent(),
    /** For what is there only when all files have been read. */
    shows: (name, text) => row(name).locator(".verify-line", { hasText: text }).waitFor(),
    verify: () => page.click("#verify .primary"),
    summary: (text) => page.locator(".verify-sum", { hasText: text }).waitFor(),
  };
}

function cliReceipt(name, args, input = "") {
  const { status, stderr } = folder.verirun(["run", "--receipt", `${name}.json`, ...args], input);
  assert.notEqual(status, 2, stderr);
  return folder.read(`${name}.json`).toString();
}

test("the receipt of the page is that of the command line, byte for byte", async () => {
  const { page, done } = await visit(site);
  folder.write("keep.wat", KEEP);
  folder.write("in/big.bin", "some input of the program");
  await dropProgram(page, "keep.wat", KEEP);
  await drop(page, [{ name: "big.bin", bytes: "some input of the program" }]);
  await page.fill("#args", "one 'two words' é");
  await page.locator("#env").evaluate((field) => {
    field.value = "A=1\nLANG=x=y";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await chooseStdin(page, "text");
  await page.fill("#stdinText", "not read\n");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  const mine = await pageReceipt(page);
  folder.write("stdin", "not read\n");
  folder.write("root/big.bin", "some input of the program");
  const options = [...PAGE_LIMITS, "--env", "A=1", "--env", "LANG=x=y", "--stdin", "stdin"];
  // `--dir` would preopen under its own name; a tar at the root is what the page has.
  folder.write("root.tar", tarOf(["big.bin", "some input of the program"]));
  const theirs = cliReceipt("keep", [...options, "--mount-tar", "root.tar", "keep.wat", "one", "two words", "é"]);
  assert.equal(mine, theirs);
  folder.write("mine.json", mine);
  const verified = folder.verirun(["verify", "mine.json", "--module", "keep.wat", "--inputs", "root"]);
  assert.match(verified.stdout, /^VERIFIED/);
  await done();
});

test("on every engine, with or without suspension, it is the same receipt", async () => {
  const over = mkdtempSync(join(tmpdir(), "verirun-"));
  writeFileSync(join(over, "worker.js"), `delete WebAssembly.Suspending; delete WebAssembly.promising;\n${readFileSync(siteFile("worker.js"), "utf8")}`);
  const plainSite = await openSiteUnder(over);
  const receipts = new Set();
  for (const where of [site, plainSite]) {
    const { page, done } = await visit(where);
    await dropProgram(page, "greeting.wat", GREETING);
    await chooseStdin(page, "none");
    await page.locator("#engineFold > summary").click();
    for (const engine of ["interpreter", "browser", "both"]) {
      await page.selectOption("#engine", engine);
      await page.click("#run");
      await headline(page, "Exited with code 3");
      await page.locator('body[data-phase="idle"]').waitFor();
      receipts.add(await pageReceipt(page));
    }
    await done();
  }
  await plainSite.close();
  rmSync(over, { recursive: true });
  assert.equal(receipts.size, 1);
  folder.write("greeting.wat", GREETING);
  assert.equal([...receipts][0], cliReceipt("greeting", [...PAGE_LIMITS, "greeting.wat"]));
});

test("what was typed is in the receipt, and both verify it", async () => {
  const { page, done } = await visit(site);
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
  const receipt = await pageReceipt(page);
  const { given, receipt: inner } = JSON.parse(receipt);
  assert.equal(inner.task.stdin.kind, "live");
  assert.deepEqual(given.pushed.map(({ bytes }) => bytes ?? null), ["typed by hand\n", null]);
  folder.write("typed.json", receipt);
  folder.write("echo.wat", ECHO);
  assert.match(folder.verirun(["verify", "typed.json", "--module", "echo.wat"]).stdout, /^VERIFIED/);
  const view = await openVerify(page, [{ name: "typed.json", bytes: receipt }, { name: "echo.wat", bytes: ECHO }]);
  await view.badge("typed.json", "READY");
  await view.verify();
  await view.badge("typed.json", "VERIFIED");
  await done();
});

test("a run that was cancelled or did not happen has none, and the page says why", async () => {
  const { page, done } = await visit(site);
  const share = page.locator("#share");
  await page.click("#shareButton");
  await share.getByText("Nothing has run yet").waitFor();
  await share.getByRole("button", { name: "Close" }).click();
  await dropProgram(page, "endless.wat", ENDLESS);
  await page.click("#run");
  await headline(page, "Running");
  await page.click("#cancel");
  await headline(page, "Cancelled");
  await page.click("#shareButton");
  await share.getByText("Nothing has run yet").waitFor();
  assert.equal(await share.locator("#saveReceipt").count(), 0);
  await done();
});

test("the page verifies the command line's receipt, tells a false one, and asks for what is missing", async () => {
  const { page, done } = await visit(site);
  folder.write("keep.wat", KEEP);
  folder.write("dir/big.bin", "the real input");
  const receipt = cliReceipt("theirs", ["--dir", "dir::/", "keep.wat"]);
  const lie = forged(receipt, ({ receipt }) => (receipt.result.steps = "12"));
  const other = forged(receipt, ({ receipt }) => (receipt.result.files[0].sha256 = "0".repeat(64)));
  const view = await openVerify(page, [
    { name: "theirs.json", bytes: receipt },
    { name: "lie.json", bytes: lie },
    { name: "file.json", bytes: other },
  ]);
  await view.badge("theirs.json", "MISSING");
  assert.match(await view.line("theirs.json"), /module keep\.wat, input file big\.bin/);
  await view.verify();
  await view.badge("theirs.json", "CANNOT TELL");
  assert.match(await view.line("theirs.json"), /missing: module keep\.wat/);
  // They are found by their digests, whatever they are called.
  await view.add([{ name: "some-name.wat", bytes: KEEP }, { name: "other-name", bytes: "the real input" }]);
  await view.badge("theirs.json", "READY");
  await view.verify();
  await view.badge("theirs.json", "VERIFIED");
  await view.badge("lie.json", "MISMATCH");
  assert.match(await view.line("lie.json"), /steps: the receipt says 12, but this run had \d+/);
  await view.badge("file.json", "MISMATCH");
  assert.match(await view.line("file.json"), /file out\.text: the receipt says added, a file, 14 bytes with SHA-256 0000/);
  await view.summary("3 receipts: 1 verified, 2 different, 0 can’t be told");
  await done();
});

test("what a receipt does not show can be typed", async () => {
  const { page, done } = await visit(site);
  folder.write("keep.wat", KEEP);
  folder.write("dir/big.bin", "the real input");
  const envelope = JSON.parse(cliReceipt("theirs", ["--dir", "dir::/", "--env", "A=x y", "keep.wat", "two words"]));
  delete envelope.given.args;
  delete envelope.given.env;
  const view = await openVerify(page, [
    { name: "theirs.json", bytes: JSON.stringify(envelope) },
    { name: "keep.wat", bytes: KEEP },
    { name: "big.bin", bytes: "the real input" },
  ]);
  await view.badge("theirs.json", "MISSING");
  await view.shows("theirs.json", /^arguments, environment$/);
  const row = view.row("theirs.json");
  await row.getByLabel(/^Arguments/).fill("keep.wat 'other words'");
  await row.getByRole("button", { name: "Use these" }).first().click();
  await row.getByLabel(/^Environment/).fill("A=x y");
  await row.getByRole("button", { name: "Use these" }).click();
  await view.badge("theirs.json", "READY");
  await view.verify();
  await view.badge("theirs.json", "MISMATCH");
  assert.match(await view.line("theirs.json"), /^arguments: the receipt says 2 with digest/);
  await done();
});

test("a receipt is signed with a key of this browser, and the command line knows the signature", async () => {
  const { page, done } = await visit(site);
  folder.write("greeting.wat", GREETING);
  await dropProgram(page, "greeting.wat", GREETING);
  await chooseStdin(page, "none");
  await page.click("#run");
  await headline(page, "Exited with code 3");
  await page.click("#shareButton");
  await page.locator(".signing summary").click();
  await page.click("#makeKey");
  await page.click("#sign");
  const key = await page.locator(".signers code").textContent();
  const signed = (await downloaded(page, () => page.click("#saveReceipt"))).toString();
  const file = await downloaded(page, () => page.click("#saveKey"));
  const link = await page.inputValue("#shareLink");
  await page.locator("#share").getByRole("button", { name: "Close" }).click();
  assert.equal(JSON.parse(signed).signatures[0].key, key);
  folder.write("signed.json", signed);
  assert.match(folder.verirun(["verify", "signed.json", "--module", "greeting.wat", "--signer", key]).stdout, /^VERIFIED/);
  // The key file is that of `verirun keygen`, and a second signature by the same key is the same.
  folder.write("me.key", file);
  chmodSync(folder.at("me.key"), 0o600);
  folder.write("again.json", cliReceipt("again", [...PAGE_LIMITS, "greeting.wat"]));
  assert.equal(folder.verirun(["sign", "again.json", "--key", "me.key"]).status, 0);
  assert.equal(folder.read("again.json").toString(), signed);
  const wrong = JSON.parse(signed);
  wrong.signatures[0].signature = wrong.signatures[0].signature.replace(/^../, (pair) => (pair === "00" ? "01" : "00"));
  const view = await openVerify(page, [
    { name: "signed.json", bytes: signed },
    { name: "wrong.json", bytes: JSON.stringify(wrong) },
    { name: "greeting.wat", bytes: GREETING },
  ]);
  await view.badge("wrong.json", "READY");
  await view.verify();
  await view.badge("signed.json", "VERIFIED");
  await view.badge("wrong.json", "MISMATCH");
  assert.match(await view.line("wrong.json"), /^signature: the receipt says/);
  await done();
  // The link carries it; a key file brings the key to another browser.
  const other = await visit({ ...site, url: link });
  await other.page.click("#reviewRun");
  await other.page.locator('.receipt-line[data-tone="good"]', { hasText: "VERIFIED" }).waitFor();
  await other.page.click("#shareButton");
  await other.page.locator(".signing summary").click();
  await other.page.getByLabel("A key file").setInputFiles({ name: "me.key", mimeType: "application/json", buffer: file });
  await other.page.locator("#signKey").waitFor();
  await other.page.click("#sign");
  assert.equal(await other.page.locator("#share .signers code").textContent(), key);
  await other.page.getByLabel("A key file").setInputFiles({ name: "bad.key", mimeType: "application/json", buffer: Buffer.from("{}") });
  await other.page.locator('.signing [data-code="bad-key"]').waitFor();
  await other.done();
});

test("another module or input is a mismatch, and nothing runs", async () => {
  const { page, done } = await visit(site);
  folder.write("keep.wat", KEEP);
  folder.write("dir/big.bin", "the real input");
  const receipt = cliReceipt("theirs", ["--dir", "dir::/", "keep.wat"]);
  const module = await openVerify(page, [
    { name: "theirs.json", bytes: receipt },
    { name: "endless.wat", bytes: ENDLESS },
    { name: "big.bin", bytes: "the real input" },
  ]);
  await module.badge("theirs.json", "READY");
  await module.verify();
  await module.badge("theirs.json", "MISMATCH");
  assert.match(await module.line("theirs.json"), /^module: the receipt says .* but `keep\.wat` has/);
  await module.add([{ name: "keep.wat", bytes: KEEP }, { name: "big.bin", bytes: "another input" }]);
  await module.badge("theirs.json", "READY");
  await module.verify();
  await module.badge("theirs.json", "MISMATCH");
  assert.match(await module.line("theirs.json"), /^input file big\.bin: the receipt says 14 bytes/);
  await done();
});

test("a false receipt of an endless program is found out on every engine", async () => {
  const { page, done } = await visit(site);
  folder.write("endless.wat", ENDLESS);
  const receipt = forged(cliReceipt("endless", ["--gas", "100000", "endless.wat"]), ({ receipt }) => {
    receipt.task.limits.gas = "9223372036854775807";
    receipt.result.outcome = { kind: "exit", code: 0 };
  });
  const view = await openVerify(page, [{ name: "endless.json", bytes: receipt }, { name: "endless.wat", bytes: ENDLESS }]);
  await page.locator(".verify-options summary").click();
  for (const engine of ["interpreter", "browser"]) {
    await page.selectOption("#verifyEngine", engine);
    await view.badge("endless.json", "READY");
    await view.verify();
    await view.badge("endless.json", "MISMATCH");
    assert.match(await view.line("endless.json"), /steps: the receipt says 100000, but this run was stopped after/);
    await view.add([{ name: "nothing", bytes: engine }]);
  }
  await page.fill("#verifyMost", "50_000");
  await view.verify();
  await view.badge("endless.json", "CANNOT TELL");
  assert.match(await view.line("endless.json"), /it says that the run makes 100000 steps, and at most 50000/);
  await done();
});

test("many receipts: one line each, what was verified is kept, and the results are the command line's", async () => {
  const { page, done } = await visit(site);
  folder.write("echo.wat", ECHO);
  const files = [{ name: "echo.wat", bytes: ECHO }];
  for (let index = 10; index < 40; index++) {
    const name = `r${index}`;
    let text = cliReceipt(name, ["echo.wat"], `input ${index}`);
    if (index === 17) text = forged(text, ({ receipt }) => (receipt.result.outcome.code = 7));
    if (index === 23) text = text.slice(0, text.length / 2);
    folder.write(`many/${name}.json`, text);
    files.push({ name: `${name}.json`, bytes: text });
  }
  const view = await openVerify(page, files);
  await view.summary("30 receipts: 0 verified");
  await view.verify();
  await view.summary("30 receipts: 28 verified, 1 different, 1 can’t be told");
  const line = await view.line("r23.json");
  assert.match(line, /the receipt is no JSON as it should be/);
  const lines = (await downloaded(page, () => page.locator("#verify").getByRole("button", { name: "Results" }).click())).toString();
  folder.verirun(["verify", "many", "--module", "echo.wat", "--results", "results.jsonl"]);
  const sorted = (text) => text.trim().split("\n").map((line) => JSON.parse(line)).map((line) => ({ ...line, receipt: line.receipt.replace(/^many./, "") })).sort((a, b) => (a.receipt < b.receipt ? -1 : 1));
  const theirs = sorted(folder.read("results.jsonl").toString());
  // The digest of a file that is no receipt is not looked for here.
  assert.deepEqual(
    sorted(lines).map(({ receipt, id, verdict }) => ({ receipt, id, verdict })),
    theirs.map(({ receipt, id, verdict }) => ({ receipt, id, verdict })),
  );
  await screenshot(page, "verify-many");
  // Another visit of the same browser goes on where this one was.
  await page.reload();
  await page.locator('#program[data-state="good"]').waitFor();
  const later = await openVerify(page, files);
  await later.summary("30 receipts: 0 verified");
  await later.verify();
  await later.summary("30 receipts: 28 verified (28 of them earlier), 1 different, 1 can’t be told");
  await done();
});

test("a check that was stopped goes on, and a folder is as good as files", async () => {
  const { page, done } = await visit(site);
  folder.write("endless.wat", ENDLESS);
  mkdirSync(folder.at("slow/receipts"), { recursive: true });
  folder.write("slow/endless.wat", ENDLESS);
  for (let index = 0; index < 6; index++) {
    // Each a little longer than the one before, so that none is the same; and so long that not all are done before Stop.
    folder.write(`slow/receipts/${index}.json`, cliReceipt("slow", ["--gas", String(150_000_000 + index), "endless.wat"]));
  }
  await page.click("#verifyButton");
  await page.getByLabel("A folder of receipts").setInputFiles(folder.at("slow"));
  await page.locator(".verify-sum", { hasText: "6 receipts: 0 verified" }).waitFor();
  await page.locator("#verifyEngine").selectOption("interpreter", { force: true });
  await page.locator('.verify-list > li[data-verdict="ready"]').nth(5).waitFor();
  await page.click("#verify .primary");
  await page.locator('.verify-list > li[data-verdict="verified"]').first().waitFor();
  await page.locator("#verify").getByRole("button", { name: "Stop" }).click();
  await page.locator(".verify-sum", { hasText: "to check" }).waitFor();
  await page.locator('#verify .primary[aria-disabled="false"]').click();
  await page.locator(".verify-sum", { hasText: "6 receipts: 6 verified, 0 different" }).waitFor({ timeout: 60_000 });
  await done();
});

test("of an output file that came with the receipt the first different byte is told", async () => {
  const { page, done } = await visit(site);
  folder.write("keep.wat", KEEP);
  folder.write("dir/big.bin", "the real input");
  const promised = "uhe Real input";
  const lie = forged(cliReceipt("theirs", ["--dir", "dir::/", "keep.wat"]), ({ receipt }) => {
    receipt.result.files[0].sha256 = createHash("sha256").update(promised).digest("hex");
  });
  const view = await openVerify(page, [
    { name: "lie.json", bytes: lie },
    { name: "keep.wat", bytes: KEEP },
    { name: "big.bin", bytes: "the real input" },
    { name: "promised", bytes: promised },
  ]);
  await view.badge("lie.json", "READY");
  await view.verify();
  await view.badge("lie.json", "MISMATCH");
  assert.match(await view.line("lie.json"), /the first different byte is at offset 4: 0x52 in the receipt's file, 0x72 in this run's/);
  await done();
});

test("receipts that are none: each says what is wrong with it", async () => {
  const { page, done } = await visit(site);
  folder.write("echo.wat", ECHO);
  const good = cliReceipt("good", ["echo.wat"]);
  const edit = (from, to) => {
    assert.ok(good.includes(from), from);
    return good.replace(from, to);
  };
  const cases = [
    ["version.json", edit('"version": 1', '"version": 9'), /format version 9; this Verirun reads version 1/],
    ["twice.json", edit('"kind": "exit"', '"kind": "exit", "kind": "exit"'), /twice|duplicate/],
    ["type.json", edit('"steps": "', '"steps": 1, "stepz": "'), /field/],
    ["huge.json", edit('"steps": "', '"steps": "99999999999999999999'), /is no whole number from 0 to 9223372036854775807/],
    ["changed.json", edit('"code": 0', '"code": 1'), /was changed after it was made/],
    ["bad.vtask", "PK\x03\x04 and nothing more", /the package is damaged/],
    ["empty.vtask", "", /no JSON/],
  ];
  const view = await openVerify(page, cases.map(([name, bytes]) => ({ name, bytes })));
  for (const [name, , message] of cases) {
    await view.badge(name, "CANNOT TELL");
    assert.match(await view.line(name), message, name);
  }
  await done();
});

for (const theme of ["light", "dark"]) {
  for (const [device, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
    test(`${theme}, ${device}: the Verify view has no accessibility violation`, async () => {
      const phone = device === "phone";
      const { page, done } = await visit(site, { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, hasTouch: phone, isMobile: phone });
      folder.write("keep.wat", KEEP);
      folder.write("dir/big.bin", "the real input");
      const receipt = cliReceipt("theirs", ["--dir", "dir::/", "keep.wat", "an argument"]);
      await page.click("#verifyButton");
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `verify-empty-${device}-${theme}`);
      await page.locator("#verify").getByRole("button", { name: "Close" }).click();
      const lie = forged(receipt, ({ receipt }) => (receipt.result.steps = "12"));
      const view = await openVerify(page, [{ name: "theirs.json", bytes: receipt }]);
      await view.badge("theirs.json", "MISSING");
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `verify-missing-${device}-${theme}`);
      await view.add([{ name: "keep.wat", bytes: KEEP }, { name: "big.bin", bytes: "the real input" }, { name: "lie.json", bytes: lie }, { name: "cut.json", bytes: receipt.slice(0, 900) }]);
      await view.badge("lie.json", "READY");
      await view.verify();
      await view.summary("3 receipts: 1 verified, 1 different, 1 can’t be told");
      await view.row("lie.json").locator("summary").click();
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `verify-${device}-${theme}`);
      await done();
    });
  }
}
