/** Sharing: receipts, links and packages of what is set up; and opening those of others. */
import { byId, icon, make } from "../dom";
import type { Dropped } from "../drop";
import { cleanPath } from "../inputs";
import { UserError } from "../problem";
import type { RunRequest } from "../protocol";
import type { ReadReceipt, Unpacked, Verdict } from "../receipt/types";
import { visible } from "../receipt/text";
import type { Ended, Runner } from "../runner";
import { listSamples } from "../samples";
import { isReceipt, type PlacedFile, VerifyView } from "../verify/view";
import { TITLES } from "../verify/results";
import type { Workbench } from "../workbench";
import { type MadeLink, ShareDialog } from "./dialog";
import { fetchModule, moduleUrl, wrongDigest } from "./fetched";
import { fieldsOf } from "./fields";
import { asked, type ElementAttributes, LONG_LINK } from "./link";
import { Extras, setUp } from "./opened";
import { Review } from "./review";

/** A receipt that came with what is set up. */
interface Said {
  text: string;
  envelope: ReadReceipt;
}

export class Share {
  readonly #workbench: Workbench;
  readonly #runner: Runner;
  readonly #verify = new VerifyView();
  readonly #dialog: ShareDialog;
  readonly #review: Review;
  readonly #extras = new Extras();
  readonly #kept = make("p", { className: "kept about", hidden: true });
  readonly #line = make("p", { className: "receipt-line", hidden: true });
  /** The receipt of the last run, if it was signed. */
  #signed: string | null = null;
  /** The number of the last run that ended by itself, and has a receipt. */
  #run: number | null = null;
  #said: Said | null = null;
  /** Whether the run that goes on is of the task in that receipt. */
  #comparing = false;
  /** Changes with what is opened: only the newest counts. */
  #openings = 0;
  #opening: { unpacked: Unpacked; source: Blob; receipt: Said | null } | null = null;

