/** Signing a receipt. Secret keys stay in this browser, unless the user saves one as a file. */
import type { Client } from "../client";
import { saveAs } from "../download";
import { make } from "../dom";
import { all, put, remove } from "../receipt/store";
import type { Signer } from "../receipt/types";
import { problemView } from "./problemview";

interface Key {
  publicKey: string;
  secret: Uint8Array;
}

export class SigningView {
  readonly element = make("div", { className: "signing" });
  readonly #client: Client;
  readonly #signed: (receipt: string) => void;
  #receipt: string;
  #keys: Key[] = [];
  readonly #problem = make("div", {});

  /** `signed` is told the receipt with one more signature. */
  constructor(client: Client, receipt: string, signed: (receipt: string) => void) {
    this.#client = client;
    this.#receipt = receipt;
    this.#signed = signed;
    void this.#load();
  }

  async #load(): Promise<void> {
    try {
      this.#keys = await all<Key>("keys");
    } catch {
      this.#keys = [];
    }
    await this.#render();
  }

  async #render(): Promise<void> {
    const { signers } = await this.#client.request({ type: "read-receipt", source: new Blob([this.#receipt]) });
    const select = make(
      "select",
      { id: "signKey" },
      ...this.#keys.map(({ publicKey }) => make("option", { value: publicKey }, `${publicKey.slice(0, 16)}…`)),
    );
    const chosen = (): Key | undefined => this.#keys.find(({ publicKey }) => publicKey === select.value);
    const picker = make("input", { type: "file", hidden: true, attrs: { "aria-label": "A key file" } });
    picker.addEventListener("change", () => {
      const [file] = picker.files ?? [];
      picker.value = "";
      if (file) this.#try(async () => this.#add(await this.#client.request({ type: "read-key", source: file })));
    });
    const button = (text: string, action: () => Promise<void>, id = ""): HTMLElement => make("button", { type: "button", id, on: { click: () => this.#try(action) } }, text);
    const none = this.#keys.length === 0;
    this.element.replaceChildren(
      make(
        "details",
        { open: signers.length > 0 || this.element.querySelector("details")?.open === true },
        make("summary", {}, signers.length === 0 ? "Sign it" : `Signed by ${signers.length}`),
        signersView(signers),
        make("p", { className: "about" }, "A signature says that you stand for this receipt, not that it is true. Keys are kept in this browser and sent nowhere."),
        none ? "" : make("div", { className: "row" }, make("label", { htmlFor: "signKey" }, "Key"), select, button("Sign", () => this.#sign(chosen()), "sign")),
        make(
          "div",
          { className: "row" },
          button("Make a key", () => this.#add(crypto.getRandomValues(new Uint8Array(32))), "makeKey"),
          make("button", { type: "button", on: { click: () => picker.click() } }, "Add a key file…"),
          picker,
          ...(none ? [] : [button("Save the key", () => this.#save(chosen()), "saveKey"), button("Forget the key", () => this.#forget(chosen()), "forgetKey")]),
        ),
        this.#problem,
      ),
    );
  }

  #try(action: () => Promise<void>): void {
    this.#problem.replaceChildren();
    action().then(
      () => this.#render(),
      (error: unknown) => this.#problem.replaceChildren(problemView(error)),
    );
  }

  async #add(secret: Uint8Array): Promise<void> {
    const { publicKey } = await this.#client.request({ type: "key", secret });
    await put("keys", publicKey, { publicKey, secret } satisfies Key);
    this.#keys = await all<Key>("keys");
  }

  async #sign(key: Key | undefined): Promise<void> {
    if (!key) return;
    this.#receipt = await this.#client.request({ type: "sign", receipt: this.#receipt, secret: key.secret });
    this.#signed(this.#receipt);
  }

  async #save(key: Key | undefined): Promise<void> {
    if (!key) return;
    const { file } = await this.#client.request({ type: "key", secret: key.secret });
    saveAs(`${key.publicKey.slice(0, 12)}.key`, new Blob([file], { type: "application/json" }));
  }

  /** What was signed stays signed; without a saved file nothing more can be signed with it. */
  async #forget(key: Key | undefined): Promise<void> {
    if (!key || !confirm("Forget this key? Without a saved file it is lost.")) return;
    await remove("keys", key.publicKey);
    this.#keys = await all<Key>("keys");
  }
}

/** Who signed, each in full: a part of a key proves nothing. */
export function signersView(signers: readonly Signer[]): HTMLElement {
  return make(
    "ul",
    { className: "signers" },
    ...signers.map(({ key, valid }) => make("li", { attrs: { "data-valid": String(valid) } }, valid ? "Signed by " : "WRONG signature, said to be by ", make("code", {}, key))),
  );
}
