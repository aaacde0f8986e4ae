/** The playground: connects the parts. */
import { clearProblem, showProblem } from "./alerts";
import { Client } from "./client";
import { byId, showIfSlow } from "./dom";
import { type Dropped, isProgram, readDrop, readPicked } from "./drop";
import type { Engines, Outcome } from "./face";
import { FilesView } from "./files";
import { bytes as bytesText } from "./format";
import { setUpTask, type TaskFiles, taskVerdict } from "./functiontask";
import { Inputs, type InputItem } from "./inputs";
import { InputsView } from "./inputsview";
import { OutputView } from "./outputview";
import { describe, describeEngines, type Verdict } from "./outcome";
import { ProgramView } from "./programview";
import { listSamples, loadSample, type Sample } from "./samples";
import { Session, type Program } from "./session";
import { SetupForm } from "./setupform";
import { RunBar } from "./status";
import { Terminal } from "./terminal";
import { keepForOffline } from "./offline/register";
import { setUpTheme } from "./theme";
import { siteWorker } from "./siteworker";
import type { RunState, RunStats } from "./protocol";

/** Text modules up to this size are opened in the editor. */
const EDIT_MAX = 1024 * 1024;
const utf8 = new TextEncoder();
const STOPPED = {
  tone: "warn",
  headline: "Cancelled",
  advice: "You stopped it. Its output is kept; its files are not: the browser's engine gives them only at the end. Choose the interpreter under Engine to keep them.",
} as const;
const READY = { tone: "idle", headline: "Ready", advice: "" } as const;

let stdinOpen = false;
/** What the run bar says of the last run stays while a new worker loads. */
let verdictStays = false;
/** The latest choice of a sample wins over one that still loads. */
let choice = 0;
/** The program of the function task that is set up: its run needs an output. */
let functionTask: Program | null = null;

const client = new Client({
  loading(phase, loaded, total) {
    bar.progress(phase === "download" && total ? loaded / total : null);
    if (bar.phase !== "idle" || verdictStays) return;
    const headline = phase === "compile" ? "Compiling the runtime" : "Loading the runtime";
    bar.say({ tone: "busy", headline, advice: loaded > 0 ? bytesText(loaded) + (total ? ` of ${bytesText(total)}` : "") : "" });
  },
  ready(version) {
    byId("version").textContent = version;
    bar.endProgress();
    if (bar.phase === "idle" && !verdictStays) bar.say(READY);
    syncQuietly();
  },
  unusable(problem) {
    bar.endProgress();
    bar.done({ tone: "bad", headline: "The runtime is not there", advice: problem.hint }, null);
    showProblem("runtime", problem);
  },
  output: (skipped, chunks) => terminal.output(skipped, chunks),
  status: onStatus,
  hears: (does) => bar.hears(does),
  done: (outcome, stats, engines) => void onDone(outcome, stats, engines),
  stopped(stdout, stderr) {
    verdictStays = true;
    endInput();
    output.rescue(stdout, stderr);
    output.ended();
    bar.done(STOPPED, null);
  },
  restarted(message, duringRun, stdout, stderr) {
    showProblem("runtime", {
      code: "runtime-crashed",
      message: `Verirun itself failed: ${message}`,
      hint: "This is a bug in Verirun, not in your program. The runtime was restarted and your setup is kept.",
    });
    if (!duringRun) return;
    verdictStays = true;
    endInput();
    output.rescue(stdout, stderr);
    bar.done({ tone: "bad", headline: "The runtime failed", advice: "The output until then is kept. Nothing can be said about the program." }, null);
  },
}, siteWorker);

