/** The calls of a run, and which functions made its steps, as the page shows them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS } from "./support/accessibility.mjs";
import { dropProgram, headline, openSite, screenshot, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const digits = (text) => Number(text.replaceAll(/\D/g, ""));
const show = (page, view) => page.locator(`input[name="outputView"][value="${view}"]`).check({ force: true });

test("calls are recorded when that is asked for, with arguments, results and the step; and filtered", async () => {
  const { page, done } = await visit(site);
  await page.selectOption("#sample", "tour");
  await page.locator("#program strong", { hasText: "tour" }).waitFor();
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  const steps = digits(await page.textContent("#statSteps"));
  await show(page, "calls");
  await page.getByRole("button", { name: "Record and run" }).click();
  const rows = page.locator("#callsView .virtual-rows .call");
  await rows.first().waitFor();
  assert.equal(digits(await page.textContent("#statSteps")), steps, "the same run again");
  const sum = page.locator("#callsView .sum");
  const all = digits(await sum.textContent());
  assert.ok(all > 50, `${all} calls`);
  // Only what is in view exists.
  assert.ok((await rows.count()) < all, "the list is virtual");
  const cells = (row) => row.locator("span").allTextContents();
  const [number, step] = await cells(rows.first());
  assert.equal(number, "0");
  assert.ok(digits(step) >= 0);
  await page.selectOption("#callFilter", "path_open");
  const opened = digits(await sum.textContent());
  assert.ok(opened > 0 && opened < all);
  for (const row of await rows.all()) assert.equal((await cells(row))[2], "path_open");
  await page.check("#callErrors");
  const failed = await rows.all();
  for (const row of failed) assert.match((await cells(row))[4], /\(\d+\)$/);
  await page.uncheck("#callErrors");
  const [, , , text] = await cells(rows.first());
  const path = /"([^"]+)"/.exec(text)[1];
  await page.fill("#callSearch", path);
  assert.ok(digits(await sum.textContent()) >= 1);
  await page.fill("#callSearch", "no call has this");
  assert.equal(digits(await sum.textContent()), 0);
  await done();
});

test("the end of a long list is reached by scrolling", async () => {
  const { page, done } = await visit(site);
  await page.locator("#watch-calls").evaluate((box) => box.click());
  await dropProgram(
    page,
    "many.wat",
    `(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32))) (memory (export "memory") 1)
      (func (export "_start") (local i32)
        (loop $again (drop (call $yield)) (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get 0) (i32.const 50000))))))`,
  );
  await page.click("#run");
  await headline(page, "Finished with exit code 0");
  await show(page, "calls");
  const list = page.locator("#callsView .virtual");
  await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await list.getByText(/^49\u202f999$/).waitFor();
  await page.locator("#callsView .sum", { hasText: /10\u202f000 in the middle/ }).waitFor();
  await done();
});

const WORK = `(module (memory (export "memory") 1)
  (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $loops (param i32) (local i32)
    (loop $again (local.set 1 (call $leaf (local.get 1))) (br_if $again (i32.lt_u (local.get 1) (local.get 0)))))
  (func $main (export "_start") (call $loops (i32.const 1000)) (call $loops (i32.const 10))))`;

test("the steps of each function add up to those of the run", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "work.wat", WORK);
  await show(page, "profile");
  await page.getByRole("button", { name: "Profile and run" }).click();
  await headline(page, "Finished with exit code 0");
  const rows = page.locator("#profileTable tbody tr");
  await rows.first().waitFor();
  const table = await rows.evaluateAll((all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const own = Object.fromEntries(table.map(([name, steps, , , calls]) => [name, [digits(steps), digits(calls)]]));
  assert.deepEqual(own, { loops: [7070, 2], leaf: [3030, 1010], main: [4, 1] });
  const sum = Object.values(own).reduce((total, [steps]) => total + steps, 0);
  assert.equal(sum, digits(await page.textContent("#statSteps")));
  const frames = await page.locator(".flame .frame").evaluateAll((all) => all.map((frame) => [frame.dataset.row, frame.getAttribute("aria-label").split(":")[0], frame.style.width]));
  assert.deepEqual(frames.map(([row, name]) => [row, name]), [["0", "all"], ["1", "main"], ["2", "loops"], ["3", "leaf"]]);
  await page.locator(".flame .frame", { hasText: "loops" }).focus();
  await page.keyboard.press("Enter");
  await page.locator(".flame-note", { hasText: /^loops: 10\u202f100 steps/ }).waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await page.locator(".flame-note", { hasText: /^all: 10\u202f104 steps/ }).waitFor();
  await done();
});

test("a limit is told with its step and function", async () => {
  const { page, done } = await visit(site);
  await dropProgram(page, "spin.wat", '(module (memory (export "memory") 1) (func $parse_header (export "_start") (loop $l (br $l))))');
  await page.locator("#limitsFold summary").click();
  await page.fill("#limit-gas", "5000");
  await page.click("#run");
  await page.locator("#headline", { hasText: /^Out of gas at step 5\u202f000 in `parse_header`$/ }).waitFor();
  await done();
});

for (const { name, phone, options } of LOOKS) {
  test(`${name}: calls and steps have no accessibility violation`, async () => {
    const { page, done } = await visit(site, options);
    await page.selectOption("#sample", "tour");
    await page.locator("#program strong", { hasText: "tour" }).waitFor();
    await page.locator("#watch-calls").evaluate((box) => box.click());
    await page.locator("#watch-profile").evaluate((box) => box.click());
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
    if (phone) await page.click('.sections [data-view="output"]');
    await show(page, "calls");
    await page.locator("#callsView .virtual-rows .call").first().waitFor();
    await checkAccessibility(page, "calls");
    await screenshot(page, `${name}-calls`);
    await show(page, "profile");
    await page.locator("#profileTable tbody tr").first().waitFor();
    await checkAccessibility(page, "steps");
    await screenshot(page, `${name}-steps`);
    await done();
  });
}
