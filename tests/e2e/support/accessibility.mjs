/** What is checked of every view: axe-core finds nothing, and it fits the screen. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** The page's security policy must not be in force (`bypassCSP`): it keeps axe out. */
export async function checkAccessibility(page, what) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("; ")}`);
  assert.deepEqual(found, [], what);
}

export async function noSidewaysScroll(page) {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `the page is ${wide} wide on a screen of ${screen}`);
}
