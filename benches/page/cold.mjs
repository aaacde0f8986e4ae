/** The page as someone sees it for the first time: from its address to the result of the first sample. */

/** Until `ready` returns something. */
async function until(ready, what) {
  const end = performance.now() + 60_000;
  for (;;) {
    const value = ready();
    if (value) return value;
    if (performance.now() > end) throw new Error(`the page did not come to ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** `url` is followed by a number that is new each time, so that nothing of it is in a cache. */
export function openCold(url) {
  let visits = 0;
  return async () => {
    const frame = document.createElement("iframe");
    frame.style.cssText = "width: 1280px; height: 800px";
    const started = performance.now();
    frame.src = `${url}${visits}/`;
    visits += 1;
    document.body.append(frame);
    try {
      const find = (selector) => frame.contentDocument?.querySelector(selector);
      await until(() => find('#program[data-state="good"]'), "a loaded program");
      const loaded = performance.now();
      find("#run").click();
      const verdict = await until(() => find('#verdict:not([data-tone="idle"], [data-tone="busy"])'), "a result");
      const ended = performance.now();
      if (verdict.dataset.tone !== "good") throw new Error(verdict.textContent);
      return { load: loaded - started, ms: ended - started, digest: "" };
    } finally {
      frame.remove();
    }
  };
}
