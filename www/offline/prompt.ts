/** The bar that offers a new version. It waits for as long as it takes: only the user reloads the page. */
export class UpdatePrompt {
  #bar: HTMLElement | null = null;

  show(text: string, label: string, update: () => void): void {
    this.#bar?.remove();
    const bar = document.createElement("div");
    bar.className = "update";
    bar.setAttribute("role", "status");
    const words = document.createElement("p");
    words.textContent = text;
    const yes = document.createElement("button");
    yes.type = "button";
    yes.className = "primary";
    yes.textContent = label;
    yes.addEventListener("click", () => {
      yes.disabled = true;
      yes.textContent = "Updating…";
      update();
    });
    const later = document.createElement("button");
    later.type = "button";
    later.textContent = "Later";
    later.addEventListener("click", () => bar.remove());
    bar.append(words, yes, later);
    document.body.append(bar);
    this.#bar = bar;
  }
}
