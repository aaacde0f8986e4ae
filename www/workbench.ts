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
import { type Dropped, isProgram, readChosen, readPicked } from "./drop";
import { bytes as bytesText } from "./format";
import { loadTask, type TaskFiles } from "./functiontask";
import type { Mark } from "./editor/marks";
import { archiveFormat, cleanPath, Inputs, type InputItem } from "./inputs";
import { InputsView } from "./inputsview";
import { ProgramView } from "./programview";
import { type Progress, type Ready, readProgram, readSample } from "./ready";
import { listSamples, runtimeFor, type Sample } from "./samples";
import { passing, Session, type Program } from "./session";
import { type Fields, SetupForm } from "./setupform";
import { Signal } from "./signal";
import { Source } from "./source";
import { WAT } from "./starters";

/** All that a user has set up. */
export interface TaskSetup {
  program: Program | null;
  /** The sample that the program is, if it is one as it was published. */
  sample: string | null;
  items: readonly InputItem[];
  fields: Fields;
}

export class Workbench {
  /** Emitted whenever a user has changed program, files or fields; not when a sample or a project is loaded. */
  readonly changed = new Signal<void>();
  /** Emitted when `changed` will be in a moment: someone is typing. */
  readonly changing = new Signal<void>();
  /** Emitted when a sample has been put in place. */
  readonly loaded = new Signal<void>();
  /** Emitted before something else takes the place of what a user has worked on. */
  readonly leaving = new Signal<void>();
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
  /** The input file that is the program, to an interpreter. */
  #script: string | null = null;
  /** A sample or a project is being put in place: that is no change. */
  #quiet = false;
  /** Whether a program was written here, which another one must not take the place of. */
  #written = false;
  /** The program that was typed last. */
  #typing: Program | null = null;
  /** The latest choice of a program wins over one that still loads. */
  #choice = 0;
  /** The program of the function task that is set up: its run needs an output. */
  #functionTask: Program | null = null;

