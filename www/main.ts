/** The playground: makes the parts and connects them. */
import { Documents } from "./documents";
import { setUpDrop, setUpPickers } from "./filesin";
import { setUpKeys } from "./keys";
import { KeptView } from "./keptview";
import { Layout } from "./layout";
import { Projects } from "./projects/projects";
import { ProjectsView } from "./projects/view";
import { Runner } from "./runner";
import { Share } from "./share/share";
import { keepForOffline } from "./offline/register";
import { setUpTheme } from "./theme";
import { Watch } from "./watch/watch";
import { Workbench } from "./workbench";

const layout = new Layout();
const docs = new Documents((some) => layout.setDocuments(some));
docs.wanted.on(() => layout.show("docs"));
const runner = new Runner(docs, (view) => layout.show(view));
const workbench = new Workbench(runner.client, docs);
runner.attach(workbench);
new Watch(runner);
const projects = new Projects(workbench);
new ProjectsView(projects, () => workbench.useFirstSample(true));
workbench.loaded.on(() => projects.changed.emit());
layout.moved.on(() => runner.terminal.fit());

setUpTheme((dark) => runner.terminal.setDark(dark));
setUpPickers(workbench);
setUpDrop(workbench);
setUpKeys([
  { key: "enter", mod: true, about: "Run", act: () => void runner.run() },
  { key: "enter", mod: true, shift: true, about: "Pause, or go on", act: () => runner.pauseOrResume() },
  { key: ".", mod: true, about: "Cancel the run", act: () => runner.cancel() },
  { key: "s", mod: true, about: "Save the project now; it is saved by itself too", act: () => void projects.save() },
]);

// Parts of others go here. They get `workbench` (what is set up: `task`, `setTask`, `changed`) and `runner` (`started`,
// `ended`, `client`), and put what they show into #shareSlot (beside Run) and #verifySlot (at the top).

const kept = new KeptView(runner.client);
runner.ended.on(() => void kept.refresh());

const share = new Share(workbench, runner);

void (async () => {
  await workbench.loadSamples();
  const restored = await projects.start();
  // Only now: what a link sets up must not be replaced by what was open before.
  share.openAddress();
  if (!restored) await workbench.useFirstSample();
})();
// The terminal is large, and needed at the first run: fetched at the first sign of someone who may start one.
for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
  addEventListener(sign, () => void runner.terminal.load(), { once: true, passive: true });
}
keepForOffline();
