/** The element's shadow tree. No markup is parsed and no style attribute set, so that the strictest policies allow it. */
import { make } from "./make";
import css from "./wasm-task.css";

let sheet: CSSStyleSheet | null = null;

function styles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
  }
  return sheet;
}

const BADGES = { verified: "✓ Verified", mismatch: "✗ Differs from its receipt", "cannot-tell": "? Not verified" };

export class View {
  readonly frame: HTMLElement;
  readonly title = make("span", { part: "title" });
  readonly badge = make("span", { part: "badge", hidden: true });
  readonly run = make("button", { part: "button run", type: "button" }, "Run");
  readonly cancel = make("button", { part: "button cancel", type: "button", hidden: true }, "Stop");
  readonly output = make("pre", { part: "output", tabindex: "0", role: "log", "aria-label": "Output", hidden: true });
  readonly line = make("input", { part: "line", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "send" });
  readonly send = make("button", { part: "button send", type: "submit" }, "Send");
  readonly endInput = make("button", { part: "button end", type: "button", title: "Ctrl-D" }, "End input");
  readonly form: HTMLFormElement;
  readonly progress = make("progress", { part: "progress", max: "1", "aria-label": "Loading", hidden: true });
  readonly status = make("p", { part: "status", role: "status" });
  readonly preview = make("div", { part: "preview", hidden: true });
  readonly files = make("ul", { part: "files", "aria-label": "Files", hidden: true });

  constructor(root: ShadowRoot) {
    root.adoptedStyleSheets = [styles()];
    this.form = make("form", { part: "input", hidden: true }, make("label", {}, "Input ", this.line), this.send, this.endInput);
    const title = make("slot", { name: "title" }, this.title);
    this.frame = make(
      "section",
      { part: "frame" },
      make("header", { part: "bar" }, title, this.badge, this.run, this.cancel),
      this.#about(),
      this.output,
      this.form,
      this.progress,
      this.status,
      this.preview,
      this.files,
    );
    root.append(this.frame);
  }

  /** What stands in the element; without a gap where there is nothing. */
  #about(): HTMLElement {
    const slot = make("slot");
    const about = make("div", { part: "about", hidden: true }, slot);
    slot.addEventListener("slotchange", () => {
      about.hidden = !slot.assignedNodes().some(({ nodeType, textContent }) => nodeType === Node.ELEMENT_NODE || textContent?.trim());
    });
    return about;
  }

  /** What is said below; `hint` tells what to do about it. */
  say(tone: "idle" | "busy" | "good" | "bad" | "warn", text: string, hint = ""): void {
    this.frame.dataset["tone"] = tone;
    this.status.replaceChildren(text, ...(hint ? [make("span", { part: "hint" }, ` ${hint}`)] : []));
  }

  /** What comparing with the receipt came to. */
  showBadge(verdict: keyof typeof BADGES | null): void {
    this.badge.hidden = verdict === null;
    this.badge.dataset["verdict"] = verdict ?? "";
    this.badge.textContent = verdict && BADGES[verdict];
  }
}
