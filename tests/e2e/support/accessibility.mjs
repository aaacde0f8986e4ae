/** What is checked of every view: axe-core finds nothing, and it fits the screen. */
import assert from "node:assert/strict";
import { axeViolations } from "./axe.mjs";

export async function checkAccessibility(page, what) {
  assert.deepEqual(await axeViolations(page), [], what);
}

export async function noSidewaysScroll(page) {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `the page is ${wide} wide on a screen of ${screen}`);
}
