/** Firefox, for tests that need no more than a page that reports by itself: Playwright cannot drive Debian's. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** So that it does nothing of its own accord. */
const PREFERENCES = [
  ["app.normandy.enabled", false],
  ["app.update.auto", false],
  ["browser.aboutwelcome.enabled", false],
  ["browser.shell.checkDefaultBrowser", false],
  ["datareporting.policy.dataSubmissionEnabled", false],
  ["extensions.update.enabled", false],
  ["network.captive-portal-service.enabled", false],
  ["network.connectivity-service.enabled", false],
  ["services.settings.server", ""],
  ["toolkit.telemetry.enabled", false],
];

/** Where it is: what FIREFOX names, or the one on PATH; null if there is none. */
export function findFirefox() {
  if (process.env.FIREFOX) return process.env.FIREFOX;
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of ["firefox-esr", "firefox"]) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  return null;
}

/** Opens `url` in a Firefox without a window; `ended` rejects when it ends by itself. */
export function openFirefox(program, url) {
  const profile = mkdtempSync(join(tmpdir(), "verirun-firefox-"));
  const lines = PREFERENCES.map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const child = spawn(program, ["--headless", "--no-remote", "--profile", profile, url], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said = `${said}${text}`.slice(-2000)));
  const gone = new Promise((resolve) => {
    child.on("exit", resolve);
    child.on("error", resolve);
  });
  const ended = gone.then((why) => {
    throw new Error(`Firefox ended (${why}): ${said}`);
  });
  ended.catch(() => {}); // whoever waits for it hears of it
  return {
    ended,
    async close() {
      child.kill();
      await gone;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
