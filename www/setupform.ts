/** The fields for arguments, stdin, environment, limits, clock and random bytes. What they hold is checked as it is typed. */
import { formatArgs, formatEnv, parseArgs, parseEnv } from "./args";
import { byId, make } from "./dom";
import type { EngineChoice, Limits } from "./face";
import { bytes as bytesText, plural } from "./format";
import { checkLimit, checkSeed, LIMIT_FIELDS, readLimits } from "./limits";
import { UserError } from "./problem";
import type { RunRequest, StdinSource } from "./protocol";
import type { Sample } from "./samples";

export type StdinKind = "live" | "text" | "file" | "none";

/** What the fields hold, as it stands there, right or wrong. */
export interface Fields {
  args: string;
  env: string;
  stdin: StdinKind;
  stdinText: string;
  stdinFile: { name: string; source: Blob } | null;
  limits: Limits;
  clock: string;
  random: string;
  seed: string;
  engine: string;
}

/** The fields whose text is kept as it is. */
const TEXTS = ["args", "env", "stdinText", "clock", "random", "seed", "engine"] as const;

const STDIN_ABOUT: Record<StdinKind, string> = {
  live: "The program waits for what you type while it runs. Ctrl-D ends the input.",
  text: "The program reads this text, then the end of input.",
  file: "The program reads this file, then the end of input.",
  none: "The program finds the end of input at once.",
};

const CLOCK_ABOUT = {
  fixed: "Time stands still at 1970-01-01 00:01:40 UTC; sleeping returns at once.",
  virtual: "Starts at 1970-01-01 00:01:40 UTC; each step takes 1 ns, and sleeping moves the clock.",
};

const RANDOM_ABOUT = {
  seeded: "The seed decides all random bytes (ChaCha20).",
  "truebit-v1": "Every random byte is 42, as in Truebit's first runtime. There is no seed.",
};

const SEED_ABOUT = "A hexadecimal number of up to 64 digits.";

/** Whether this browser can suspend WebAssembly (JSPI). */
const CAN_SUSPEND = "Suspending" in WebAssembly;
const NO_JSPI =
  "This browser lacks JSPI: on its engine a run can't be paused or wait for live input, and cancelling it loses the files. The interpreter has none of these limits.";

const ENGINE_ABOUT: Record<EngineChoice, string> = {
  auto: CAN_SUSPEND
    ? "The browser's engine, which in this browser can be paused, fed with input, and cancelled without losing anything."
    : "The interpreter, which can be paused; the browser's engine for large programs that need no live input.",
  interpreter: "The reference: slower, and the same in every browser.",
  browser: "The browser compiles the program: many times as fast. If it fails in a way of its own, the interpreter runs the program.",
  both: "Runs on the interpreter, then on the browser's engine, and compares every call, all output and files, and the steps.",
};

export class SetupForm {
  #stdinFile: { name: string; source: Blob } | null = null;
  /** Whether the user changed what a sample had filled in, and its program depends on. */
  touched = false;

