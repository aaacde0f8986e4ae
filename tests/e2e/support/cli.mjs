/** The command line, in a folder of its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
/** Another than the one that is built here may be tested. */
export const CLI = process.env.VERIRUN_CLI ?? join(root, `target/debug/verirun${process.platform === "win32" ? ".exe" : ""}`);

/** The limits that the page presets, as options. */
export const PAGE_LIMITS = ["--call", "65536", "--frame", "67108864", "--memory", "8192", "--max-output", "67108864", "--max-files", "1073741824"];

export function buildCli() {
  if (process.env.VERIRUN_CLI) return;
  const built = spawnSync("cargo", ["build", "--quiet", "--locked", "--bin", "verirun"], { cwd: root });
  assert.equal(built.status, 0, String(built.stderr));
}

export function workFolder() {
  const folder = mkdtempSync(join(tmpdir(), "verirun-"));
  const at = (name) => join(folder, name);
  return {
    at,
    write(name, content) {
      mkdirSync(dirname(at(name)), { recursive: true });
      writeFileSync(at(name), content);
    },
    read: (name) => readFileSync(at(name)),
    /** Runs a command there; `input` is its standard input. */
    verirun(args, input = "") {
      const { status, stdout, stderr } = spawnSync(CLI, args, { cwd: folder, input, encoding: "utf8" });
      return { status, stdout, stderr };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Canonical JSON (RFC 8785) of what stands in receipts. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** A receipt that says something else, with the id that belongs to it: a lie, not a damaged file. */
export function forged(text, change) {
  const envelope = JSON.parse(text);
  change(envelope);
  envelope.id = createHash("sha256").update(canonical(envelope.receipt)).digest("hex");
  return JSON.stringify(envelope);
}
