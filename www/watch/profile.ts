/** Which functions made a run's steps: a flame chart, and the functions one by one. */
import { make } from "../dom";
import type { ProfileNode } from "../face";
import { grouped, percent, plural } from "../format";
import { byFunction, type Frame, frames } from "./tree";

/** Narrower frames are not drawn. */
const NARROWEST = 0.001;
const HEIGHT = 22;
const MANY = 500;

export function profileView(nodes: readonly ProfileNode[]): HTMLElement {
  const all = frames(nodes);
  const root = all[0];
  if (!root || root.total === 0) return make("p", { className: "about preview-problem" }, "The run made no steps.");
  const functions = byFunction(nodes);
  const view = make("div", { className: "profile" });
  const flame = make("div", { className: "flame", attrs: { role: "group", "aria-label": "Flame chart: each bar is a function, under the one that called it" } });
  const note = make("p", { className: "about flame-note", attrs: { role: "status" } });
  const parents = new Map<Frame, Frame>();
  for (const frame of all) for (const child of frame.children) parents.set(child, frame);

  const zoom = (focus: Frame): void => {
    const whole = focus.total || 1;
    const above: Frame[] = [];
    for (let frame = parents.get(focus); frame; frame = parents.get(frame)) above.unshift(frame);
    const boxes: HTMLElement[] = [];
    const draw = (frame: Frame, start: number, width: number, row: number): void => {
      boxes.push(box(frame, start, width, row));
      let at = start;
      for (const child of frame.children) {
        const share = (child.total / whole) * 1;
        if (share >= NARROWEST) draw(child, at, share, row + 1);
        at += share;
      }
    };
    above.forEach((frame, row) => boxes.push(box(frame, 0, 1, row)));
    draw(focus, 0, 1, above.length);
    const rows = Math.max(...boxes.map((element) => Number(element.dataset["row"]))) + 1;
    flame.style.height = `${rows * HEIGHT}px`;
    flame.replaceChildren(...boxes);
    note.textContent = describeFrame(focus, root);
  };
  const box = (frame: Frame, start: number, width: number, row: number): HTMLElement => {
    const about = describeFrame(frame, root);
    const element = make(
      "button",
      {
        type: "button",
        className: "frame",
        title: about,
        attrs: { "aria-label": about, "data-row": String(row) },
        on: {
          click: () => {
            zoom(frame);
            flame.querySelector<HTMLElement>(`[data-index="${frame.index}"]`)?.focus();
          },
        },
      },
      width > 0.03 ? frame.name : "",
    );
    element.dataset["index"] = String(frame.index);
    element.style.left = `${start * 100}%`;
    element.style.width = `${width * 100}%`;
    element.style.top = `${row * HEIGHT}px`;
    element.style.setProperty("--hue", String(hue(frame.name)));
    return element;
  };

  zoom(root);
  const rows = functions.slice(0, MANY).map(({ name, self, calls }) => {
    const bar = make("span", { className: "share-bar", attrs: { "aria-hidden": "true" } });
    bar.style.width = `${(self / root.total) * 100}%`;
    bar.style.setProperty("--hue", String(hue(name)));
    return make(
      "tr",
      {},
      make("td", { className: "name", title: name }, name),
      make("td", { className: "number" }, grouped(self)),
      make("td", { className: "number" }, percent(self, root.total)),
      make("td", { className: "bar-cell" }, bar),
      make("td", { className: "number" }, grouped(calls)),
    );
  });
  const heads = ["Function", "Own steps", "Share", "", "Calls"].map((text) => (text === "" ? make("td") : make("th", { scope: "col" }, text)));
  view.append(
    make(
      "p",
      { className: "watch-bar" },
      make("strong", {}, plural(root.total, "step")),
      make("span", { className: "about" }, ` in ${plural(functions.length, "function")}; exact, and the same on every engine.`),
      make("span", { className: "grow" }),
      make("button", { type: "button", className: "quiet", on: { click: () => zoom(root) } }, "Show all"),
    ),
    make("div", { className: "flame-scroll", tabIndex: 0, attrs: { role: "region", "aria-label": "Flame chart" } }, flame),
    note,
    make("table", { id: "profileTable" }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
  );
  if (functions.length > MANY) view.append(make("p", { className: "about preview-problem" }, `and ${plural(functions.length - MANY, "more function", "more functions")}`));
  return view;
}

function describeFrame(frame: Frame, root: Frame): string {
  const self = frame.self === frame.total ? "" : `, ${grouped(frame.self)} of its own`;
  return `${frame.name}: ${plural(frame.total, "step")} (${percent(frame.total, root.total)})${self}${frame.calls > 0 ? `, ${plural(frame.calls, "call")}` : ""}`;
}

/** The same colour for a function everywhere. */
function hue(name: string): number {
  let hash = 7;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) % 9973;
  return (hash * 47) % 360;
}