  constructor(changed: () => void) {
    const touch = (): void => {
      this.touched = true;
      changed();
    };
    byId("args").addEventListener("input", () => (this.#showArgs(), touch()));
    byId("env").addEventListener("input", () => (this.#showEnv(), touch()));
    byId("stdinText").addEventListener("input", touch);
    byId("engine").addEventListener("change", () => (this.#showEngine(), changed()));
    byId("stdinChoice").addEventListener("change", () => (this.#showStdin(), touch()));
    const picker = byId<HTMLInputElement>("stdinFile");
    byId("pickStdin").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      const file = picker.files?.[0];
      if (file) this.#stdinFile = { name: file.name, source: file };
      picker.value = "";
      this.#showStdin();
      touch();
    });
    for (const id of ["clock", "random", "seed"]) {
      byId(id).addEventListener("input", () => (this.#showProfile(), touch()));
    }
    this.#makeLimits(changed);
    this.#showAll();
  }

  get fields(): Fields {
    const texts = Object.fromEntries(TEXTS.map((id) => [id, field(id).value])) as Pick<Fields, (typeof TEXTS)[number]>;
    const limits: Limits = {};
    for (const { key } of LIMIT_FIELDS) {
      const { value } = field(`limit-${key}`);
      if (value !== "") limits[key] = value;
    }
    return { ...texts, stdin: this.stdinKind, stdinFile: this.#stdinFile, limits };
  }

  setFields(fields: Fields): void {
    for (const id of TEXTS) field(id).value = fields[id];
    for (const { key } of LIMIT_FIELDS) field(`limit-${key}`).value = fields.limits[key] ?? "";
    this.#stdinFile = fields.stdinFile;
    this.#choose(fields.stdin);
  }

  /** The fields as a request; throws the first problem and puts the focus there. */
  read(): RunRequest {
    const args = parseArgs(byId<HTMLInputElement>("args").value);
    if (!args.ok) throw fieldProblem("args", args.message, "Correct the arguments.");
    const env = parseEnv(byId<HTMLTextAreaElement>("env").value);
    if (!env.ok) throw fieldProblem("env", env.message, "Correct the environment, one KEY=VALUE a line.");
    const values = new Map<keyof Limits, string>();
    for (const field of LIMIT_FIELDS) {
      const { value } = byId<HTMLInputElement>(`limit-${field.key}`);
      const problem = checkLimit(field, value);
      if (problem) throw fieldProblem(`limit-${field.key}`, problem, "Correct it under Limits, or leave it empty.");
      values.set(field.key, value);
    }
    const engine = byId<HTMLSelectElement>("engine").value as EngineChoice;
    const profile = this.#readProfile();
    return { args: args.args, env: env.env, stdin: this.#stdin(), limits: readLimits(values), ...profile, engine };
  }

  #readProfile(): Pick<RunRequest, "clock" | "random" | "seed"> {
    const { clock, random } = this.#profile;
    if (random === "truebit-v1") return { clock, random };
    const { value } = byId<HTMLInputElement>("seed");
    const problem = checkSeed(value);
    if (problem) throw fieldProblem("seed", problem, "Correct it under Clock and random, or leave it empty.");
    const seed = value.trim();
    return seed === "" ? { clock, random } : { clock, random, seed };
  }

  get #profile(): { clock: keyof typeof CLOCK_ABOUT; random: keyof typeof RANDOM_ABOUT } {
    return {
      clock: byId<HTMLSelectElement>("clock").value === "virtual" ? "virtual" : "fixed",
      random: byId<HTMLSelectElement>("random").value === "truebit-v1" ? "truebit-v1" : "seeded",
    };
  }

  get stdinKind(): StdinKind {
    const chosen = document.querySelector<HTMLInputElement>('input[name="stdin"]:checked');
    return (chosen?.value ?? "none") as StdinKind;
  }

  /** Fills the fields from a sample. */
  fill(sample: Sample): void {
    byId<HTMLInputElement>("args").value = formatArgs(sample.args ?? []);
    const env = Array.isArray(sample.env) ? sample.env : Object.entries(sample.env);
    byId<HTMLTextAreaElement>("env").value = formatEnv(env);
    byId<HTMLTextAreaElement>("stdinText").value = sample.stdinText ?? "";
    this.#choose(sample.stdin);
    this.touched = false;
  }

  setArgs(args: string[]): void {
    byId<HTMLInputElement>("args").value = formatArgs(args);
    this.#showArgs();
  }

  /** Empties them, for a program about which nothing is known. */
  clear(): void {
    byId<HTMLInputElement>("args").value = "";
    byId<HTMLTextAreaElement>("env").value = "";
    this.#choose("live");
    this.touched = false;
  }

  /** Fills the fields for a function task: nothing but its limits. */
  fillTask(limits: Limits): void {
    this.clear();
    this.#choose("none");
    for (const field of LIMIT_FIELDS) byId<HTMLInputElement>(`limit-${field.key}`).value = limits[field.key] ?? "";
    this.#showLimits();
  }

  #choose(kind: StdinKind): void {
    const radio = document.querySelector<HTMLInputElement>(`input[name="stdin"][value="${kind}"]`);
    if (radio) radio.checked = true;
    this.#showAll();
  }

  #stdin(): StdinSource {
    switch (this.stdinKind) {
      case "live":
        return { kind: "live" };
      case "none":
        return { kind: "bytes", source: new Blob([]) };
      case "text":
        return { kind: "bytes", source: new Blob([byId<HTMLTextAreaElement>("stdinText").value]) };
      case "file":
        if (!this.#stdinFile) throw fieldProblem("pickStdin", "No file is chosen for standard input.", "Choose one, or another kind of input.");
        return { kind: "bytes", source: this.#stdinFile.source };
    }
  }

  #showAll(): void {
    this.#showArgs();
    this.#showEnv();
    this.#showStdin();
    this.#showLimits();
    this.#showProfile();
    this.#showEngine();
  }

  #showEngine(): void {
    const choice = byId<HTMLSelectElement>("engine").value as EngineChoice;
    const missing = choice === "interpreter" || CAN_SUSPEND ? "" : ` ${NO_JSPI}`;
    byId("engineAbout").textContent = ENGINE_ABOUT[choice] + missing;
    byId("engineSum").textContent = choice === "auto" ? "" : choice;
  }

  #showArgs(): void {
    const input = byId<HTMLInputElement>("args");
    const parsed = parseArgs(input.value);
    const shown = byId("argsShown");
    input.setAttribute("aria-invalid", String(!parsed.ok));
    shown.className = parsed.ok ? "chips" : "field-problem";
    if (!parsed.ok) shown.textContent = parsed.message;
    else if (parsed.args.length === 0) shown.replaceChildren(make("span", { className: "about" }, "No arguments."));
    else shown.replaceChildren(...parsed.args.map((arg) => make("code", {}, arg === "" ? "''" : arg)));
  }

  #showEnv(): void {
    const input = byId<HTMLTextAreaElement>("env");
    const parsed = parseEnv(input.value);
    input.setAttribute("aria-invalid", String(!parsed.ok));
    byId("envProblem").textContent = parsed.ok ? "" : parsed.message;
    byId("envSum").textContent = parsed.ok && parsed.env.length > 0 ? plural(parsed.env.length, "variable") : "";
  }

  #showStdin(): void {
    const kind = this.stdinKind;
    byId("stdinAbout").textContent = STDIN_ABOUT[kind];
    byId("stdinText").hidden = kind !== "text";
    byId("stdinFileRow").hidden = kind !== "file";
    const file = this.#stdinFile;
    byId("stdinName").textContent = file ? `${file.name}, ${bytesText(file.source.size)}` : "No file chosen";
  }

  #makeLimits(changed: () => void): void {
    for (const field of LIMIT_FIELDS) {
      const id = `limit-${field.key}`;
      const input = make("input", {
        id,
        type: "text",
        inputMode: "numeric",
        placeholder: field.preset || "no limit",
        autocomplete: "off",
        attrs: { "aria-describedby": `${id}-about` },
        on: { input: () => (this.#showLimits(), changed()) },
      });
      byId("limits").append(
        make("label", { htmlFor: id }, field.label),
        input,
        make("p", { id: `${id}-about`, className: "about" }, `${field.about} In ${field.unit}.`),
      );
    }
  }

  #showLimits(): void {
    let set = 0;
    for (const field of LIMIT_FIELDS) {
      const input = byId<HTMLInputElement>(`limit-${field.key}`);
      const problem = checkLimit(field, input.value);
      if (input.value.trim() !== "") set += 1;
      input.setAttribute("aria-invalid", String(problem !== null));
      const about = byId(`limit-${field.key}-about`);
      about.textContent = problem ?? `${field.about} In ${field.unit}.`;
      about.className = problem ? "field-problem" : "about";
    }
    byId("limitsSum").textContent = set > 0 ? `${set} set` : "";
  }

  #showProfile(): void {
    const { clock, random } = this.#profile;
    byId("clock-about").textContent = CLOCK_ABOUT[clock];
    byId("random-about").textContent = RANDOM_ABOUT[random];
    const input = byId<HTMLInputElement>("seed");
    input.disabled = random === "truebit-v1";
    const problem = input.disabled ? null : checkSeed(input.value);
    input.setAttribute("aria-invalid", String(problem !== null));
    const about = byId("seed-about");
    about.textContent = problem ?? SEED_ABOUT;
    about.className = problem ? "field-problem" : "about";
    const seeded = random === "seeded" && input.value.trim() !== "";
    const chosen = [clock === "fixed" ? "" : "virtual", random === "seeded" ? "" : random, seeded ? "seed set" : ""];
    byId("profileSum").textContent = chosen.filter((text) => text !== "").join(", ");
  }
}

/** A field of the form; all of them have a `value`. */
function field(id: string): HTMLInputElement {
  return byId<HTMLInputElement>(id);
}

function fieldProblem(id: string, message: string, hint: string): UserError {
  const field = byId(id);
  field.closest("details")?.setAttribute("open", "");
  document.body.dataset["view"] = "setup";
  field.focus();
  return new UserError({ code: "bad-field", message, hint });
}
