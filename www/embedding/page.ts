/** The live page of docs/embedding.md: runs its examples of the API. */

type Example = (console: { log(...what: unknown[]): void }) => Promise<void>;

const shown = (what: unknown): string => (typeof what === "string" ? what : (JSON.stringify(what) ?? String(what)));

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-example]")) {
  const said = button.closest(".live")?.querySelector<HTMLElement>(".said");
  if (!said) continue;
  const say = (text: string): void => {
    said.hidden = false;
    said.append(`${text}\n`);
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    said.replaceChildren();
    try {
      const address = new URL(button.dataset["example"] ?? "", document.baseURI).href;
      const { default: example } = (await import(address)) as { default: Example };
      await example({ log: (...what) => say(what.map(shown).join(" ")) });
    } catch (error) {
      const { message, hint } = error as { message?: string; hint?: string };
      say([message ?? String(error), hint].filter(Boolean).join(" "));
    } finally {
      button.disabled = false;
    }
  });
}