  constructor(workbench: Workbench, runner: Runner) {
    this.#workbench = workbench;
    this.#runner = runner;
    this.#dialog = new ShareDialog({
      get title() {
        return (workbench.session.program?.name ?? "task").replace(/\.(wasm|wat|wast)$/i, "");
      },
      receipt: () => this.#receipt(),
      isCurrent: (receipt) => this.#isCurrent(receipt),
      link: (receipt, url) => this.#link(receipt, url),
      element: (url) => this.#element(url),
      signed: (receipt) => (this.#signed = receipt),
      package: async (receipt) => new Blob([(await this.#client.request({ type: "pack", request: await this.#request(), receipt })) as Uint8Array<ArrayBuffer>]),
    }, runner.client);
    this.#review = new Review({
      accept: (run, module, progress) => this.#accept(run, module, progress),
      closed: () => (this.#opening = null),
    });
    this.#place();
    runner.prepare = (request) => this.#prepare(request);
    runner.started.on(() => this.#started());
    runner.ended.on((ended) => void this.#ended(ended));
    workbench.taker = (dropped) => this.#take(dropped);
    window.addEventListener("hashchange", () => this.openAddress());
  }

  get #client(): Runner["client"] {
    return this.#runner.client;
  }

  #place(): void {
    const share = make("button", { type: "button", id: "shareButton", on: { click: () => void this.#dialog.open() } }, icon("link"), " Share");
    byId("shareSlot").append(share);
    byId("verifySlot").append(make("button", { type: "button", id: "verifyButton", className: "quiet", on: { click: () => this.#verify.open() } }, "Verify"));
    byId("advice").after(this.#line);
    byId("args").closest(".group")?.before(this.#kept);
  }

  /** Opens what the address asks for, if anything. */
  openAddress(): void {
    const what = asked(location.hash);
    if (what.kind === "verify") this.#verify.open();
    if (what.kind === "story") void this.#verify.openStory();
    if (what.kind === "link") {
      const read = this.#client.request({ type: "open-link", fragment: what.fragment });
      void this.#open("a link", new Blob(), read);
    }
  }

  #open(from: string, source: Blob, read: Promise<Unpacked>): Promise<void> {
    this.#opening = null;
    this.#openings += 1;
    const mine = this.#openings;
    const whole = read.then(async (unpacked) => {
      const { receipt: text } = unpacked;
      const receipt = text === undefined ? null : { text, envelope: await this.#client.request({ type: "read-receipt", source: new Blob([text]) }) };
      if (mine === this.#openings) this.#opening = { unpacked, source, receipt };
      return { unpacked, receipt: receipt?.envelope ?? null };
    });
    const { program, sample } = this.#workbench.task;
    const replaces = program !== null && (sample === null || this.#workbench.form.touched);
    return this.#review.show({ from, replaces, read: whole });
  }

  /** The user agreed to what was shown. */
  async #accept(run: boolean, file: File | null, progress: (done: number, total: number) => void): Promise<void> {
    const opening = this.#opening;
    if (!opening) return;
    const { unpacked, receipt } = opening;
    /** Nothing of the user's is replaced after they closed the dialog, or opened something else. */
    const stillWanted = (): void => {
      if (this.#opening !== opening) throw new UserError({ code: "cancelled", message: "You closed it before it was set up.", hint: "Open it again." });
    };
    const wrong = receipt?.envelope.signers.find(({ valid }) => !valid);
    if (wrong) {
      throw new UserError({
        code: "wrong-signature",
        message: `A signature of the receipt is wrong: it is not by ${wrong.key}.`,
        hint: "Someone changed it, or never had that key. Get the receipt again from whoever made it.",
      });
    }
    const setup = setUp(unpacked, opening.source);
    const source = setup.module ?? (await this.#fetched(unpacked, file, progress));
    stillWanted();
    await this.#stopped();
    const workbench = this.#workbench;
    const fields = await fieldsOf(setup.request, workbench.task.fields.engine);
    stillWanted();
    this.#said = null;
    const placed = await workbench.setTask({ program: { name: setup.name, source }, sample: null, items: setup.items, fields });
    if (!placed) throw new UserError({ code: "cancelled", message: "Something else was chosen before it was set up.", hint: "Open it again." });
    await this.#extras.keep(setup.request, workbench.form.read());
    this.#said = receipt;
    this.#showKept();
    this.#line.hidden = true;
    // Not waited for: the run has its own place to say how it goes.
    if (run) void this.#runner.run();
  }

  /** The module of a link that only names it. */
  async #fetched({ manifest, url }: Unpacked, file: File | null, progress: (done: number, total: number) => void): Promise<Blob> {
    const source = file ?? (await fetchModule(moduleUrl(url ?? "", document.baseURI), manifest.module, progress));
    const { module, sha256 } = await this.#client.request({ type: "digest", name: manifest.name, source });
    if (module?.sha256 !== manifest.module.sha256) throw wrongDigest(file?.name ?? url ?? "", module?.sha256 ?? sha256, manifest.module.sha256);
    return source;
  }

  /** Ends a run that goes on, and waits until it has. */
  async #stopped(): Promise<void> {
    const idle = (): boolean => (document.body.dataset["phase"] ?? "idle") === "idle";
    if (idle()) return;
    this.#runner.cancel();
    await new Promise<void>((resolve) => {
      const observer = new MutationObserver(() => {
        if (!idle()) return;
        observer.disconnect();
        resolve();
      });
      observer.observe(document.body, { attributes: true, attributeFilter: ["data-phase"] });
    });
  }

  #showKept(): void {
    const { names } = this.#extras;
    this.#kept.hidden = names.length === 0;
    const shown = names.map((name) => (name === "stdin" ? "what was typed" : name === "preopens" ? "directories" : name === "program" ? "the program’s own name" : name));
    this.#kept.replaceChildren(
      `Kept exactly as it came, though no field shows it: ${shown.join(", ")}. `,
      make("button", { type: "button", className: "quiet", on: { click: () => (this.#extras.clear(), this.#showKept()) } }, "Use the fields alone"),
    );
  }

  /** What is run of what is set up; the worker has it then. */
  async #request(): Promise<RunRequest> {
    this.#workbench.source.flush();
    const request = await this.#extras.apply(this.#workbench.form.read());
    this.#showKept();
    await this.#workbench.session.sync();
    return request;
  }

  async #prepare(_: RunRequest): Promise<RunRequest> {
    const request = await this.#request();
    this.#comparing = this.#said !== null && (await this.#client.request({ type: "check-task", request, receipt: this.#said.text })) === null;
    return request;
  }

  #started(): void {
    this.#run = null;
    this.#signed = null;
    this.#line.hidden = true;
  }

  async #ended({ outcome }: Ended): Promise<void> {
    this.#run = outcome.kind === "cancelled" || outcome.kind === "failed" ? null : this.#client.run;
    const said = this.#said;
    if (!said) return;
    if (!this.#comparing) return this.#say("idle", "This is no longer the task of the receipt that came with it, so there is nothing to compare.");
    const verdict = await this.#client.request({ type: "compare", run: this.#client.run, receipt: said.text });
    this.#sayVerdict(verdict);
  }

  #sayVerdict({ verdict, message }: Verdict): void {
    const tone = verdict === "verified" ? "good" : verdict === "mismatch" ? "bad" : "warn";
    this.#say(tone, `${TITLES[verdict]}: ${message === null ? "this run gave what the receipt says, in every respect." : visible(message, 1000)}`);
  }

  #say(tone: string, text: string): void {
    this.#line.hidden = false;
    this.#line.dataset["tone"] = tone;
    this.#line.textContent = text;
  }

  async #receipt(): Promise<string | null> {
    if (this.#run === null || this.#signed !== null) return this.#signed;
    return this.#client.request({ type: "receipt", run: this.#run });
  }

  async #isCurrent(receipt: string): Promise<boolean> {
    return (await this.#client.request({ type: "check-task", request: await this.#request(), receipt })) === null;
  }

  async #link(receipt: string | null, url: string | null): Promise<MadeLink> {
    const request = await this.#request();
    const make = async (url: string | null): Promise<MadeLink> => ({ url, fragment: await this.#client.request({ type: "link", request, receipt, url }) });
    if (url !== null) {
      await this.#checkModule(url);
      return make(url);
    }
    const published = await this.#published();
    try {
      const link = await make(null);
      // A long link with the module in it is better than one that needs a server, but not than one that needs this one.
      return link.fragment.length > LONG_LINK && published !== null ? await make(published) : link;
    } catch (error) {
      if (published === null || !(error instanceof UserError) || error.code !== "link-too-long") throw error;
      return make(published);
    }
  }

  /** As the element's attributes say it, if they can. */
  async #element(url: string | null): Promise<ElementAttributes | null> {
    const src = url ?? (await this.#published());
    const { items, fields } = this.#workbench.task;
    if (src === null || items.length > 0 || this.#extras.names.length > 0) return null;
    const { args, env, stdin, limits } = this.#workbench.form.read();
    if (new Map(env).size !== env.length || fields.stdin === "file") return null;
    return {
      src: new URL(src, document.baseURI).href,
      args,
      env,
      stdin: stdin.kind === "live" ? null : fields.stdin === "text" ? fields.stdinText : "",
      limits,
      clock: fields.clock,
      random: fields.random,
      seed: fields.seed,
    };
  }

  /** Whether what is at an address is the module that is set up. */
  async #checkModule(url: string): Promise<void> {
    const { program } = this.#workbench.session;
    if (!program) return;
    const { module } = await this.#client.request({ type: "digest", name: program.name, source: program.source });
    if (!module) return;
    const said = { size: String(module.size), sha256: module.sha256 };
    const source = await fetchModule(moduleUrl(url, document.baseURI), said, () => {});
    const found = await this.#client.request({ type: "digest", name: "module.wasm", source });
    if (found.sha256 !== module.sha256) throw wrongDigest(url, found.sha256, module.sha256);
  }

  /** Where this site has the module, if it is a sample's. */
  async #published(): Promise<string | null> {
    const { sample } = this.#workbench.task;
    if (sample === null) return null;
    const samples = await listSamples().catch(() => []);
    const path = samples.find(({ id }) => id === sample)?.module;
    return path !== undefined && /\.wasm$/.test(path) ? new URL(path, new URL("./tasks/", document.baseURI)).href.replace(new URL("./", document.baseURI).href, "") : null;
  }

  /** Takes packages and receipts, and anything at all while the Verify view is open. */
  async #take(dropped: Dropped): Promise<boolean> {
    const files: PlacedFile[] = [
      ...dropped.programs.map((file) => ({ path: cleanPath(file.name), source: file })),
      ...dropped.items.flatMap((item) => (item.kind === "directory" ? [] : [{ path: item.path === "" && item.kind === "archive" ? item.name : item.path, source: item.source }])),
    ];
    if (this.#verify.isOpen) {
      await this.#verify.add(files);
      return true;
    }
    const [only, ...others] = files;
    if (only && others.length === 0 && /\.vtask$/i.test(only.path)) {
      void this.#open(only.path.split("/").at(-1) ?? only.path, only.source, this.#client.request({ type: "open-package", source: only.source }));
      return true;
    }
    const kinds = await Promise.all(files.map(({ path, source }) => isReceipt(path, source)));
    if (!kinds.includes(true)) return false;
    await this.#verify.add(files);
    return true;
  }
}
