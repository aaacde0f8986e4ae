/** The Verify view: receipts are added, what will run is shown, and each is run again and compared. */
import { parseArgs, parseEnv } from "../args";
import { saveAs } from "../download";
import { icon, make } from "../dom";
import { grouped, plural } from "../format";
import type { EngineChoice } from "../face";
import { clear } from "../receipt/store";
import { shortDigest, visible } from "../receipt/text";
import { summaryOfManifest, summaryOfReceipt, summaryView } from "../receipt/summary";
import { cleanPath } from "../inputs";
import { signersView } from "../share/signing";
import type { StoryView } from "../story/view";
import { Pool } from "./pool";
import type { Typed } from "./plan";
import { type Item, VerifyQueue } from "./queue";
import { resultLines, summaryLine, TITLES } from "./results";

export interface PlacedFile {
  path: string;
  source: Blob;
}

/** A file of this size is no receipt. */
const MAX_RECEIPT = 64 * 1024 * 1024;

/** Whether a file is a receipt or a package. A name alone does not tell: an input may be JSON too. */
export async function isReceipt(name: string, source: Blob): Promise<boolean> {
  if (/\.vtask$/i.test(name)) return true;
  if (!/\.json$/i.test(name) || source.size > MAX_RECEIPT) return false;
  const head = await source.slice(0, 4096).text();
  return /^\s*\{/.test(head) && /"receipt"\s*:\s*\{/.test(head) && /"id"\s*:/.test(head);
}

/** Rows shown; more help nobody, and the export has all. */
const MANY_ROWS = 2000;

export class VerifyView {
  readonly #dialog: HTMLDialogElement;
  readonly #queue: VerifyQueue;
  readonly #pool = new Pool();
  readonly #rows = new Map<Item, Row>();
  readonly #list = make("ul", { className: "verify-list" });
  readonly #empty = make("p", { className: "about" }, "Drop receipts (.json), task packages (.vtask) or a folder of them here, and the modules and input files that they are of. Nothing runs before all digests match, and nothing leaves this device.");
  readonly #sum = make("p", { className: "verify-sum", attrs: { role: "status" } });
  readonly #materials = make("p", { className: "about" });
  readonly #bar = make("progress", { max: 1, hidden: true, attrs: { "aria-label": "Receipts checked" } });
  readonly #verify = make("button", { type: "button", className: "primary" }, "Verify");
  readonly #stop = make("button", { type: "button" }, "Stop");
  readonly #export = make("button", { type: "button" }, icon("down"), " Results");
  readonly #engine = make("select", { id: "verifyEngine" }, ...ENGINES.map(([value, text]) => make("option", { value }, text)));
  readonly #most = make("input", { id: "verifyMost", type: "text", inputMode: "numeric", placeholder: "no limit", autocomplete: "off" });
  readonly #again = make("input", { type: "checkbox", id: "verifyAgain" });
  readonly #problem = make("p", { className: "field-problem", attrs: { role: "alert" } });
  #drawing = 0;
  #story: StoryView | null = null;

  constructor() {
    this.#queue = new VerifyQueue(this.#pool, { changed: () => this.#draw() });
    this.#dialog = this.#build();
    document.body.append(this.#dialog);
    this.#wire();
    this.#render();
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  open(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Plays how a wrong result is found; loaded when it is wanted. */
  async openStory(): Promise<void> {
    const { StoryView } = await import("../story/view");
    this.#story ??= new StoryView();
    this.#story.open();
  }

  close(): void {
    this.#dialog.close();
  }

  /** Adds what was dropped or picked: receipts to the list, anything else to what they are verified with. */
  async add(files: readonly PlacedFile[]): Promise<void> {
    this.open();
    this.#problem.textContent = "";
    const kinds = await Promise.all(files.map(({ path, source }) => isReceipt(path, source)));
    const before = this.#queue.items.length;
    await Promise.all([
      this.#queue.addReceipts(files.filter((_, index) => kinds[index])),
      this.#queue.addMaterials(files.filter((_, index) => !kinds[index])),
    ]);
    if (before === 0 && this.#queue.items.length === 1) this.#expandOnly();
    this.#draw();
  }

  /** The only receipt is shown with all there is to know. */
  #expandOnly(): void {
    this.#render();
    const [item] = this.#queue.items;
    const row = item && this.#rows.get(item);
    if (row) row.details.open = true;
  }

  #build(): HTMLDialogElement {
    const files = make("input", { type: "file", multiple: true, hidden: true, attrs: { "aria-label": "Receipts, modules and input files" } });
    const folder = make("input", { type: "file", hidden: true, attrs: { "aria-label": "A folder of receipts", webkitdirectory: "" } });
    for (const picker of [files, folder]) {
      picker.addEventListener("change", () => {
        const picked = [...(picker.files ?? [])].map((file) => ({ path: cleanPath(file.webkitRelativePath || file.name), source: file }));
        picker.value = "";
        void this.add(picked);
      });
    }
    const pick = (text: string, picker: HTMLInputElement): HTMLElement => make("button", { type: "button", on: { click: () => picker.click() } }, text);
    return make(
      "dialog",
      { className: "verify", id: "verify", attrs: { "aria-labelledby": "verifyTitle" } },
      make(
        "div",
        { className: "verify-head" },
        make("h2", { id: "verifyTitle" }, "Verify receipts"),
        make("span", { className: "grow" }),
        make("button", { type: "button", className: "quiet", id: "storyButton", on: { click: () => void this.openStory() } }, "How a wrong result is found"),
        make("button", { type: "button", on: { click: () => this.close() } }, "Close"),
      ),
      make(
        "div",
        { className: "verify-tools" },
        make("div", { className: "row" }, pick("Add files…", files), pick("Add folder…", folder), files, folder, this.#verify, this.#stop, this.#export),
        make(
          "details",
          { className: "verify-options" },
          make("summary", {}, "Options"),
          make("div", { className: "verify-fields" },
            make("label", { htmlFor: "verifyEngine" }, "Engine"), this.#engine,
            make("label", { htmlFor: "verifyMost" }, "Do not run a task whose receipt says more steps than"), this.#most,
            make("label", { className: "check" }, this.#again, " Run those again that this browser has verified before"),
            make("button", { type: "button", on: { click: () => void this.#forget() } }, "Forget what was verified"),
          ),
        ),
        this.#problem,
        this.#sum,
        this.#bar,
        this.#materials,
      ),
      make("div", { className: "verify-body" }, this.#empty, this.#list),
    );
  }

  #wire(): void {
    const active = (button: HTMLElement, action: () => void): void =>
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") !== "true") action();
      });
    active(this.#verify, () => void this.#run());
    active(this.#stop, () => this.#queue.stop());
    active(this.#export, () => saveAs("results.jsonl", new Blob([resultLines(this.#queue.results)], { type: "application/jsonl" })));
    this.#dialog.addEventListener("close", () => {
      if (location.hash === "#verify") history.replaceState(null, "", location.pathname + location.search);
    });
  }

  async #run(): Promise<void> {
    const digits = this.#most.value.replaceAll(/[\s_]/g, "");
    const bad = !/^\d*$/.test(digits);
    this.#most.setAttribute("aria-invalid", String(bad));
    this.#problem.textContent = bad ? "The most steps must be a whole number, in digits." : "";
    if (bad) {
      this.#most.closest("details")?.setAttribute("open", "");
      this.#most.focus();
      return;
    }
    const engine = this.#engine.value as EngineChoice;
    const work = this.#queue.verify({ engine, maxSteps: digits === "" ? null : digits, again: this.#again.checked });
    this.#draw();
    await work;
    this.#render();
  }

  async #forget(): Promise<void> {
    try {
      await clear("verified");
      this.#problem.textContent = "";
    } catch {
      this.#problem.textContent = "This browser keeps nothing for this page: private windows and some settings do that.";
    }
  }

  /** Many changes at once are drawn once. */
  #draw(): void {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#render();
    });
  }

  #render(): void {
    const { items, results, materials, isWorking } = this.#queue;
    this.#empty.hidden = items.length > 0;
    this.#sum.textContent = items.length === 0 ? "" : summaryLine(results, items.length);
    this.#bar.hidden = !isWorking;
    this.#bar.value = items.length === 0 ? 0 : (results.length + items.reduce((sum, item) => sum + (item.state === "running" ? item.progress : 0), 0)) / items.length;
    const ready = items.filter(({ state }) => state === "ready").length;
    setDisabled(this.#verify, isWorking || ready === 0);
    this.#verify.textContent = ready > 1 ? `Verify ${grouped(ready)}` : "Verify";
    setDisabled(this.#stop, !isWorking);
    setDisabled(this.#export, results.length === 0);
    const modules = materials.filter(({ module }) => module !== null).length;
    this.#materials.textContent =
      materials.length === 0 ? "" : `To verify with: ${plural(modules, "module")}, ${plural(materials.length - modules, "other file")}.${this.#queue.storeFails ? " Results can’t be kept in this browser." : ""}`;
    const rows = items.slice(0, MANY_ROWS).map((item) => {
      let row = this.#rows.get(item);
      if (!row) this.#rows.set(item, (row = new Row(item, (typed) => this.#queue.give(item, typed))));
      row.update();
      return row.element;
    });
    if (rows.length !== this.#list.children.length || rows.some((row, index) => this.#list.children[index] !== row)) this.#list.replaceChildren(...rows);
  }
}

const ENGINES: [EngineChoice, string][] = [
  ["auto", "Automatic"],
  ["interpreter", "Interpreter"],
  ["browser", "Browser’s engine"],
  ["both", "Both, compared"],
];

function setDisabled(button: HTMLElement, disabled: boolean): void {
  button.setAttribute("aria-disabled", String(disabled));
}

/** One line a receipt; what will run and what is missing are made when it is unfolded. */
class Row {
  readonly element = make("li", {});
  readonly details = make("details", {});
  readonly #badge = make("span", { className: "verdict-badge" });
  readonly #name = make("span", { className: "verify-name" });
  readonly #line = make("span", { className: "verify-line" });
  readonly #more = make("div", { className: "verify-more" });
  #shown = "";

  constructor(
    readonly item: Item,
    readonly give: (typed: Partial<Typed>) => void,
  ) {
    this.details.append(make("summary", {}, this.#badge, this.#name, this.#line), this.#more);
    this.element.append(this.details);
    this.details.addEventListener("toggle", () => this.update());
  }

  update(): void {
    const { item } = this;
    const { title, tone, line } = lineOf(item);
    const key = `${title}|${line}|${item.missing.length}|${this.details.open}`;
    if (key === this.#shown) return;
    this.#shown = key;
    this.element.dataset["verdict"] = item.result?.verdict ?? item.state;
    this.#badge.textContent = title;
    this.#badge.dataset["tone"] = tone;
    this.#name.textContent = visible(item.name);
    this.#line.textContent = line;
    if (this.details.open) this.#more.replaceChildren(...moreOf(item, this.give));
  }
}

function lineOf(item: Item): { title: string; tone: string; line: string } {
  const { result } = item;
  if (result) {
    const tone = result.verdict === "verified" ? "good" : result.verdict === "mismatch" ? "bad" : "warn";
    const said = result.message === null ? `${shortDigest(result.id ?? "")} in ${grouped(item.receipt?.receipt.result.steps ?? "0")} steps` : visible(result.message, 1000);
    return { title: TITLES[result.verdict], tone, line: result.earlier ? `${said}, verified earlier in this browser` : said };
  }
  if (item.state === "reading") return { title: "READING", tone: "busy", line: "" };
  if (item.state === "running") return { title: "RUNNING", tone: "busy", line: `${Math.floor(item.progress * 100)} % of ${grouped(item.receipt?.receipt.result.steps ?? "0")} steps` };
  if (item.missing.length > 0) return { title: "MISSING", tone: "warn", line: item.missing.map(({ what }) => visible(what)).slice(0, 3).join(", ") };
  return { title: "READY", tone: "idle", line: `${grouped(item.receipt?.receipt.result.steps ?? "0")} steps to run` };
}

/** Fields for what a receipt has only the digest of. */
function typing(item: Item, give: (typed: Partial<Typed>) => void): HTMLElement[] {
  return item.missing.flatMap(({ by }) => {
    if (by !== "args" && by !== "env") return [];
    const problem = make("p", { className: "field-problem" });
    const label = by === "args" ? "Arguments, the program’s own name first" : "Environment, one KEY=VALUE a line";
    const field = by === "args" ? make("input", { type: "text", spellcheck: false, autocomplete: "off" }) : make("textarea", { rows: 3, spellcheck: false });
    const submit = (event: Event): void => {
      event.preventDefault();
      const parsed = by === "args" ? parseArgs(field.value) : parseEnv(field.value);
      if (!parsed.ok) problem.textContent = parsed.message;
      else give("args" in parsed ? { args: parsed.args } : { env: parsed.env.map(([name, value]) => `${name}=${value}`) });
    };
    return [make("form", { className: "verify-typing", on: { submit } }, make("label", {}, label, field), make("button", { type: "submit" }, "Use these"), problem)];
  });
}

function moreOf(item: Item, give: (typed: Partial<Typed>) => void): HTMLElement[] {
  const parts: HTMLElement[] = [];
  if (item.missing.length > 0) {
    parts.push(
      make("h3", {}, "Missing"),
      make("ul", { className: "missing" }, ...item.missing.map(({ what, detail }) => make("li", {}, make("strong", {}, visible(what)), `: ${visible(detail, 400)}`))),
      ...(item.missing.some(({ by }) => by === "file") ? [make("p", { className: "about" }, "Drop the files here, or add them with the button: they are found by their digests, whatever they are called.")] : []),
      ...typing(item, give),
    );
  }
  if (item.result?.message) parts.push(make("p", { className: "verify-message" }, visible(item.result.message, 4000)));
  if (item.receipt) {
    const { result } = item.receipt.receipt;
    const summary = item.manifest ? summaryOfManifest(item.manifest, null, result) : summaryOfReceipt(item.receipt, item.receipt.listed);
    parts.push(make("h3", {}, "What is run"), summaryView(summary));
    parts.push(make("p", { className: "hash" }, "Receipt ", make("code", {}, item.receipt.id)), signersView(item.receipt.signers));
  }
  return parts;
}
