/** Hands bytes to the user: as a file, or on the clipboard. */

export function saveAs(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has taken the blob by then; without this its memory would stay.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Shows on the button itself whether copying worked. */
export async function copyText(button: HTMLElement, text: Promise<string>): Promise<void> {
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(await text);
  } catch {
    said = "Copy failed";
  }
  const label = button.querySelector(".label") ?? button;
  const before = button.dataset["label"] ?? label.textContent ?? "";
  button.dataset["label"] = before;
  label.textContent = said;
  setTimeout(() => {
    label.textContent = before;
  }, 1500);
}
