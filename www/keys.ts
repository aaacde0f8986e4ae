/** Shortcuts, and the sheet that lists them. */
import { byId, make } from "./dom";

export interface Shortcut {
  /** As `KeyboardEvent.key` has it, in lower case; `mod` is Ctrl, or Command on Apple's keyboards. */
  key: string;
  mod?: boolean;
  shift?: boolean;
  about: string;
  act(): void;
}

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys that other things on the page listen to, so that the sheet has all. */
const MORE: readonly (readonly [string[], string])[] = [
  [["Ctrl", "D"], "In the terminal: end the input"],
  [["Ctrl", "C"], "In the terminal: cancel the run"],
  [["Enter"], "On a line between panes: fold it away, and back; arrows move it"],
];

export function modifierName(): string {
  return MAC ? "⌘" : "Ctrl";
}

export function setUpKeys(shortcuts: readonly Shortcut[]): void {
  const all: Shortcut[] = [
    ...shortcuts,
    { key: "f6", about: "Go on to the next section", act: () => nextSection(1) },
    { key: "f6", shift: true, about: "Go back to the section before", act: () => nextSection(-1) },
    { key: "?", about: "Show this list", act: () => showSheet(all) },
  ];
  document.addEventListener("keydown", (event) => {
    const shortcut = all.find((one) => fits(one, event));
    if (!shortcut || (event.key === "?" && types(event.target))) return;
    event.preventDefault();
    shortcut.act();
  });
  byId("help").addEventListener("click", () => showSheet(all));
}

function fits(shortcut: Shortcut, event: KeyboardEvent): boolean {
  if (event.key.toLowerCase() !== shortcut.key || event.altKey) return false;
  if ((event.ctrlKey || event.metaKey) !== (shortcut.mod ?? false)) return false;
  // Where `?` lies, and whether with Shift, is the keyboard's affair.
  return shortcut.key === "?" || event.shiftKey === (shortcut.shift ?? false);
}

/** Whether a letter typed there is text. */
function types(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** The sections of the page, as Tab would reach them. */
function nextSection(step: number): void {
  const sections = ["run", "setup", "result", "docs", "output"].map((id) => byId(id)).filter((one) => one.offsetParent !== null);
  const at = sections.findIndex((one) => one === document.activeElement || one.contains(document.activeElement));
  const next = sections[(at + step + sections.length) % sections.length];
  next?.focus();
}

function showSheet(shortcuts: readonly Shortcut[]): void {
  const dialog = byId<HTMLDialogElement>("sheet");
  const rows = [
    ...shortcuts.map(({ key, mod, shift, about }) => {
      const names = [mod ? modifierName() : "", shift ? "Shift" : "", keyName(key)];
      return [names.filter((name) => name !== ""), about] as const;
    }),
    ...MORE,
  ];
  dialog.replaceChildren(
    make("h2", { id: "sheetTitle" }, "Keyboard shortcuts"),
    make(
      "dl",
      { className: "shortcuts" },
      ...rows.flatMap(([keys, about]) => [make("dt", {}, ...keys.map((name) => make("kbd", {}, name))), make("dd", {}, about)]),
    ),
    make(
      "p",
      { className: "about" },
      make("a", { href: "./licenses.txt", target: "_blank" }, "What this site has of others, and its licences"),
    ),
    make("button", { type: "button", autofocus: true, on: { click: () => dialog.close() } }, "Close"),
  );
  if (!dialog.open) dialog.showModal();
}

function keyName(key: string): string {
  return key === "enter" ? "Enter" : key.toUpperCase();
}
