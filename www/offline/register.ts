/**
 * Keeps the page for use without a network, and asks before it is replaced by a newer version.
 *
 * Where there are no service workers (private windows, `file:`, plain http) nothing happens.
 */
import { UpdatePrompt } from "./prompt";

/** How often a page that stays open asks for a newer version. */
const CHECK_MS = 60 * 60 * 1000;

/** Sent to the window before it is reloaded for an update: whoever has something to save calls `waitUntil`. */
export class BeforeUpdateEvent extends Event {
  static readonly type = "verirun-before-update";
  readonly #promises: Promise<unknown>[] = [];

  constructor() {
    super(BeforeUpdateEvent.type);
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#promises.push(promise);
  }

  settled(): Promise<unknown> {
    return Promise.allSettled(this.#promises);
  }
}

async function reload(): Promise<void> {
  const event = new BeforeUpdateEvent();
  window.dispatchEvent(event);
  await event.settled();
  location.reload();
}

function watch(registration: ServiceWorkerRegistration): void {
  const { serviceWorker } = navigator;
  const prompt = new UpdatePrompt();
  /** Whether this page, and not another one, asked for the new version. */
  let asked = false;

  const offer = (worker: ServiceWorker): void =>
    prompt.show("A new version of Verirun is ready.", () => {
      asked = true;
      // If the worker before serves a file at this moment, Chromium may let the new one wait; seen: more than 30 s.
      worker.postMessage("update");
    });
  const follow = (worker: ServiceWorker | null): void => {
    worker?.addEventListener("statechange", () => {
      // Without a controller it is the first one: there is nothing to update.
      if (worker.state === "installed" && serviceWorker.controller) offer(worker);
    });
  };
  if (registration.waiting && serviceWorker.controller) offer(registration.waiting);
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration.installing));

  let controlled = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (asked) void reload();
    else if (controlled) prompt.show("Verirun was updated in another tab.", () => void reload());
    controlled = true;
  });

  const check = (): void => void registration.update().catch(() => {});
  setInterval(check, CHECK_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") check();
  });
}

async function register(): Promise<void> {
  try {
    const url = new URL("./sw.js", document.baseURI);
    watch(await navigator.serviceWorker.register(url, { updateViaCache: "none" }));
  } catch {
    // Forbidden here, or no such file: the page works as before.
  }
}

export function keepForOffline(): void {
  if (!isSecureContext || !("serviceWorker" in navigator)) return;
  // Not before everything that the page needs itself is there.
  if (document.readyState === "complete") void register();
  else addEventListener("load", () => void register(), { once: true });
}