const terminal = new Terminal({
  line: sendLine,
  end: closeStdin,
  interrupt: () => client.cancel(),
  drawn: (bytes) => client.drawn(bytes),
});
const bar = new RunBar({
  run: () => void run(),
  pauseOrResume: () => (bar.phase === "paused" ? client.resume() : client.pause()),
  cancel: () => client.cancel(),
});
const output = new OutputView(client, terminal, {
  line(text) {
    terminal.echo(text);
    sendLine(text);
  },
  end: closeStdin,
});
const files = new FilesView(client);
const form = new SetupForm(() => clearProblem("run"));
const inputs = new Inputs(() => {
  session.items = inputs.items;
  inputsView.render();
  clearProblem("inputs");
  clearProblem("run");
  syncQuietly();
});
const inputsView = new InputsView(inputs);
const session = new Session(client, {
  programLoaded(program, info) {
    clearProblem("program");
    programView.showInfo(info);
    void lint(program);
  },
  programRefused(program, error) {
    programView.showRefused(program.name, error.message);
    showProblem("program", error);
    void lint(program);
  },
  itemPlaced(item, entries) {
    byId("copying").textContent = "";
    if (entries !== null) inputsView.setEntries(item, entries);
  },
  itemRefused(item, error) {
    byId("copying").textContent = "";
    inputsView.setRefused(item);
    showProblem("inputs", error);
  },
  copying(item, done, total) {
    // Small files are there before this could be read.
    if (total > 8e6) byId("copying").textContent = `Copying ${item.path}: ${bytesText(done)} of ${bytesText(total)}`;
  },
});
const programView = new ProgramView({
  sample: (sample) => void useSample(sample),
  file: (file) => void useFile(file),
  text: useProgram,
});

/** Tells the worker what changed; problems are shown by the session's events. */
function syncQuietly(): void {
  const { program } = session;
  void showIfSlow(
    session.sync().catch(() => {}),
    (busy) => {
      if (busy && program) byId("program").dataset["busy"] = "true";
      else delete byId("program").dataset["busy"];
    },
  );
}

/** Shows what the lint finds, if the program is still the one shown. What it can't read has been refused already. */
async function lint(program: Program): Promise<void> {
  try {
    const report = await client.request({ type: "lint", name: program.name, source: program.source });
    if (session.program === program) programView.showLint(report);
  } catch {
    // The program's own refusal says it.
  }
}

/** Sets up a function task from its files, or from a zip that may hold one. */
async function useTask(source: TaskFiles | File): Promise<void> {
  choice += 1;
  const mine = choice;
  clearProblem("inputs");
  try {
    const files = source instanceof File ? await unzipTask(source) : source;
    const config = files.get("config.json");
    const read = config ? await client.request({ type: "read-config", source: config }) : null;
    if (mine !== choice) return;
    const task = setUpTask(files, read);
    form.fillTask(task.limits);
    inputs.setAll(task.items);
    programView.selectOwn();
    useProgram(task.program);
    functionTask = task.program;
    if (!task.hasInput) {
      showProblem("inputs", {
        code: "no-input",
        message: "The task has no input.txt.",
        hint: "Add one under Input files, or run it without if it needs none.",
      });
    } else if (task.warnings.length > 0) {
      showProblem("inputs", { code: "config-warning", message: task.warnings.join(" "), hint: "The limits that it sets were taken." });
    }
  } catch (error) {
    showProblem("inputs", error);
  }
}

async function unzipTask(zip: File): Promise<TaskFiles> {
  const files = await client.request({ type: "read-task-zip", source: zip });
  return new Map(files.map(({ name, bytes }) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]));
}

function useProgram(program: Program): void {
  choice += 1;
  session.program = program;
  clearProblem("program");
  clearProblem("run");
  programView.showLoading(program.name);
  syncQuietly();
}

async function useFile(file: File): Promise<void> {
  // A sample's inputs mean nothing to another program; what the user has set up is kept.
  const sampleUntouched = byId<HTMLSelectElement>("sample").value !== "" && !form.touched;
  if (sampleUntouched) {
    form.clear();
    inputs.setAll([]);
  }
  if (/\.wa[ts]t?$/i.test(file.name) && !/\.wasm$/i.test(file.name) && file.size <= EDIT_MAX) {
    programView.openText(file.name, await file.text());
  } else {
    programView.selectOwn();
    useProgram({ name: file.name, source: file });
  }
}

async function useSample(sample: Sample): Promise<void> {
  choice += 1;
  const mine = choice;
  programView.selectSample(sample);
  try {
    const loaded = await loadSample(sample);
    if (mine !== choice) return;
    form.fill(sample);
    inputs.setAll(loaded.items);
    useProgram(loaded.program);
  } catch (error) {
    showProblem("program", error);
  }
}

