/** Light and dark: the system's choice unless the user made one. */
import { byId } from "./dom";
import { remember, remembered } from "./remembered";

export type Theme = "system" | "light" | "dark";

const ORDER: readonly Theme[] = ["system", "light", "dark"];
const LABELS: Record<Theme, string> = { system: "as the system", light: "light", dark: "dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

export function storedTheme(): Theme {
  const stored = remembered("theme");
  return ORDER.find((theme) => theme === stored) ?? "system";
}

export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

/** Wires the button; `changed` is told whether it is dark now, and whenever that changes. */
export function setUpTheme(changed: (dark: boolean) => void): void {
  const button = byId<HTMLButtonElement>("theme");
  let theme = storedTheme();
  const apply = (): void => {
    applyTheme(theme);
    button.dataset["theme"] = theme;
    const name = `Theme: ${LABELS[theme]}`;
    button.setAttribute("aria-label", name);
    button.title = name;
    changed(theme === "dark" || (theme === "system" && system.matches));
  };
  button.addEventListener("click", () => {
    theme = ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] as Theme;
    remember("theme", theme);
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}
