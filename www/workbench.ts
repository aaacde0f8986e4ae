/**
 * What is set up: a program, its input files and the form's fields; and how they come in.
 *
 * Nothing here runs anything (`runner.ts`). Other parts of the page read and replace the set-up through `task` and
 * `setTask`, and hear of changes through `changed`.
 */
import { clearProblem, showProblem } from "./alerts";
import type { Client } from "./client";
import type { Documents } from "./documents";
import { byId, showIfSlow } from "./dom";
import { type Dropped, isProgram, readPicked } from "./drop";
import { bytes as bytesText } from "./format";
import { setUpTask, type TaskFiles } from "./functiontask";
import { Inputs, type InputItem } from "./inputs";
import { InputsView } from "./inputsview";
import { ProgramView } from "./programview";
import { listSamples, loadSample, type Sample } from "./samples";
import { Session, type Program } from "./session";
import { type Fields, SetupForm } from "./setupform";
import { Signal } from "./signal";
import { Source } from "./source";
import { WAT } from "./starters";

/** Text modules up to this size are opened in the editor. */
const EDIT_MAX = 1024 * 1024;

/** A package keeps the name of a text that was assembled for it. */
async function isBinary(source: Blob): Promise<boolean> {
  const head = new Uint8Array(await source.slice(0, 4).arrayBuffer());
  return head[0] === 0 && String.fromCharCode(...head.subarray(1)) === "asm";
}

/** All that a user has set up. */
export interface TaskSetup {
  program: Program | null;
  /** The sample that the program is, if it is one as it was published. */
  sample: string | null;
  items: readonly InputItem[];
  fields: Fields;
}

export class Workbench {
  /** Emitted whenever program, files or fields have changed. */
  readonly changed = new Signal<void>();
  /** Takes what was dropped or opened, if it is for another part of the page. */
  taker: (dropped: Dropped) => Promise<boolean> = () => Promise.resolve(false);
  readonly form: SetupForm;
  readonly inputs: Inputs;
  readonly session: Session;
  readonly source: Source;
  readonly #client: Client;
  readonly #programView: ProgramView;
  #samples: readonly Sample[] = [];
  #sample: Sample | null = null;
  /** The latest choice of a program wins over one that still loads. */
  #choice = 0;
  /** The program of the function task that is set up: its run needs an output. */
  #functionTask: Program | null = null;

