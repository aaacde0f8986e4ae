/** Shows what a link or a package would run, before anything of it does. */
import { icon, make } from "../dom";
import { bytes } from "../format";
import { summaryOfManifest, summaryView } from "../receipt/summary";
import type { ReadReceipt, Unpacked } from "../receipt/types";
import { problemView } from "./problemview";
import { signersView } from "./signing";

export interface ReviewEvents {
  /** The user agreed. Rejects with why it can't be done; the dialog shows that and stays. */
  accept(run: boolean, module: File | null, progress: (done: number, total: number) => void): Promise<void>;
  /** The user closed it: nothing more of it is wanted. */
  closed(): void;
}

export interface Opening {
  /** `a link`, or the package's name. */
  from: string;
  /** Whether something of the user's is set up that this would replace. */
  replaces: boolean;
  read: Promise<{ unpacked: Unpacked; receipt: ReadReceipt | null }>;
}

export class Review {
  readonly #dialog = make("dialog", { className: "share review", id: "review", attrs: { "aria-labelledby": "reviewTitle" } });
  readonly #events: ReviewEvents;
  /** The newest opening wins over one that still loads. */
  #number = 0;

  constructor(events: ReviewEvents) {
    this.#events = events;
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("close", () => {
      // It may be open again, for something newer.
      if (!this.#dialog.open) this.#events.closed();
    });
  }

  /** Opens the dialog; comes back when it shows what there is, or why there is nothing. */
  async show(opening: Opening): Promise<void> {
    this.#number += 1;
    const mine = this.#number;
    this.#fill(opening, make("p", { attrs: { role: "status" } }, "Reading it…"));
    if (!this.#dialog.open) this.#dialog.showModal();
    try {
      const { unpacked, receipt } = await opening.read;
      if (mine === this.#number) this.#show(opening, unpacked, receipt);
    } catch (error) {
      if (mine === this.#number) this.#fill(opening, problemView(error));
    }
  }

  #fill({ from }: Opening, ...content: Node[]): void {
    this.#dialog.replaceChildren(
      make("h2", { id: "reviewTitle" }, `A task from ${from}`),
      ...content,
      make("div", { className: "row end" }, this.#closing("Close")),
    );
  }

  #closing(text: string): HTMLButtonElement {
    return make("button", { type: "button", on: { click: () => this.#dialog.close() } }, text);
  }

  #show(opening: Opening, unpacked: Unpacked, receipt: ReadReceipt | null): void {
    const { manifest, url = null } = unpacked;
    const problem = make("div", {});
    const progress = make("progress", { max: 1, hidden: true, attrs: { "aria-label": "Fetching the module" } });
    const what = [url === null ? null : "fetch", opening.replaces ? "replace what is set up" : null, "run", receipt ? "verify" : null].filter((part) => part !== null);
    const buttons: HTMLButtonElement[] = [];
    const act = async (run: boolean, module: File | null): Promise<void> => {
      const mine = this.#number;
      problem.replaceChildren();
      for (const button of buttons) button.disabled = true;
      try {
        await this.#events.accept(run, module, (done, total) => {
          progress.hidden = false;
          progress.value = total > 0 ? done / total : 0;
        });
        if (mine === this.#number) this.#dialog.close();
      } catch (error) {
        problem.replaceChildren(problemView(error));
      } finally {
        progress.hidden = true;
        for (const button of buttons) button.disabled = false;
      }
    };
    const run = make("button", { type: "button", className: "primary", id: "reviewRun", on: { click: () => void act(true, null) } }, icon("play"), ` ${sentence(what)}`);
    const setUp = make("button", { type: "button", id: "reviewSetUp", on: { click: () => void act(false, null) } }, "Set up only");
    const picker = make("input", { type: "file", hidden: true, attrs: { "aria-label": "The module" } });
    picker.addEventListener("change", () => {
      const [file] = picker.files ?? [];
      picker.value = "";
      if (file) void act(true, file);
    });
    const own = make("button", { type: "button", on: { click: () => picker.click() } }, "Take the module from a file…");
    buttons.push(run, setUp, own);
    this.#dialog.replaceChildren(
      make("h2", { id: "reviewTitle" }, `A task from ${opening.from}`),
      make("p", { className: "about" }, "Nothing of it has run. It runs in this page, and reaches no file of yours and no network."),
      summaryView(summaryOfManifest(manifest, url, receipt?.receipt.result ?? null)),
      receipt && receipt.signers.length > 0 ? signersView(receipt.signers) : "",
      url === null ? "" : make("p", { className: "about" }, `The module (${bytes(Number(manifest.module.size))}) is fetched from that address when you agree; its server sees that. It is used only if its digest is right.`),
      opening.replaces ? make("p", { className: "replaces" }, "This takes the place of what you have set up now.") : "",
      problem,
      progress,
      make("div", { className: "row end" }, ...(url === null ? [] : [own, picker]), this.#closing("Cancel"), setUp, run),
    );
    run.focus();
  }
}

/** `Fetch, run and verify`. */
function sentence(words: string[]): string {
  const text = words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : (words[0] ?? "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
