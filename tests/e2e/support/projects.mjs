/** What tests do with the page's projects. */

export const saved = (page) => page.locator('#saveState[data-state="saved"]').waitFor();
export const ready = (page) => page.locator('#program[data-state="good"]').waitFor();
export const content = (page) => page.locator("#docs .doc:not([hidden]) .cm-content");

/** Begins a program in the text format, with a comment. */
export async function writeProgram(page, text) {
  await page.click("#writeWat");
  await type(page, text, "Home");
  await saved(page);
  await ready(page);
}

/** Adds a comment to the program, at its begin or end. */
export async function type(page, text, where = "End") {
  await content(page).click();
  await page.keyboard.press(`Control+${where}`);
  await page.keyboard.insertText(where === "Home" ? `;; ${text}\n` : `\n;; ${text}`);
}

export async function openList(page) {
  await page.click("#projectButton");
  await page.locator("#projects[open] .project-list li").first().waitFor();
}
export const rows = (page) => page.locator("#projects .project-list .path");
