/** From a package or a link to what the page sets up, and back to exactly that when it runs. Pure. */
import type { Limits, Preopen } from "../face";
import type { InputItem } from "../inputs";
import { LIMIT_FIELDS } from "../limits";
import { UserError } from "../problem";
import type { RunRequest, StdinSource } from "../protocol";
import { isText, UNLIMITED } from "../receipt/text";
import type { LimitPart, Text, Unpacked } from "../receipt/types";

/** A task that is to be set up. */
export interface Setup {
  name: string;
  module: Blob | null;
  items: InputItem[];
  /** What a run of it is asked with. */
  request: RunRequest;
}

const KEYS: [keyof Limits, keyof LimitPart][] = [
  ["gas", "gas"],
  ["call", "call"],
  ["frame", "frame"],
  ["memory", "memory"],
  ["outputBytes", "output"],
  ["fileBytes", "files"],
];

export function setUp(unpacked: Unpacked, source: Blob): Setup {
  const { manifest } = unpacked;
  const [program, ...args] = texts("argument", manifest.args);
  const env = texts("environment variable", manifest.env).map((variable): [string, string] => {
    const equals = variable.indexOf("=");
    if (equals <= 0) throw unfit("an environment variable without a name and =");
    return [variable.slice(0, equals), variable.slice(equals + 1)];
  });
  const { clock, random, seed } = manifest.profile;
  const limits: Limits = {};
  for (const [key, name] of KEYS) if (manifest.limits[name] !== UNLIMITED) limits[key] = manifest.limits[name];
  return {
    name: manifest.name,
    module: unpacked.module ? blob(unpacked.module) : null,
    items: itemsOf(unpacked, source),
    request: {
      args,
      env,
      stdin: stdinOf(unpacked),
      limits,
      clock,
      random,
      ...seedOf(seed),
      ...(isRoot(manifest.preopens) ? {} : { preopens: manifest.preopens }),
      ...(program === manifest.name ? {} : { program: program ?? null }),
    },
  };
}

/** As a user would write it; 0 is what an empty field means. */
function seedOf(seed = ""): { seed?: string } {
  const digits = seed.replace(/^0+/, "");
  return digits === "" ? {} : { seed: digits };
}

const blob = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

function unfit(what: string): UserError {
  return new UserError({
    code: "unfit",
    message: `The task has ${what}, which this page can’t set up.`,
    hint: "It can be verified in the Verify view, and run with the command line: verirun run FILE.",
  });
}

function texts(what: string, list: Text[]): string[] {
  return list.map((item) => {
    if (!isText(item)) throw unfit(`an ${what} that is no text`);
    return item;
  });
}

/** Whether the program finds what it finds by default. */
export function isRoot(preopens: readonly Preopen[]): boolean {
  const [only, ...others] = preopens;
  return others.length === 0 && only?.name === "/" && only.path === "" && (only.access ?? "read-write") === "read-write";
}

function stdinOf({ manifest, stdin }: Unpacked): StdinSource {
  if (manifest.stdin.kind === "bytes") return { kind: "bytes", source: blob(stdin ?? new Uint8Array()) };
  const { pushed = [] } = manifest;
  const terminal = manifest.stdin.terminal ?? false;
  // Nothing was typed yet: that is for whoever opens it.
  return pushed.length === 0 && terminal ? { kind: "live" } : { kind: "script", terminal, pushed };
}

/** Plain files can be renamed and replaced; a tree with links or read-only files stays as it is. */
function itemsOf({ manifest, files }: Unpacked, source: Blob): InputItem[] {
  const plain = manifest.files.every(({ type, readOnly }) => (type === "file" || type === "directory") && !readOnly);
  if (!plain) return [{ kind: "archive", path: "", name: `${manifest.name}.vtask`, format: "vtask", source }];
  const parents = new Set(manifest.files.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))));
  const empty = manifest.files.filter(({ type, path }) => type === "directory" && !parents.has(path));
  return [
    ...files.map(({ path, bytes }): InputItem => ({ kind: "file", path, source: blob(bytes) })),
    ...empty.map(({ path }): InputItem => ({ kind: "directory", path })),
  ];
}

/** What the page's fields can't show, kept beside them until the user changes that field. */
export class Extras {
  #kept: Partial<RunRequest> = {};
  /** How the fields read when it was kept. */
  #read: Partial<Record<keyof RunRequest, string>> = {};

  /** Keeps of `wanted` what the fields, which were filled from it and read as `read`, lost. */
  async keep(wanted: RunRequest, read: RunRequest): Promise<void> {
    this.clear();
    for (const key of FIELDS) {
      const [a, b] = [await fingerprint(wanted[key]), await fingerprint(read[key])];
      if (a === b) continue;
      Object.assign(this.#kept, { [key]: wanted[key] });
      this.#read[key] = b;
    }
  }

  clear(): void {
    this.#kept = {};
    this.#read = {};
  }

  /** What is kept, for people. */
  get names(): (keyof RunRequest)[] {
    return FIELDS.filter((key) => key in this.#kept);
  }

  drop(key: keyof RunRequest): void {
    delete this.#kept[key];
  }

  /** The request with what is kept; a field that the user has changed since is the user's. */
  async apply(request: RunRequest): Promise<RunRequest> {
    const whole = { ...request };
    for (const key of this.names) {
      if ((await fingerprint(request[key])) !== this.#read[key]) this.drop(key);
      else Object.assign(whole, { [key]: this.#kept[key] });
    }
    return whole;
  }
}

const FIELDS = ["args", "env", "stdin", "limits", "clock", "random", "seed", "preopens", "program"] as const satisfies (keyof RunRequest)[];

/** The same for the same values. */
async function fingerprint(value: RunRequest[keyof RunRequest]): Promise<string> {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind === "bytes") {
    return `bytes ${value.source.size} ${await hash(value.source)}`;
  }
  // A limit that the page sets by itself and one that was asked for are the same; the order is not told.
  if (typeof value === "object" && value !== null && !Array.isArray(value) && !("kind" in value)) {
    return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  // Null is a value of its own: no arguments at all.
  return value === undefined ? "default" : JSON.stringify(value);
}

/** Not for safety, only to notice a change: the receipt's digests are what counts. */
async function hash(source: Blob): Promise<number> {
  let value = 2166136261;
  for (const byte of new Uint8Array(await source.arrayBuffer())) value = Math.imul(value ^ byte, 16777619);
  return value >>> 0;
}

/** A limit as the field shows it: empty where it is what an empty field means. */
export function limitText(key: keyof Limits, limits: Limits): string {
  const field = LIMIT_FIELDS.find((field) => field.key === key);
  const value = limits[key] ?? "";
  return value === field?.preset ? "" : value;
}
