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

const RUNS_ON = "What runs now keeps running until you reload.";

/** After this the user is told why it takes so long, and can go on. */
const SLOW_MS = 5000;

/** Waits until who has something to save has saved it. */
async function saved(): Promise<void> {
  const event = new BeforeUpdateEvent();
  window.dispatchEvent(event);
  await event.settled();
}

function watch(registration: ServiceWorkerRegistration): void {
  const { serviceWorker } = navigator;
  const prompt = new UpdatePrompt();
  /** Whether this page, and not another one, asked for the new version. */
  let asked = false;

  const update = async (worker: ServiceWorker): Promise<void> => {
    await saved();
    asked = true;
    // The worker before must be idle: it stops keeping what some page loads. What the page itself waits for it can't stop.
    registration.active?.postMessage("end");
    worker.postMessage("update");
    const slow = (): void => prompt.show("The new version waits for something that is being loaded, perhaps in another tab of Verirun. It comes when that has ended.", "Reload now", () => location.reload());
    setTimeout(slow, SLOW_MS);
  };
  const offer = (worker: ServiceWorker): void => prompt.show(`A new version of Verirun is ready. ${RUNS_ON}`, "Reload to update", () => void update(worker));
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
    if (asked) location.reload();
    else if (controlled) prompt.show(`Verirun was updated in another tab. ${RUNS_ON}`, "Reload to update", () => void saved().then(() => location.reload()));
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
