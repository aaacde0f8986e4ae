/** Packages, as the page makes them. */
import { COPY } from "./programs.mjs";
import { downloaded, drop, dropProgram, headline, openSite, visit } from "./page.mjs";

/** A task that copies a file, in a package with its receipt. */
export async function packedCopy() {
  const site = await openSite();
  try {
    const { page, done } = await visit(site);
    await dropProgram(page, "copy.wat", COPY);
    await drop(page, [{ name: "big.bin", bytes: "in the package" }]);
    await page.locator("#inputs", { hasText: "big.bin" }).waitFor();
    await page.click("#run");
    await headline(page, "Finished with exit code 0");
    await page.click("#shareButton");
    const bytes = await downloaded(page, () => page.click("#savePackage"));
    await done();
    return bytes;
  } finally {
    await site.close();
  }
}
