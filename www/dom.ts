/** Small helpers around the DOM. */

/** The element with this id, which index.html has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as E;
}

type Child = Node | string | null;
type Options<K extends keyof HTMLElementTagNameMap> = Partial<Omit<HTMLElementTagNameMap[K], "style" | "dataset">> & {
  /** Attributes, for what has no property or whose property differs. */
  attrs?: Record<string, string>;
  on?: { [E in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[E]) => void };
};

/** A new element; text is always text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: Options<K> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const { attrs, on, ...properties } = options;
  const element = document.createElement(tag);
  Object.assign(element, properties);
  for (const [name, value] of Object.entries(attrs ?? {})) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener as EventListener);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An icon of the sprite in index.html; decoration only. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon only; `label` is its name and tooltip. */
export function iconButton(name: string, label: string, action: () => void): HTMLButtonElement {
  return make(
    "button",
    { type: "button", className: "icon-button", title: label, attrs: { "aria-label": label }, on: { click: action } },
    icon(name),
  );
}

/** Calls `show(true)` if `work` takes longer than 200 ms, and `show(false)` when it is over. */
export async function showIfSlow<T>(work: Promise<T>, show: (busy: boolean) => void): Promise<T> {
  const timer = setTimeout(() => show(true), 200);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    show(false);
  }
}
