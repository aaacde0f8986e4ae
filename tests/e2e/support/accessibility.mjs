/** What is checked of every view: axe-core finds nothing, and it fits the screen. */
import assert from "node:assert/strict";
import { axeViolations } from "./axe.mjs";
import { PHONE, WIDE } from "./page.mjs";

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
    ["wide", WIDE],
    ["phone", PHONE],
  ].map(([device, viewport]) => {
    const phone = device === "phone";
    // Without motion, so that no colour is looked at half way to another.
    const options = { viewport, colorScheme: theme, reducedMotion: "reduce", bypassCSP: true, hasTouch: phone, isMobile: phone };
    return { name: `${device}-${theme}`, phone, options };
  }),
);
