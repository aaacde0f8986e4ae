/** The licences of what is published with the site. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { checkAccessibility, LOOKS } from "./support/accessibility.mjs";
import { openSite, screenshot, siteFile, visit } from "./support/page.mjs";

let site;
before(async () => {
  site = await openSite();
});
after(() => site?.close());

test("what is compiled or bundled into the site is named with its licence, and the texts are there", () => {
  const text = readFileSync(siteFile("licenses.txt"), "utf8");
  // Of the runtime, of both interpreters, of the page, and what compilers put into every module.
  for (const name of ["wasmi 2", "rquickjs-sys ", "rustpython-vm ", "@codemirror/view ", "@xterm/xterm ", "fflate ", "Rust's standard library"]) {
    assert.ok(text.split("\n").some((line) => line.startsWith(name)), name);
  }
  for (const words of ["Permission is hereby granted, free of charge", "Apache License", "Fabrice Bellard", "PYTHON SOFTWARE FOUNDATION LICENSE", "GNU LESSER GENERAL PUBLIC LICENSE"]) {
    assert.ok(text.includes(words), words);
  }
  assert.doesNotMatch(text, /^(?:proptest|playwright-core|typescript|wasmtime) /m, "what only builds or tests it is not in it");
});

for (const { name, options } of LOOKS) {
  test(`${name}: the help leads to them`, async () => {
    const { page, done } = await visit(site, options);
    await page.locator("body").press("?");
    const link = page.locator("#sheet").getByRole("link", { name: "licences" });
    await link.waitFor();
    await checkAccessibility(page, "the help");
    await screenshot(page, `${name}-help`);
    const [opened] = await Promise.all([page.waitForEvent("popup"), link.click()]);
    await opened.getByText("What Verirun's site has of others").waitFor();
    await done();
  });
}
