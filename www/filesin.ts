/** How files come in: pickers, and drops anywhere on the page. */
import { showProblem } from "./alerts";
import { byId } from "./dom";
import { readDrop, readPicked } from "./drop";
import type { Workbench } from "./workbench";

export function setUpPickers(workbench: Workbench): void {
  for (const [button, field] of [["addFiles", "inputFiles"], ["addFolder", "inputFolder"]] as const) {
    const picker = byId<HTMLInputElement>(field);
    byId(button).addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      workbench.addInputs(readPicked(picker.files ?? []));
      picker.value = "";
    });
  }
}

export function setUpDrop(workbench: Workbench): void {
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
  // Before the editor, which would take the files' text.
  window.addEventListener(
    "drop",
    (event) => {
      depth = 0;
      hint(false);
      if (!event.dataTransfer || !carriesFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      readDrop(event.dataTransfer).then(
        (dropped) => workbench.useDropped(dropped),
        (error: unknown) => showProblem("inputs", error),
      );
    },
    { capture: true },
  );
}