  constructor(client: Client, docs: Documents) {
    this.#client = client;
    this.form = new SetupForm(() => {
      clearProblem("run");
      this.changed.emit();
    });
    this.inputs = new Inputs(() => {
      this.session.items = this.inputs.items;
      inputsView.render();
      clearProblem("inputs");
      clearProblem("run");
      this.sync();
      this.changed.emit();
    });
    const inputsView = new InputsView(this.inputs, docs);
    this.session = this.#makeSession(inputsView);
    this.#programView = new ProgramView({
      sample: (sample) => void this.useSample(sample),
      file: (file) => void this.useFile(file),
      write: () => this.write("program.wat", WAT),
      source: () => this.source.reopen(),
    });
    this.source = new Source(docs, {
      typed: (program) => this.#typed(program),
      hidden: (is) => this.#programView.offerSource(is),
    });
    inputsView.render();
  }

  #makeSession(inputsView: InputsView): Session {
    return new Session(this.#client, {
      programLoaded: (program, info) => {
        clearProblem("program");
        this.#programView.showInfo(info);
        void this.#lint(program);
      },
      programRefused: (program, error) => {
        this.#programView.showRefused(program.name, error.message);
        showProblem("program", error);
        void this.#lint(program);
      },
      itemPlaced: (item, entries) => {
        byId("copying").textContent = "";
        if (entries !== null) inputsView.setEntries(item, entries);
      },
      itemRefused: (item, error) => {
        byId("copying").textContent = "";
        inputsView.setRefused(item);
        showProblem("inputs", error);
      },
      copying(item, done, total) {
        // Small files are there before this could be read.
        if (total > 8e6) byId("copying").textContent = `Copying ${item.path}: ${bytesText(done)} of ${bytesText(total)}`;
      },
    });
  }

  /** What is set up now. */
  get task(): TaskSetup {
    return { program: this.session.program, sample: this.#sample?.id ?? null, items: this.inputs.items, fields: this.form.fields };
  }

  /** Puts another set-up in the place of this one. */
  async setTask(task: TaskSetup): Promise<void> {
    const sample = this.#samples.find(({ id }) => id === task.sample);
    this.form.setFields(task.fields);
    this.inputs.setAll(task.items);
    if (sample) await this.#loadSample(sample, false);
    else if (task.program) await this.#open(task.program);
  }

  /** Whether the program is that of the function task that was set up. */
  get isFunctionTask(): boolean {
    return this.#functionTask !== null && this.#functionTask === this.session.program;
  }

  /** Tells the worker what changed; problems are shown by the session's events. */
  sync(): void {
    const { program } = this.session;
    void showIfSlow(
      this.session.sync().catch(() => {}),
      (busy) => {
        if (busy && program) byId("program").dataset["busy"] = "true";
        else delete byId("program").dataset["busy"];
      },
    );
  }

  /** Shows what the lint finds, if the program is still the one shown. What it can't read has been refused already. */
  async #lint(program: Program): Promise<void> {
    try {
      const report = await this.#client.request({ type: "lint", name: program.name, source: program.source });
      if (this.session.program === program) this.#programView.showLint(report);
    } catch {
      // The program's own refusal says it.
    }
  }

  #useProgram(program: Program): void {
    this.#choice += 1;
    this.session.program = program;
    clearProblem("program");
    clearProblem("run");
    this.#programView.showLoading(program.name);
    this.sync();
    this.changed.emit();
  }

  #useOwn(program: Program): void {
    this.#sample = null;
    this.#programView.selectOwn();
    this.#useProgram(program);
  }

  #typed(program: Program): void {
    this.#useOwn(program);
  }

  /** Opens a text for writing, as the program. */
  write(name: string, text: string): void {
    this.source.edit(name, text);
    this.source.focus();
    this.#useOwn({ name, source: new Blob([text]) });
  }

  /** A program of the user's: in the editor if it is text. */
  async #open(program: Program): Promise<void> {
    if (/\.wast?$|\.wat$/i.test(program.name) && program.source.size <= EDIT_MAX && !(await isBinary(program.source))) {
      this.source.edit(program.name, await program.source.text());
    } else {
      this.source.clear();
    }
    this.#useOwn(program);
  }

  async useFile(file: File): Promise<void> {
    if (!isProgram(file.name) && (await this.taker({ items: readPicked([file]), programs: [], task: null }))) return;
    // A sample's inputs mean nothing to another program; what the user has set up is kept.
    if (this.#sample && !this.form.touched) {
      this.form.clear();
      this.inputs.setAll([]);
    }
    await this.#open({ name: file.name, source: file });
  }

  useSample(sample: Sample): Promise<void> {
    return this.#loadSample(sample, true);
  }

  /** `whole`: with its inputs and fields, not the program alone. */
  async #loadSample(sample: Sample, whole: boolean): Promise<void> {
    this.#choice += 1;
    const mine = this.#choice;
    this.#programView.selectSample(sample);
    try {
      const { program, items, source } = await loadSample(sample);
      if (mine !== this.#choice) return;
      this.#sample = sample;
      if (whole) this.form.fill(sample);
      if (whole) this.inputs.setAll(items);
      if (!source) this.source.clear();
      else if (source.isProgram) this.source.edit(source.name, source.text);
      else this.source.read(source.name, source.text);
      this.#useProgram(program);
    } catch (error) {
      showProblem("program", error);
    }
  }

  /** Sets up a function task from its files, or from a zip that may hold one. */
  async #useTask(from: TaskFiles | File): Promise<void> {
    this.#choice += 1;
    const mine = this.#choice;
    clearProblem("inputs");
    try {
      const files = from instanceof File ? await this.#unzipTask(from) : from;
      const config = files.get("config.json");
      const read = config ? await this.#client.request({ type: "read-config", source: config }) : null;
      if (mine !== this.#choice) return;
      const task = setUpTask(files, read);
      this.form.fillTask(task.limits);
      this.inputs.setAll(task.items);
      this.source.clear();
      this.#useOwn(task.program);
      this.#functionTask = task.program;
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

  async #unzipTask(zip: File): Promise<TaskFiles> {
    const files = await this.#client.request({ type: "read-task-zip", source: zip });
    return new Map(files.map(({ name, bytes }) => [name, new Blob([bytes as Uint8Array<ArrayBuffer>])]));
  }

  addInputs(items: InputItem[]): void {
    if (items.length === 0) return;
    this.form.touched = true;
    this.inputs.add(items);
  }

  /** One program is the program; several cannot be, so they are input files like the rest. */
  async useDropped(dropped: Dropped): Promise<void> {
    if (await this.taker(dropped)) return;
    if (dropped.task) {
      void this.#useTask(dropped.task);
      return;
    }
    const [program, ...others] = dropped.programs;
    if (program && others.length === 0) {
      void this.useFile(program).then(() => this.addInputs(dropped.items));
      return;
    }
    // A lone file with a name we do not know may still be meant as a program: the format decides, not the name.
    this.addInputs([...readPicked(dropped.programs.filter((file) => isProgram(file.name))), ...dropped.items]);
  }

  /** Loads the list of samples. */
  async loadSamples(): Promise<void> {
    try {
      this.#samples = await listSamples();
    } catch {
      // The list stays empty, and says so.
    }
    this.#programView.setSamples([...this.#samples]);
  }

  /** The first visit has a sample ready, unless something else was chosen meanwhile. */
  async useFirstSample(): Promise<void> {
    const first = this.#samples.find((sample) => sample.id === "hello") ?? this.#samples[0];
    if (first && this.#choice === 0) await this.useSample(first);
  }
}
