/** Limits, clock and random bytes as the page's fields set them, and what it shows of their use. The programs and the
 * figures are those of the golden runs, so what the page shows is what is found natively. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { downloaded, dropProgram, headline, openSite, screenshot, visit } from "./support/page.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cases = JSON.parse(readFileSync(join(root, "tests/golden/traces.json"), "utf8"));
const program = (name) => readFileSync(join(root, `tests/golden/${name}.wat`), "utf8");
/** Digits alone: figures are grouped by narrow spaces. */
const digits = (text) => text.replaceAll(/\D/g, "");

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

/** What is shown of a limit: its share, the meter, the figure, and the exact figure in its tooltip. */
function used(page, key) {
  return page.evaluate((key) => {
    const cell = document.getElementById(`used-${key}`).parentElement;
    const meter = cell.querySelector("meter");
    const figure = cell.querySelector(".use span");
    const share = cell.querySelector(".share").textContent.replace("\u00a0", " ");
    return { share, meter: meter.hidden ? null : meter.value, figure: figure.textContent, exact: figure.title };
  }, key);
}

async function openFields(page) {
  await page.locator("#limitsFold summary").click();
  await page.locator("#profileFold summary").click();
}

const STATS = {
  gas: "steps",
  call: "peakCallDepth",
  frame: "peakFrameBytes",
  memory: "peakMemoryPages",
  outputBytes: "outputBytes",
  fileBytes: "fileBytes",
};

for (const [name, key, end, advice] of [
  ["out of gas", "gas", "Out of gas", /in function \d+.* raise the gas limit/],
  ["too deep", "call", "Calls nested too deeply", /in `(small|large)`.* raise the call limit/],
  ["frames too large", "frame", "Frames too large", /in `(small|large)`.* raise the frame limit/],
  ["too much memory", "memory", "Out of memory", /in function \d+.* raise the memory limit/],
  ["too much output", "outputBytes", "Too much output", /raise the output limit/],
  ["files too large", "fileBytes", "Files too large", /raise the file limit/],
]) {
  test(`a limit that is passed: ${name}`, async () => {
    const { page, done } = await visit(site);
    const { module, args = [], limits, expect } = cases.find((one) => one.name === name);
    await dropProgram(page, module.split("/").at(-1), readFileSync(join(root, module), "utf8"));
    await openFields(page);
    await page.fill("#args", args.join(" "));
    await page.fill(`#limit-${key}`, limits[key]);
    await page.click("#run");
    await headline(page, end);
    const said = await page.locator("#advice").textContent();
    assert.match(said, advice);
    assert.equal(digits(said.match(/Stopped after (.*) steps/)[1]), String(expect.stats.steps));
    for (const [key, figure] of Object.entries(STATS)) {
      const shown = await used(page, key);
      const limit = limits[key];
      const [count, of] = shown.exact.split(" of ");
      assert.equal(digits(count), String(expect.stats[figure]), `${key}: ${shown.exact}`);
      assert.equal(shown.meter === null, of === undefined, `${key}: a meter only where there is a limit`);
      if (limit === undefined) continue;
      assert.equal(digits(of), limit);
      assert.ok(Math.abs(shown.meter - expect.stats[figure] / Number(limit)) < 1e-9, JSON.stringify(shown));
      assert.ok(shown.meter > 0.8, JSON.stringify(shown));
      assert.equal(shown.share, `${Math.floor(shown.meter * 100)} %`);
    }
    assert.equal(digits(await page.locator("#statSteps").textContent()), String(expect.stats.steps));
    await screenshot(page, `budget-${key}`);
    await done();
  });
}

test("a limit that can't be one is named, and nothing runs", async () => {
  const { page, done } = await visit(site);
  await openFields(page);
  for (const [key, label] of [
    ["gas", "Gas"],
    ["call", "Calls"],
    ["frame", "Frame"],
    ["memory", "Memory"],
    ["outputBytes", "Output"],
    ["fileBytes", "Files"],
  ]) {
    for (const [value, problem] of [
      ["-1", "must be a whole number"],
      ["1.5", "must be a whole number"],
      ["ten", "must be a whole number"],
      ["9223372036854775808", "can be at most"],
    ]) {
      await page.fill(`#limit-${key}`, value);
      await page.click("#run");
      await page.locator('.alert[data-code="bad-field"] .alert-message', { hasText: `${label} ${problem}` }).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.id), `limit-${key}`);
      assert.equal(await page.getAttribute(`#limit-${key}`, "aria-invalid"), "true");
    }
    await page.fill(`#limit-${key}`, "");
  }
  await headline(page, "It did not start");
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await done();
});

