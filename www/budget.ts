/** The budget: what a run has used of each limit, while it runs and after it. */
import { byId, make } from "./dom";
import type { Limits } from "./face";
import { bytes as bytesText, grouped, percent, quantity } from "./format";
import { LIMIT_FIELDS } from "./limits";
import type { RunStats } from "./protocol";

type Key = keyof Limits;

interface Cell {
  share: HTMLElement;
  meter: HTMLMeterElement;
  figure: HTMLElement;
}

const USED: Record<Key, (stats: RunStats) => number> = {
  gas: (stats) => stats.steps,
  call: (stats) => stats.peakCallDepth,
  frame: (stats) => stats.peakFrameBytes,
  memory: (stats) => stats.peakMemoryPages,
  outputBytes: (stats) => stats.outputBytes,
  fileBytes: (stats) => stats.fileBytes,
};

const count = (number: number): string => (number < 1e6 ? grouped(number) : quantity(number));

/** Figures as they are read at a glance, and what they count. */
const UNITS: Record<Key, { short: (number: number) => string; unit: string }> = {
  gas: { short: count, unit: "steps" },
  call: { short: count, unit: "nested calls" },
  frame: { short: bytesText, unit: "bytes" },
  memory: { short: count, unit: "pages" },
  outputBytes: { short: bytesText, unit: "bytes" },
  fileBytes: { short: bytesText, unit: "bytes" },
};

/** From this share on the meter warns. */
const NEARLY = 0.9;

export class Budget {
  readonly #cells = new Map<Key, Cell>();
  #limits: Limits = {};

  constructor() {
    for (const { key, label } of LIMIT_FIELDS) {
      const name = make("dt", { id: `used-${key}` }, label);
      const meter = make("meter", { max: 1, high: NEARLY, optimum: 0, hidden: true, attrs: { "aria-labelledby": name.id } });
      const share = make("dd", { className: "share" });
      const figure = make("span", {}, "–");
      byId("budget").append(make("div", {}, name, share, make("dd", { className: "use" }, meter, figure)));
      this.#cells.set(key, { share, meter, figure });
    }
  }

  /** The limits of the run that starts. */
  start(limits: Limits): void {
    this.#limits = limits;
  }

  /** Shows what is used: rounded while it changes, to the unit at the end. */
  show(stats: RunStats, ended: boolean): void {
    for (const [key, { share, meter, figure }] of this.#cells) {
      const used = USED[key](stats);
      const { short, unit } = UNITS[key];
      const text = this.#limits[key];
      const limit = text === undefined ? null : Number(text);
      const shown = ended ? grouped(used) : short(used);
      meter.hidden = limit === null;
      share.textContent = limit === null ? "" : percent(used, limit);
      figure.textContent = limit === null ? shown : `${shown} of ${short(limit)}`;
      figure.title = `${grouped(used)} ${text === undefined ? unit : `of ${grouped(text)} ${unit}`}`;
      if (limit !== null) meter.value = limit > 0 ? Math.min(1, used / limit) : 1;
    }
  }
}
