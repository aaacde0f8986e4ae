/** axe-core on what a page shows now. The page's own security policy keeps it out: visit with `bypassCSP`. */
import { createRequire } from "node:module";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What it finds, in words; without anything the list is empty. */
export async function axeViolations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join("; ")}`);
}
