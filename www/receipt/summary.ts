/** What will run, and what a receipt says came of it: shown before anything does. */
import { make } from "../dom";
import { grouped, plural } from "../format";
import { digestedText, limitsText, outcomeText, profileText, sizeText, stdinText, textOf, visible } from "./text";
import type { Digested, Envelope, InputFile, LimitPart, Manifest, Profile, ResultPart, StdinPart, TaskPart, Text } from "./types";

export interface TaskSummary {
  name: string | null;
  module: Digested;
  /** Where the module is to be fetched. */
  url: string | null;
  /** Null if only their digest is known. */
  args: Text[] | null;
  env: Text[] | null;
  files: InputFile[] | null;
  counts: { args: string; env: string; files: string };
  stdin: StdinPart;
  /** The text of standard input, if it is at hand and short. */
  input: Text | null;
  preopens: TaskPart["preopens"];
  limits: LimitPart;
  profile: Profile;
  result: ResultPart | null;
}

export function summaryOfReceipt({ receipt: { task, result }, given }: Envelope, listed: boolean): TaskSummary {
  return {
    ...task,
    name: given?.module ?? null,
    url: null,
    args: given?.args ?? (task.args.count === "0" ? [] : null),
    env: given?.env ?? (task.env.count === "0" ? [] : null),
    files: task.files.count === "0" ? [] : listed ? (given?.files ?? null) : null,
    counts: { args: task.args.count, env: task.env.count, files: task.files.count },
    input: given?.stdin ?? null,
    result,
  };
}

export function summaryOfManifest(manifest: Manifest, url: string | null, result: ResultPart | null): TaskSummary {
  const { args, env, files } = manifest;
  const count = (list: unknown[]): string => String(list.length);
  return { ...manifest, url, counts: { args: count(args), env: count(env), files: count(files) }, input: null, result };
}

/** Rows of a list that are shown. */
const MANY = 20;

export function summaryView(summary: TaskSummary): HTMLElement {
  const { result } = summary;
  return make(
    "dl",
    { className: "summary" },
    ...row("Program", make("strong", {}, summary.name === null ? "unnamed" : visible(summary.name)), ` ${digestedText(summary.module)}`),
    ...(summary.url === null ? [] : row("Fetched from", make("code", {}, visible(summary.url, 500)))),
    ...row("Arguments", list(summary.args?.slice(1) ?? null, Math.max(0, Number(summary.counts.args) - 1))),
    ...(summary.counts.env === "0" ? [] : row("Environment", list(summary.env, Number(summary.counts.env)))),
    ...row("Standard input", stdinText(summary.stdin), summary.input === null || summary.input === "" ? null : make("code", { className: "value" }, textOf(summary.input))),
    ...row("Input files", files(summary.files, summary.counts.files)),
    ...(isPlain(summary.preopens) ? [] : row("Directories", summary.preopens.map(({ name, path, access }) => `${visible(name)} (/${visible(path)}, ${access ?? "read-write"})`).join(", "))),
    ...row("Limits", limitsText(summary.limits) || "none"),
    ...row("Profile", profileText(summary.profile)),
    ...(result ? row("Receipt says", `${outcomeText(result.outcome)} after ${grouped(result.steps)} steps; stdout ${sizeText(result.stdout.size)}, stderr ${sizeText(result.stderr.size)}; ${plural(result.files.length, "file")} changed`) : []),
  );
}

function isPlain(preopens: TaskPart["preopens"]): boolean {
  const [only, ...others] = preopens;
  return others.length === 0 && only?.name === "/" && only.path === "" && (only.access ?? "read-write") === "read-write";
}

type Part = Node | string | null;

function row(name: string, ...parts: Part[]): HTMLElement[] {
  return [make("dt", {}, name), make("dd", {}, ...parts)];
}

function list(items: Text[] | null, count: number): Node {
  if (items === null) return document.createTextNode(`${grouped(count)}, not shown: only their digest is known`);
  if (items.length === 0) return document.createTextNode("none");
  const more = items.length - MANY;
  return make(
    "span",
    { className: "chips" },
    ...items.slice(0, MANY).map((item) => make("code", {}, item === "" ? "''" : textOf(item))),
    more > 0 ? ` and ${grouped(more)} more` : null,
  );
}

function files(items: InputFile[] | null, count: string): Node {
  if (count === "0") return document.createTextNode("none");
  if (items === null) return document.createTextNode(`${grouped(count)} paths, not listed: only their digest is known`);
  const more = items.length - MANY;
  const line = (file: InputFile): string => {
    const what = file.size === undefined ? (file.type === "directory" ? "directory" : `${file.type} to ${visible(file.target ?? "")}`) : sizeText(file.size);
    return ` ${what}${file.readOnly ? ", read-only" : ""}`;
  };
  return make(
    "ul",
    {},
    ...items.slice(0, MANY).map((file) => make("li", {}, make("code", {}, visible(file.path)), line(file))),
    more > 0 ? make("li", {}, `and ${grouped(more)} more`) : null,
  );
}
