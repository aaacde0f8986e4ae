/** The story of a wrong result: computed in the page, and the place that it finds is where the fault was made. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeViolations } from "./support/axe.mjs";
import { openSite, PHONE, screenshot, visit, WIDE } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

const digits = (text) => text.replaceAll("\u202f", "");

for (const theme of ["light", "dark"]) {
  for (const [device, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
    test(`${theme}, ${device}: the story plays, finds the fault, and has no accessibility violation`, async () => {
      const phone = device === "phone";
      const options = { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, hasTouch: phone, isMobile: phone };
      const { page, done } = await visit({ ...site, url: `${site.url}#story` }, options);
      page.setDefaultTimeout(120_000);
      const story = page.locator("#story");
      await story.waitFor();
      assert.deepEqual(await axeViolations(page), []);
      await page.click("#storyPlay");
      await story.getByRole("heading", { name: "Found", exact: true }).waitFor();
      const text = digits(await story.textContent());
      const printed = await story.locator(".summary dd code").allTextContents();
      assert.equal(printed[0], "242280");
      assert.notEqual(printed[2], printed[0], "the fault changes what is printed");
      const [, from, to, place] = /The runs part after step (\d+) and before step (\d+) (.*?)\./.exec(text);
      // It is made at the first stop behind step 9000000, a few operators at most.
      assert.ok(Number(to) >= 9_000_000 && Number(from) < 9_001_000 && Number(to) - Number(from) < 1000, `${from} to ${to}`);
      assert.match(place, /^in (sieve|count)/);
      assert.match(text, /the word of memory at address 5000/);
      assert.match(text, /They differ in bit 0\./);
      assert.match(text, /Pass 2/);
      assert.deepEqual(await axeViolations(page), []);
      await screenshot(page, `story-${device}-${theme}`);
      await story.getByRole("button", { name: "Close" }).click();
      await done();
    });
  }
}

test("closing the story stops it, and it can be played again", async () => {
  const { page, done } = await visit(site);
  await page.click("#verifyButton");
  await page.click("#storyButton");
  await page.click("#storyPlay");
  await page.locator("#story [role=status]", { hasText: "machine runs it" }).waitFor();
  await page.locator("#story").getByRole("button", { name: "Close" }).click();
  await page.click("#storyButton");
  const play = page.locator("#storyPlay:enabled");
  await play.waitFor();
  assert.equal(await page.locator('#story [role="alert"]').count(), 0);
  await play.click();
  await page.locator("#story").getByRole("heading", { name: "A task", exact: true }).waitFor({ timeout: 60_000 });
  await done();
});
