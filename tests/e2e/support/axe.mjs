/** axe-core on what a page shows now. The page's own security policy keeps it out: visit with `bypassCSP`. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What it finds, in words; without anything the list is empty. */
export async function axeViolations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("; ")}`);
}

export async function checkAccessibility(page, what) {
  assert.deepEqual(await axeViolations(page), [], what);
}

export async function noSidewaysScroll(page) {
  const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
  assert.ok(wide <= screen, `the page is ${wide} wide on a screen of ${screen}`);
}

/** Themes and sizes of screen that every view is looked at in. */
export const LOOKS = ["light", "dark"].flatMap((theme) =>
  [
    ["wide", { width: 1280, height: 800 }],
    ["phone", { width: 390, height: 844 }],
  ].map(([device, viewport]) => {
    const phone = device === "phone";
    // Without motion, so that no colour is looked at half way to another.
    const options = { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, hasTouch: phone, isMobile: phone };
    return { name: `${device}-${theme}`, phone, options };
  }),
);
