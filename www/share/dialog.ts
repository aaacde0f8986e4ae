/** The Share dialog: the receipt of the last run, a link, and a package. */
import type { Client } from "../client";
import { copyText, saveAs } from "../download";
import { icon, make } from "../dom";
import { grouped } from "../format";
import { toProblem } from "../problem";
import type { Envelope } from "../receipt/types";
import { asElement, asMarkdown, type ElementAttributes, linkTo, LONG_LINK } from "./link";
import { problemView } from "./problemview";
import { SigningView } from "./signing";

/** A link of what is set up. */
export interface MadeLink {
  fragment: string;
  /** The module's address, if the link does not have the module itself. */
  url: string | null;
}

export interface ShareSource {
  /** The task's name, without folders and ending. */
  readonly title: string;
  /** The text of the receipt of the last run; null if nothing has run. */
  receipt(): Promise<string | null>;
  /** Whether that receipt is of what is set up now. */
  isCurrent(receipt: string): Promise<boolean>;
  /** `url`: where the user says that the module is; it is fetched and checked. */
  link(receipt: string | null, url: string | null): Promise<MadeLink>;
  /** The task as attributes of the element, if they can say it all and the module has an address. */
  element(url: string | null): Promise<ElementAttributes | null>;
  package(receipt: string | null): Promise<Blob>;
  /** The receipt has a signature more. */
  signed(receipt: string): void;
}

export class ShareDialog {
  readonly #dialog = make("dialog", { className: "share", id: "share", attrs: { "aria-labelledby": "shareTitle" } });
  readonly #source: ShareSource;
  readonly #client: Client;
  #number = 0;