async function run(): Promise<void> {
  clearProblem("run");
  programView.flush();
  try {
    const request = form.read();
    bar.starting(request.limits);
    showView("output");
    await session.sync();
    terminal.reset();
    output.clear();
    files.clear();
    stdinOpen = request.stdin.kind === "live";
    terminal.setReading(stdinOpen);
    output.setInput(stdinOpen ? "open" : null);
    await client.start(request);
    if (stdinOpen && matchMedia("(hover: hover)").matches) terminal.focus();
  } catch (error) {
    endInput();
    bar.done({ tone: "bad", headline: "It did not start", advice: "" }, null);
    if (!document.querySelector(".alert")) showProblem("run", error);
  }
}

function onStatus(state: RunState, stats: RunStats): void {
  bar.status(state, stats);
  output.update(stats);
  if (stdinOpen) output.setInput(state === "blocked" ? "waiting" : "open");
}

async function onDone(outcome: Outcome, stats: RunStats, engines: Engines): Promise<void> {
  endInput();
  output.update(stats);
  output.ended();
  verdictStays = true;
  const note = describeEngines(engines);
  const say = (verdict: Verdict): void => bar.done({ ...verdict, advice: `${verdict.advice} ${note}`.trim() }, stats);
  say(describe(outcome, stats.steps));
  try {
    const entries = await client.files();
    files.show(entries);
    const verdict = functionTask === session.program ? taskVerdict(outcome, entries) : null;
    if (verdict) say(verdict);
  } catch (error) {
    showProblem("files", error);
  }
}

function sendLine(text: string): void {
  if (stdinOpen) client.stdin(utf8.encode(`${text}\n`));
}

function closeStdin(): void {
  if (!stdinOpen) return;
  endInput();
  client.endStdin();
}

function endInput(): void {
  stdinOpen = false;
  terminal.setReading(false);
  output.setInput(null);
}

/** On narrow screens one section is shown at a time. */
function showView(view: string): void {
  document.body.dataset["view"] = view;
  for (const button of document.querySelectorAll<HTMLElement>(".sections button")) {
    button.setAttribute("aria-current", String(button.dataset["view"] === view));
  }
  terminal.fit();
}

function addInputs(items: InputItem[]): void {
  if (items.length === 0) return;
  form.touched = true;
  inputs.add(items);
}

function wirePickers(): void {
  for (const [button, field] of [["addFiles", "inputFiles"], ["addFolder", "inputFolder"]] as const) {
    const picker = byId<HTMLInputElement>(field);
    byId(button).addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      addInputs(readPicked(picker.files ?? []));
      picker.value = "";
    });
  }
}

function wireDrop(): void {
  let depth = 0;
  const hint = (shown: boolean): void => {
    byId("dropHint").hidden = !shown;
  };
  const carriesFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
  window.addEventListener("dragenter", (event) => {
    if (carriesFiles(event)) hint(++depth > 0);
  });
  window.addEventListener("dragleave", (event) => {
    if (carriesFiles(event)) hint(--depth > 0);
  });
  window.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    depth = 0;
    hint(false);
    if (!event.dataTransfer || !carriesFiles(event)) return;
    event.preventDefault();
    readDrop(event.dataTransfer).then(useDropped, (error: unknown) => showProblem("inputs", error));
  });
}

/** One program is the program; several cannot be, so they are input files like the rest. */
function useDropped(dropped: Dropped): void {
  if (dropped.task) {
    void useTask(dropped.task);
    return;
  }
  const [program, ...others] = dropped.programs;
  if (program && others.length === 0) {
    void useFile(program).then(() => addInputs(dropped.items));
    return;
  }
  // A lone file with a name we do not know may still be meant as a program: the format decides, not the name.
  addInputs([...readPicked(dropped.programs.filter((file) => isProgram(file.name))), ...dropped.items]);
}

function wireKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (bar.phase === "idle") void run();
    }
  });
}

async function firstSample(): Promise<void> {
  const before = choice;
  try {
    const samples = await listSamples();
    programView.setSamples(samples);
    const first = samples.find((sample) => sample.id === "hello") ?? samples[0];
    if (first && choice === before) await useSample(first);
  } catch {
    programView.setSamples([]);
  }
}

setUpTheme((dark) => terminal.setDark(dark));
inputsView.render();
wirePickers();
wireDrop();
wireKeys();
for (const button of document.querySelectorAll<HTMLElement>(".sections button")) {
  button.addEventListener("click", () => showView(button.dataset["view"] ?? "setup"));
}
void firstSample();
// The terminal is needed at the first run: fetched when there is nothing else to do.
setTimeout(() => void terminal.load(), 1500);
keepForOffline();
