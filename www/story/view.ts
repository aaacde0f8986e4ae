/** A story that is really computed: two runs of one task, a fault in one of them, and how it is found. */
import { make } from "../dom";
import { grouped, plural } from "../format";
import type { RunRequest } from "../protocol";
import { shortDigest } from "../receipt/text";
import type { Envelope } from "../receipt/types";
import { problemView } from "../share/problemview";
import { isStopped, RuntimeWorker } from "../verify/pool";
import { placeText, whatText } from "./text";
import PROGRAM from "../../docs/demo/sieve.wat";
import type { Finding, Level, Parting, StoryRun } from "./types";

/** As docs/bisect.md has it. */
const FAULT = { step: 9_000_000, address: 5000, bit: 0 };
const REQUEST: RunRequest = { args: [], env: [], stdin: { kind: "bytes", source: new Blob([]) }, limits: {} };

export class StoryView {
  readonly #dialog = make("dialog", { className: "share story", id: "story", attrs: { "aria-labelledby": "storyTitle" } });
  readonly #scenes = make("ol", { className: "scenes" });
  readonly #status = make("p", { className: "about", attrs: { role: "status" } });
  readonly #play = make("button", { type: "button", className: "primary", id: "storyPlay" }, "Play");
  #worker: RuntimeWorker | null = null;

  constructor() {
    this.#dialog.append(
      make("h2", { id: "storyTitle" }, "How a wrong result is found"),
      make("p", { className: "about" }, "Two machines run the same task and disagree. Nobody needs to be trusted: their receipts show where the two runs part, down to one word of memory. All of this is computed here, now."),
      this.#scenes,
      this.#status,
      make("div", { className: "row end" }, make("button", { type: "button", on: { click: () => this.#dialog.close() } }, "Close"), this.#play),
    );
    this.#play.addEventListener("click", () => void this.#run());
    this.#dialog.addEventListener("close", () => {
      this.#worker?.end();
      this.#worker = null;
    });
    document.body.append(this.#dialog);
  }

  open(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  async #run(): Promise<void> {
    this.#worker?.end();
    const worker = new RuntimeWorker();
    this.#worker = worker;
    this.#play.disabled = true;
    this.#scenes.replaceChildren();
    try {
      await this.#tell(worker);
      this.#status.textContent = "";
    } catch (error) {
      this.#status.textContent = "";
      if (!isStopped(error)) this.#scenes.append(make("li", {}, problemView(error)));
    } finally {
      if (this.#worker === worker) this.#worker = null;
      worker.end();
      this.#play.disabled = false;
      this.#play.textContent = "Play again";
    }
  }

  async #tell(worker: RuntimeWorker): Promise<void> {
    this.#say("The first machine runs it…");
    await worker.request({ type: "load-module", name: "sieve.wat", source: new Blob([PROGRAM]) });
    const right = await worker.request({ type: "story-run", request: REQUEST });
    this.#scene("A task", make("p", {}, "A program counts the primes below 60 000 with a sieve in memory, forty times over, and prints the sum. One machine runs it:"), runView(right));
    this.#say("The second machine runs it…");
    const { step, address, bit } = FAULT;
    const wrong = await worker.request({ type: "story-run", request: { ...REQUEST, fault: `${step}:${address}:${bit}` } });
    this.#scene(
      "Another result",
      make("p", {}, `On the other machine one bit of memory flips, about ${grouped(step)} steps in. Nothing crashes, and the program does not notice:`),
      runView(wrong),
      make("p", {}, "Both receipts are in order, and they disagree. Which is wrong, and where did it go wrong?"),
    );
    const parting = await worker.request({ type: "bisect", right: right.receipt, wrong: wrong.receipt });
    if (!parting) return this.#scene("The same", make("p", {}, "No checkpoint differs: there is nothing to look for."));
    this.#scene("The checkpoints", ...checkpointsView(right, parting));
    const levels = make("ul", { className: "levels" });
    this.#scene("Closer", make("p", {}, "Both runs are made again from there, side by side, and stopped at the same places, each time closer together:"), levels);
    const finding = await this.#search(worker, levels);
    if (!finding) return this.#scene("The same", make("p", {}, "Made again here, both runs do the same."));
    this.#scene("Found", ...findingView(finding));
  }

  async #search(worker: RuntimeWorker, list: HTMLElement): Promise<Finding | null> {
    for (;;) {
      const told = await worker.request({ type: "bisect-on" });
      this.#say(`${plural(told.steps, "step")} made again…`);
      list.replaceChildren(...told.levels.map(levelView));
      if (told.state !== "working") return told.finding ?? null;
    }
  }

  #say(text: string): void {
    this.#status.textContent = text;
  }

  #scene(title: string, ...content: Node[]): void {
    const scene = make("li", {}, make("h3", {}, title), ...content);
    this.#scenes.append(scene);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scene.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
  }
}

function runView({ receipt, stdout }: StoryRun): HTMLElement {
  const { id, receipt: inner } = JSON.parse(receipt) as Envelope;
  return make(
    "dl",
    { className: "summary" },
    make("dt", {}, "Prints"),
    make("dd", {}, make("code", {}, stdout.trim())),
    make("dt", {}, "Steps"),
    make("dd", {}, grouped(inner.result.steps)),
    make("dt", {}, "Receipt"),
    make("dd", {}, make("code", {}, shortDigest(id))),
  );
}

/** Bars rather than one box each where there are many. */
const MANY = 128;

function checkpointsView({ checkpoints: { interval, steps } }: StoryRun, { number, from, to, what, count }: Parting): Node[] {
  const first = number ?? count;
  const share = Math.max(1, Math.ceil(count / MANY));
  const boxes = Array.from({ length: Math.ceil(count / share) }, (_, index) => make("i", { attrs: { "data-same": String((index + 1) * share <= first) } }));
  return [
    make("p", {}, `Each receipt commits to ${plural(count, "checkpoint")}: a digest of the whole state (memory, globals, descriptors, files, output) at multiples of ${grouped(interval)} steps, where what changed is not too much to hash, up to step ${grouped(steps.at(-1) ?? 0)}.`),
    make("div", { className: "checkpoints", attrs: { role: "img", "aria-label": `${first} of ${count} checkpoints are the same, the rest differ` } }, ...boxes),
    make("p", {}, `The first ${grouped(first)} are the same in both. Then ${what.join(" and ")} ${what.length > 1 ? "differ" : "differs"}: it went wrong between step ${grouped(from)} and ${to === null ? "the end" : `step ${grouped(to)}`}.`),
  ];
}

function levelView({ from, to, interval, same }: Level, index: number): HTMLElement {
  return make("li", {}, make("strong", {}, `Pass ${index + 1}`), ` from step ${grouped(from)} to ${to === null ? "the end" : grouped(to)}, a stop every ${plural(interval, "step")}: the same at ${plural(same, "stop")}`);
}

function findingView(finding: Finding): Node[] {
  const { title, values, note } = whatText(finding.what);
  return [
    make("p", {}, `The runs part ${placeText(finding)}. What differs first is ${title}:`),
    ...(values === null
      ? []
      : [make("dl", { className: "summary found" }, make("dt", {}, "Right"), make("dd", {}, make("code", {}, values[0])), make("dt", {}, "Wrong"), make("dd", { className: "wrong" }, make("code", {}, values[1])))]),
    make("p", {}, `${note} Whoever runs the task again finds the same place: verirun bisect does this for any two receipts with checkpoints.`.trim()),
  ];
}
