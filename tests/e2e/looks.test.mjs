/** Accessibility and layout: axe-core on the main views, both themes, wide and phone; screenshots to target/screens. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS, noSidewaysScroll } from "./support/accessibility.mjs";
import { dropProgram, chooseStdin, headline, openSite, screenshot, visit } from "./support/page.mjs";
import { ECHO } from "./support/programs.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

for (const { name, phone, options } of LOOKS) {
  test(`${name}: no accessibility violation before, during and after a run`, async () => {
    const { page, done } = await visit(site, options);
    await checkAccessibility(page, "before");
    await noSidewaysScroll(page);
    await screenshot(page, `${name}-setup`);
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
    await page.locator(".xterm-rows", { hasText: /\w/ }).waitFor();
    await checkAccessibility(page, "after");
    await screenshot(page, `${name}-output`);
    if (phone) await page.click('.sections [data-view="setup"]');
    await page.selectOption("#sample", "fibonacci");
    await page.locator("#program strong", { hasText: "fibonacci" }).waitFor();
    await page.click("#run");
    await page.locator('#tree [data-path="output.txt"]').waitFor({ state: "attached" });
    if (phone) await page.click('.sections [data-view="result"]');
    await checkAccessibility(page, "files");
    await screenshot(page, `${name}-files`);
    if (phone) await page.click('.sections [data-view="setup"]');
    await dropProgram(page, "echo.wat", ECHO);
    await chooseStdin(page, "live");
    await page.click("#run");
    await headline(page, "Waiting for input");
    await checkAccessibility(page, "waiting");
    await screenshot(page, `${name}-waiting`);
    await page.click("#cancel");
    await headline(page, "Cancelled");
    await noSidewaysScroll(page);
    await done();
  });
}

test("the theme button goes round: as the system, light, dark", async () => {
  const { page, done } = await visit(site, { colorScheme: "dark" });
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.click("#theme");
  const light = await ground();
  assert.notEqual(light, dark);
  await page.reload();
  await page.locator('#program[data-state="good"]').waitFor();
  assert.equal(await ground(), light, "the choice is remembered");
  await page.click("#theme");
  assert.equal(await ground(), dark);
  await done();
});