test("clock, source of random bytes and seed reach the program", async () => {
  const { page, done } = await visit(site);
  await openFields(page);
  const run = async () => {
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
    return downloaded(page, () => page.click("#saveOut"));
  };
  await dropProgram(page, "random.wat", program("random"));
  const zero = await run();
  // ChaCha20 with a key of zeros, RFC 8439: 76b8e0ad a0f13d90 40…; the program asks for 1, 2, 3 … bytes.
  assert.equal(zero.subarray(0, 4).toString("hex"), "76a0f140");
  await page.fill("#seed", " 2A ");
  const seeded = await run();
  assert.notDeepEqual(seeded, zero);
  await page.fill("#seed", "02a");
  assert.deepEqual(await run(), seeded);
  await page.selectOption("#random", "truebit-v1");
  assert.equal(await page.isDisabled("#seed"), true);
  assert.deepEqual(await run(), Buffer.alloc(5050, 42));
  await page.selectOption("#random", "seeded");
  await page.fill("#seed", "0x2a");
  await page.click("#run");
  await page.locator('.alert[data-code="bad-field"]', { hasText: "Seed must be a hexadecimal number" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "seed");
  await page.fill("#seed", "");
  // The second reading of the wall clock, after some work: at 1 ns a step it has moved.
  await dropProgram(page, "time.wat", program("time"));
  const wall = async () => (await run()).readBigUInt64LE(5 * 8);
  assert.equal(await wall(), 100_000_000_000n);
  await page.selectOption("#clock", "virtual");
  assert.ok((await wall()) > 100_000_000_000n);
  await page.locator("#profileSum", { hasText: "virtual" }).waitFor();
  await done();
});

test("while a program runs its figures move and nothing else does; they stay after it", { timeout: 60_000 }, async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "endless.wat", program("endless"));
  await openFields(page);
  await page.fill("#limit-gas", "9223372036854775807");
  const places = () =>
    page.evaluate(() =>
      ["runbar", "buttons", "stats", "budget", "output"].map((name) => {
        const { x, y, width, height } = document.querySelector(`.${name}, #${name}`).getBoundingClientRect();
        return [name, x, y, name === "stats" ? 0 : width, height];
      }),
    );
  const before = await places();
  await page.click("#run");
  const figures = new Set();
  while (figures.size < 4) {
    const { figure } = await used(page, "gas");
    if (/ of 9\.22/.test(figure)) figures.add(figure);
    assert.deepEqual(await places(), before);
  }
  await page.waitForFunction(() => document.getElementById("statSpeed").textContent !== "–");
  assert.deepEqual(await places(), before);
  await page.click("#cancel");
  await headline(page, "Cancelled");
  const last = await used(page, "gas");
  assert.match(last.figure, /^[\d\u202f]+ of 9\.22/);
  assert.equal(digits(last.exact.split(" of ")[0]), digits(await page.locator("#statSteps").textContent()));
  assert.deepEqual(await places(), before);
  await done();
});

test("a long run that crashes is made again, says so, and ends with the exact count", async () => {
  const { page, done } = await visit(site);
  const countdown = (rounds) => `(module (memory (export "memory") 1)
    (func $work (export "_start") (local $left i32) (local.set $left (i32.const ${rounds}))
      (loop $next
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br_if $next (local.get $left)))
      unreachable))`;
  // `auto` would move it to the browser's engine, which finds the place before anything shows.
  await page.locator("#engineFold summary").click();
  await page.selectOption("#engine", "interpreter");
  const steps = async (rounds, long) => {
    await dropProgram(page, `rounds${rounds}.wat`, countdown(rounds));
    await page.click("#run");
    if (long) await headline(page, "Finding the exact place");
    await page.locator("#headline", { hasText: "Crashed" }).waitFor({ timeout: 120_000 });
    assert.match(await page.locator("#headline").textContent(), /in `work`$/);
    return Number(digits(await page.locator("#statSteps").textContent()));
  };
  const [ten, twenty] = [await steps(10), await steps(20)];
  const each = (twenty - ten) / 10;
  assert.ok(each >= 4, `${each} steps a round`);
  assert.equal(await steps(100_000_000, true), ten + each * (100_000_000 - 10));
  await done();
});