  constructor(client: Client, docs: Documents) {
    this.#client = client;
    this.form = new SetupForm(() => {
      clearProblem("run");
      this.#emit();
    });
    this.inputs = new Inputs(() => {
      this.session.items = this.inputs.items;
      inputsView.render();
      clearProblem("inputs");
      clearProblem("run");
      this.sync();
      this.#emit();
    });
    const inputsView = new InputsView(this.inputs, docs);
    this.session = this.#makeSession(inputsView);
    this.#programView = new ProgramView({
      sample: (sample) => void this.useSample(sample),
      file: (file) => void this.useFile(file),
      write: (language) => this.#begin(language),
      source: () => this.source.reopen(),
    });
    this.source = new Source(docs, {
      typing: () => this.changing.emit(),
      typed: (text) => this.#typed(text),
      hidden: (is) => this.#programView.offerSource(is),
    });
    inputsView.render();
  }

  #makeSession(inputsView: InputsView): Session {
    return new Session(this.#client, {
      programLoaded: (program, info) => {
        clearProblem("program");
        if (this.#script === null) this.source.setMarks([]);
        this.#programView.showInfo(info);
        void this.#lint(program);
      },
      programRefused: (program, error) => {
        if (error.code === "cancelled") return this.#programView.showUnchecked(program.name);
        this.#programView.showRefused(program.name, error.place?.brief ?? error.message);
        if (error.place) this.source.setMarks([{ ...error.place, message: error.place.brief }]);
        // What is being written is wrong most of the time; the place in the text says enough.
        if (!error.place || program !== this.#typing) showProblem("program", error);
        // What was not even looked at can't be linted either.
        if (!passing(error.code)) void this.#lint(program);
      },
      itemPlaced: (item, entries) => {
        byId("copying").textContent = "";
        if (entries !== null) inputsView.setEntries(item, entries);
      },
      itemRefused: (item, error) => {
        byId("copying").textContent = "";
        if (error.code === "cancelled") return;
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

  /** What it is called as long as it has no name of its own. */
  get title(): string {
    return this.#sample?.title ?? this.session.program?.name ?? "Untitled";
  }

  #emit(): void {
    if (!this.#quiet) this.changed.emit();
  }

  /** Does what is no change by a user. */
  #quietly(work: () => void): void {
    const before = this.#quiet;
    this.#quiet = true;
    try {
      work();
    } finally {
      this.#quiet = before;
    }
  }

  /** Lets go of what was worked on, so that it is kept as it is. */
  #leave(): void {
    this.source.flush();
    this.leaving.emit();
    this.#written = false;
  }

  /**
   * Puts something in the place of what is set up, once all of it is there: `read` loads it and returns what puts it.
   * Until then, and if it can't be loaded, what was there stays, to be worked on. Tells whether it was put in place:
   * not if another choice was made meanwhile.
   */
  async #replace(topic: string, read: (progress: Progress) => Promise<() => void>): Promise<boolean> {
    // What was typed before this choice is older than it.
    this.source.flush();
    this.#choice += 1;
    const mine = this.#choice;
    try {
      const put = await read((sample, done, total) => {
        if (mine === this.#choice) this.#programView.showProgress(sample.title, done, total ?? sample.size ?? null);
      });
      if (mine !== this.#choice) return false;
      this.source.flush();
      put();
      return true;
    } catch (error) {
      if (mine !== this.#choice) return false;
      this.#programView.endProgress();
      this.#select();
      showProblem(topic, error);
      return false;
    }
  }

  /** Shows which sample the program is. */
  #select(): void {
    if (this.#sample) this.#programView.selectSample(this.#sample);
    else this.#programView.selectOwn();
  }

  /** Puts another set-up in the place of this one; tells whether it did (if not, the reason was shown, or is a later choice). */
  setTask(task: TaskSetup): Promise<boolean> {
    return this.#replace("program", async (progress) => {
      const sample = this.#samples.find(({ id }) => id === task.sample);
      const ready = sample ? await readSample(sample, progress, task.items) : await readProgram(task.program);
      return () => {
        this.#leave();
        this.#quietly(() => {
          this.form.setFields(task.fields);
          this.inputs.setAll(task.items);
          this.#place(ready);
        });
        this.form.touched = true;
        this.#written = ready.source?.readOnly === false;
        if (ready.program || task.sample === null) return;
        showProblem("program", { code: "sample-missing", message: `The sample “${task.sample}” is not here any more.`, hint: "Choose another program." });
      };
    });
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

  #useProgram(program: Program | null): void {
    this.#choice += 1;
    this.session.program = program;
    clearProblem("program");
    clearProblem("run");
    if (program) this.#programView.showLoading(program.name);
    else this.#programView.showNone();
    this.sync();
    this.#emit();
  }

  #useOwn(program: Program): void {
    this.#sample = null;
    this.#script = null;
    this.#select();
    this.#useProgram(program);
  }

  /** Puts a program in place, with its source. */
  #place({ program, sample, source, script }: Ready): void {
    this.#sample = sample;
    this.#select();
    if (source) this.source.show(source);
    else this.source.clear();
    this.#script = script;
    this.#useProgram(program);
    if (sample) this.loaded.emit();
  }

  /** The source was edited: it is the program itself, or the file that an interpreter runs. */
  #typed(text: string): void {
    const source = new Blob([text]);
    this.#written = true;
    if (this.#script === null) {
      const program = { name: this.source.shown?.name ?? "program.wat", source };
      this.#typing = program;
      this.#useOwn(program);
      return;
    }
    this.source.setMarks([]);
    const item: InputItem = { kind: "file", path: this.#script, source };
    this.form.touched = true;
    this.inputs.add([item]);
  }

  /** A new program in a language: the id of a runtime, or nothing for WebAssembly text. */
  #begin(language: string): void {
    const runtime = this.#samples.find(({ id, runtimeFor }) => id === language && runtimeFor);
    if (runtime) void this.useSample(runtime).then((placed) => placed && this.source.focus());
    else this.write("program.wat", WAT);
  }

  /** Opens a text for writing, as the program. */
  write(name: string, text: string): void {
    this.#leave();
    this.#clearSample();
    this.source.show({ name, text, readOnly: false, about: "The program" });
    this.source.focus();
    this.#useOwn({ name, source: new Blob([text]) });
  }

  /** A sample's inputs mean nothing to another program; what the user has set up is kept. */
  #clearSample(): void {
    if (!this.#sample || this.form.touched) return;
    this.form.clear();
    this.#quietly(() => this.inputs.setAll([]));
  }

  /** A program of the user's: in the editor if it is text, with its interpreter if it needs one. */
  async useFile(file: File): Promise<boolean> {
    if (!isProgram(file.name)) {
      // No choice yet: what still loads goes on if this turns out to be no program.
      const latest = this.#choice;
      try {
        const chosen = await readChosen(file);
        if (await this.taker(chosen)) return false;
        if (latest !== this.#choice) return false;
        // Where nothing can be dropped, on a phone, this is the way to open a task.
        if (chosen.task) return await this.#useTask(chosen.task);
      } catch (error) {
        showProblem("program", error);
        return false;
      }
      if (archiveFormat(file.name) === "zip") {
        const hint = "Choose a .wasm or .wat file, or a zip of a function task. To give this zip's files to a program, add it under Input files.";
        showProblem("program", { code: "no-task", message: `${file.name} is no program: there is no task.wasm in it.`, hint });
        return false;
      }
    }
    return this.#replace("program", async (progress) => {
      const runtime = runtimeFor(this.#samples, file.name);
      const text: InputItem | null = runtime?.program === undefined ? null : { kind: "file", path: cleanPath(runtime.program), source: file };
      const ready = runtime && text ? await readSample(runtime, progress, [text]) : await readProgram({ name: file.name, source: file });
      return () => {
        // What was written stays a project of its own; a program that was built elsewhere may be replaced by a new build.
        if (this.#written) this.#leave();
        this.#clearSample();
        if (runtime && text) {
          this.inputs.add([text]);
          this.form.setArgs(runtime.args ?? []);
        }
        this.#place(ready);
      };
    });
  }

  useSample(sample: Sample): Promise<boolean> {
    return this.#replace("program", async (progress) => {
      this.#programView.selectSample(sample);
      const ready = await readSample(sample, progress);
      return () => {
        this.#leave();
        this.form.fill(sample);
        this.#quietly(() => {
          this.inputs.setAll(ready.items);
          this.#place(ready);
        });
      };
    });
  }

  /** Shows in the source where a run went wrong, if it went wrong there. */
  markSource(file: string, marks: readonly Mark[]): void {
    const shown = this.source.shown;
    if (shown && fileName(file) === fileName(shown.name)) this.source.setMarks(marks);
  }

  /** The path of the text that an interpreter runs, if one does. */
  get script(): string | null {
    return this.#script;
  }

  #useTask(from: TaskFiles | File): Promise<boolean> {
    clearProblem("inputs");
    return this.#replace("inputs", async () => {
      const task = await loadTask(this.#client, from);
      return () => {
        this.#leave();
        this.form.fillTask(task.limits);
        this.inputs.setAll(task.items);
        this.source.clear();
        this.#useOwn(task.program);
        this.#functionTask = task.program;
        if (task.problem) showProblem("inputs", task.problem);
      };
    });
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
      void this.useFile(program).then((placed) => placed && this.addInputs(dropped.items));
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

  /** A new project: the first sample, which is what the first visit has ready. Not if something else was chosen meanwhile. */
  async useFirstSample(always = false): Promise<void> {
    const first = this.#samples.find((sample) => sample.id === "hello") ?? this.#samples[0];
    if (first && (always || this.#choice === 0)) await this.useSample(first);
  }
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
