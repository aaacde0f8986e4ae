/** The project's name and state at the top of the page, and the list of all. */
import { showProblem } from "../alerts";
import { byId, icon, iconButton, make } from "../dom";
import { saveAs } from "../download";
import type { Listed, Projects, SaveState } from "./projects";

const STATES: Record<SaveState, string> = {
  unchanged: "",
  saving: "Saving…",
  saved: "Saved",
  failed: "Not saved",
  unavailable: "Not kept",
};

export class ProjectsView {
  readonly #projects: Projects;
  readonly #name = make("span", { className: "project-name" });
  readonly #state = make("span", { id: "saveState", className: "save-state", attrs: { role: "status" } });
  readonly #dialog = byId<HTMLDialogElement>("projects");
  readonly #list = make("ul", { className: "project-list" });
  readonly #said = make("p", { className: "about", attrs: { role: "status" } });
  #renaming: string | null = null;

  constructor(projects: Projects, fresh: () => Promise<void>) {
    this.#projects = projects;
    const button = make(
      "button",
      { id: "projectButton", type: "button", className: "project", title: "Projects", attrs: { "aria-haspopup": "dialog" }, on: { click: () => this.#open() } },
      icon("folder"),
      this.#name,
    );
    byId("projectSlot").append(button, this.#state);
    this.#makeDialog(fresh);
    projects.changed.on(() => this.#render());
    this.#render();
  }

  #makeDialog(fresh: () => Promise<void>): void {
    const picker = make("input", { id: "importFile", type: "file", accept: ".zip", hidden: true, attrs: { "aria-label": "Zip of projects" } });
    picker.addEventListener("change", () => {
      const file = picker.files?.[0];
      picker.value = "";
      if (file) this.#try(async () => this.#say(`${await this.#projects.import(file)} imported.`));
    });
    const action = (label: string, act: () => Promise<void>): HTMLElement => make("button", { type: "button", on: { click: () => this.#try(act) } }, label);
    this.#dialog.append(
      make("h2", { id: "projectsTitle" }, "Projects"),
      make("p", { className: "about" }, "Kept in this browser, on this device; saved by themselves while you work."),
      make(
        "div",
        { className: "row" },
        action("New", async () => {
          // What goes wrong is said behind it.
          this.#dialog.close();
          await fresh();
        }),
        action("Duplicate this one", async () => this.#duplicate()),
        action("Export all (.zip)", async () => saveAs("verirun-projects.zip", await this.#projects.exportAll())),
        action("Import…", async () => picker.click()),
        picker,
      ),
      this.#said,
      this.#list,
      make("button", { type: "button", className: "dialog-close", on: { click: () => this.#dialog.close() } }, "Close"),
    );
  }

  async #duplicate(): Promise<void> {
    await this.#projects.save();
    const { current } = this.#projects;
    if (current) await this.#projects.duplicate(current);
  }

  #try(act: () => Promise<void>): void {
    this.#say("");
    act().catch((error: unknown) => {
      // A dialog hides the page's alerts.
      this.#dialog.close();
      showProblem("project", error);
    });
  }

  #say(text: string): void {
    this.#said.replaceChildren(text);
  }

  #open(): void {
    this.#say(this.#projects.problem);
    this.#dialog.showModal();
    this.#render();
  }

  #render(): void {
    this.#name.textContent = this.#projects.name;
    const text = STATES[this.#projects.state];
    if (this.#state.textContent !== text) this.#state.textContent = text;
    this.#state.dataset["state"] = this.#projects.state;
    this.#state.title = this.#projects.problem;
    if (this.#dialog.open) void this.#fill();
  }

  async #fill(): Promise<void> {
    const entries = await this.#projects.list();
    const rows = entries.map((entry) => this.#row(entry));
    if (rows.length === 0) rows.push(make("li", { className: "about" }, "None yet. The first change you make begins one."));
    this.#list.replaceChildren(...rows);
    const field = this.#list.querySelector<HTMLInputElement>("input");
    if (field && document.activeElement !== field) {
      field.focus();
      field.select();
    }
  }

  #row(entry: Listed): HTMLLIElement {
    const { id, name } = entry;
    if (this.#renaming === id) return make("li", {}, this.#renameField(entry));
    const current = id === this.#projects.current;
    return make(
      "li",
      { className: current ? "current" : "", attrs: current ? { "aria-current": "true" } : {} },
      make(
        "button",
        {
          type: "button",
          className: "open",
          on: {
            click: () =>
              this.#try(async () => {
                await this.#projects.open(id);
                // Also if it was not opened: why is said behind it.
                this.#dialog.close();
              }),
          },
        },
        make("span", { className: "path" }, name),
        make("span", { className: "sum" }, current ? "open" : entry.unsaved ? "not saved" : new Date(entry.updated).toLocaleString()),
      ),
      iconButton("edit", `Rename ${name}`, () => {
        this.#renaming = id;
        void this.#fill();
      }),
      iconButton("copy", `Duplicate ${name}`, () => this.#try(() => this.#projects.duplicate(id))),
      iconButton("close", `Delete ${name}`, () => this.#try(() => this.#remove(entry))),
    );
  }

  async #remove({ id, name }: Listed): Promise<void> {
    if (!(await this.#projects.remove(id))) {
      this.#say(`“${name}” was deleted. There was no room to keep it for Undo.`);
      return;
    }
    const undo = make(
      "button",
      {
        type: "button",
        on: {
          click: () =>
            this.#try(async () => {
              const back = await this.#projects.restore(id);
              this.#say(back ? `“${name}” is back.` : `“${name}” can't be brought back: its room was needed.`);
            }),
        },
      },
      "Undo",
    );
    this.#said.replaceChildren(`“${name}” was deleted. `, undo);
    undo.focus();
  }

  #renameField({ id, name }: Listed): HTMLElement {
    const field = make("input", { type: "text", value: name, attrs: { "aria-label": "New name" } });
    const stop = (): void => {
      this.#renaming = null;
      void this.#fill();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      stop();
    });
    const submit = (event: Event): void => {
      event.preventDefault();
      this.#renaming = null;
      const wanted = field.value.trim();
      this.#try(async () => (wanted === "" || wanted === name ? stop() : this.#projects.rename(id, wanted)));
    };
    return make("form", { className: "rename", on: { submit } }, field, make("button", { type: "submit" }, "Rename"), make("button", { type: "button", on: { click: stop } }, "Keep"));
  }
}