  constructor(source: ShareSource, client: Client) {
    this.#source = source;
    this.#client = client;
    document.body.append(this.#dialog);
  }

  async open(): Promise<void> {
    this.#number += 1;
    const mine = this.#number;
    const body = make("div", { className: "share-body" }, make("p", { attrs: { role: "status" } }, "Looking at what is set up…"));
    this.#dialog.replaceChildren(
      make("h2", { id: "shareTitle" }, "Share"),
      body,
      make("div", { className: "row end" }, make("button", { type: "button", on: { click: () => this.#dialog.close() } }, "Close")),
    );
    this.#dialog.showModal();
    const receipt = await this.#source.receipt().catch((error: unknown) => toProblem(error));
    if (mine !== this.#number) return;
    const text = typeof receipt === "string" ? receipt : null;
    const current = text !== null && (await this.#source.isCurrent(text).catch(() => false));
    if (mine !== this.#number) return;
    const why = receipt !== null && typeof receipt === "object" ? receipt.message : "Nothing has run yet: run it, and its receipt is here.";
    /** The receipt as it is now: it may have been signed meanwhile. */
    const shown = { receipt: text };
    const said = (): string | null => (current ? shown.receipt : null);
    const link = new LinkSection(this.#source, said);
    const signed = (receipt: string): void => {
      shown.receipt = receipt;
      this.#source.signed(receipt);
      void link.make();
    };
    body.replaceChildren(this.#receiptSection(shown, why, signed), link.element, this.#packageSection(said));
    link.withReceipt?.addEventListener("change", () => void link.make());
    void link.make();
  }

  #receiptSection(shown: { receipt: string | null }, why: string, signed: (receipt: string) => void): HTMLElement {
    const text = shown.receipt;
    const about = "What was run and what came of it, in digests. Anyone can check it by running it again, here or with verirun verify.";
    if (text === null) return section("Receipt", about, make("p", {}, why));
    const envelope = JSON.parse(text) as Envelope;
    const now = (): string => shown.receipt ?? text;
    const copy = make("button", { type: "button" }, icon("copy"), " ", make("span", { className: "label" }, "Copy"));
    copy.addEventListener("click", () => void copyText(copy, Promise.resolve(now())));
    const save = (): void => saveAs(`${this.#source.title}.receipt.json`, new Blob([now()], { type: "application/json" }));
    return section(
      "Receipt",
      about,
      make("p", { className: "hash" }, make("code", { id: "receiptId" }, envelope.id)),
      make("div", { className: "row" }, make("button", { type: "button", id: "saveReceipt", on: { click: save } }, icon("down"), " Download receipt"), copy),
      new SigningView(this.#client, text, signed).element,
    );
  }

  #packageSection(receipt: () => string | null): HTMLElement {
    const problem = make("div", {});
    const save = async (): Promise<void> => {
      problem.replaceChildren();
      try {
        saveAs(`${this.#source.title}.vtask`, await this.#source.package(receipt()));
      } catch (error) {
        problem.replaceChildren(problemView(error));
      }
    };
    const what = receipt() === null ? "" : ", with the receipt";
    return section(
      "Package",
      `Module, input and files in one file${what}: drop it here, or verirun run and verirun verify take it.`,
      make("div", { className: "row" }, make("button", { type: "button", id: "savePackage", on: { click: () => void save() } }, icon("down"), " Download package (.vtask)")),
      problem,
    );
  }
}

function section(title: string, about: string, ...content: (Node | string)[]): HTMLElement {
  return make("section", {}, make("h3", {}, title), make("p", { className: "about" }, about), ...content);
}

/** A link, in the forms in which it is passed on. */
class LinkSection {
  readonly element: HTMLElement;
  readonly withReceipt: HTMLInputElement | null;
  readonly #source: ShareSource;
  readonly #receipt: () => string | null;
  readonly #out = make("div", { className: "share-link" });
  #number = 0;

  constructor(source: ShareSource, receipt: () => string | null) {
    this.#source = source;
    this.#receipt = receipt;
    this.withReceipt = receipt() === null ? null : make("input", { type: "checkbox", checked: true, id: "linkReceipt" });
    this.element = section(
      "Link",
      "Everything is in the link itself: no server sees or keeps it. Who opens it sees what will run before it does.",
      this.withReceipt ? make("label", { className: "check" }, this.withReceipt, " With the receipt, so that it is verified there") : "",
      this.#out,
    );
  }

  async make(url: string | null = null): Promise<void> {
    this.#number += 1;
    const mine = this.#number;
    this.#out.replaceChildren(make("p", { attrs: { role: "status" } }, url === null ? "Making it…" : "Fetching the module to check it…"));
    let content: Node[];
    try {
      const made = await this.#source.link(this.withReceipt?.checked ? this.#receipt() : null, url);
      content = this.#show(made, await this.#source.element(url));
    } catch (error) {
      content = toProblem(error).code === "link-too-long" || url !== null ? this.#tooLong(error, url ?? "") : [problemView(error)];
    }
    if (mine === this.#number) this.#out.replaceChildren(...content);
  }

  #show({ fragment, url }: MadeLink, element: ElementAttributes | null): Node[] {
    const link = linkTo(location.href, fragment);
    const { title } = this.#source;
    const field = make("input", { type: "text", readOnly: true, value: link, id: "shareLink", attrs: { "aria-label": "The link" }, on: { focus: () => field.select() } });
    const script = new URL("./wasm-task.js", document.baseURI).href;
    const { html, isElement } = asElement({ title, link, script, element });
    const copies: [string, string, string][] = [
      ["copyLink", "Copy link", link],
      ["copyMarkdown", "Markdown", asMarkdown(title, link)],
      ["copyHtml", isElement ? "HTML element" : "HTML link", html],
    ];
    const buttons = copies.map(([id, label, text]) => {
      const button = make("button", { type: "button", id }, icon("copy"), " ", make("span", { className: "label" }, label));
      button.addEventListener("click", () => void copyText(button, Promise.resolve(text)));
      return button;
    });
    const notes = [`${grouped(link.length)} characters.`];
    if (url !== null) notes.push(`The module is fetched from ${url} by whoever opens it.`);
    if (link.length > LONG_LINK) notes.push(`Some programs cut links of more than ${grouped(LONG_LINK)}: a package is safer there.`);
    return [field, make("div", { className: "row" }, ...buttons), make("p", { className: "about", id: "linkNote" }, notes.join(" "))];
  }

  #tooLong(error: unknown, url: string): Node[] {
    const field = make("input", { type: "text", id: "moduleUrl", value: url, placeholder: "https://…", autocomplete: "off", spellcheck: false });
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.make(field.value.trim());
    };
    return [
      url === "" ? make("p", { className: "share-long", attrs: { role: "alert", "data-code": "link-too-long" } }, `It is too big for a link: ${toProblem(error).message}. Download the package below, or put the module on a server and give its address:`) : problemView(error),
      make("form", { className: "share-url", on: { submit } }, make("label", { htmlFor: "moduleUrl" }, "Address of the module"), field, make("button", { type: "submit" }, "Make the link")),
    ];
  }
}

