/**
 * A line between two panes that can be moved, by pointer and by keyboard (the window splitter pattern of the ARIA
 * practices): arrows move it, Home and End take it to its ends, Enter folds the pane away and brings it back.
 *
 * What it sets is the size of one pane in percent of what both have, as a CSS variable of their container.
 */
import { remember, remembered } from "./remembered";

export interface SplitterOptions {
  /** The name under which the place is remembered, and of the CSS variable: `--split-<name>`. */
  name: string;
  /** What contains both panes; the variable is set there. */
  container: HTMLElement;
  /** `row`: the panes stand side by side, and the line is upright. May change. */
  axis: () => "row" | "column";
  /** Whether the pane that is sized comes after the line. */
  after?: boolean;
  preset: number;
  min: number;
  max: number;
  moved(): void;
}

/** Percent for each press of an arrow key, and with Shift. */
const STEP = 2;
const LARGE_STEP = 10;

export class Splitter {
  #size: number;
  /** Where it was before it was folded away. */
  #before: number;

  constructor(
    readonly line: HTMLElement,
    readonly options: SplitterOptions,
  ) {
    const stored = Number(remembered(`split-${options.name}`) ?? Number.NaN);
    this.#size = Number.isFinite(stored) ? stored : options.preset;
    this.#before = options.preset;
    line.addEventListener("keydown", (event) => this.#key(event));
    line.addEventListener("pointerdown", (event) => this.#grab(event));
    line.addEventListener("dblclick", () => this.#set(options.preset));
    this.update();
  }

  /** Tells the line's state anew, after its axis has changed. */
  update(): void {
    const { options, line } = this;
    this.#size = Math.min(options.max, Math.max(options.min, this.#size));
    options.container.style.setProperty(`--split-${options.name}`, `${this.#size}%`);
    line.setAttribute("aria-orientation", options.axis() === "row" ? "vertical" : "horizontal");
    line.setAttribute("aria-valuemin", String(options.min));
    line.setAttribute("aria-valuemax", String(options.max));
    line.setAttribute("aria-valuenow", String(Math.round(this.#size)));
  }

  #set(size: number): void {
    // As exactly as it is remembered.
    this.#size = Math.round(size * 100) / 100;
    this.update();
    remember(`split-${this.options.name}`, this.#size === this.options.preset ? null : String(this.#size));
    this.options.moved();
  }

  #key(event: KeyboardEvent): void {
    const { axis, after, min, max, preset } = this.options;
    const step = (event.shiftKey ? LARGE_STEP : STEP) * (after ? -1 : 1);
    const [less, more] = axis() === "row" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    switch (event.key) {
      case less:
        this.#set(this.#size - step);
        break;
      case more:
        this.#set(this.#size + step);
        break;
      case "Home":
        this.#set(min);
        break;
      case "End":
        this.#set(max);
        break;
      case "Enter":
        if (this.#size > min) this.#before = this.#size;
        this.#set(this.#size > min ? min : Math.max(this.#before, preset));
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #grab(event: PointerEvent): void {
    if (event.button !== 0) return;
    const { line, options } = this;
    line.setPointerCapture(event.pointerId);
    line.dataset["moving"] = "true";
    const move = ({ clientX, clientY }: PointerEvent): void => {
      const box = options.container.getBoundingClientRect();
      const row = options.axis() === "row";
      const share = row ? (clientX - box.left) / box.width : (clientY - box.top) / box.height;
      this.#set((options.after ? 1 - share : share) * 100);
    };
    const end = (): void => {
      delete line.dataset["moving"];
      line.removeEventListener("pointermove", move);
      line.removeEventListener("lostpointercapture", end);
    };
    line.addEventListener("pointermove", move);
    line.addEventListener("lostpointercapture", end);
  }
}
