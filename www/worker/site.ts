/** The page's worker: the runtime is loaded from beside it. */
import { UserError } from "../problem";
import { serve } from "../worker";
import { KeptModules } from "./keptmodules";
import { loadRuntime } from "./runtime";

/** Put in by www/build.mjs: the runtime's digest, where its files are, and which worker this is. */
declare const BUILD: string;
declare const GLUE: string;
declare const RUNTIME: string;
declare const REST: string;
declare const WORKER_ID: string;

/** The page says which worker it expects: one of another version may not understand it. */
function checkVersion(): void {
  const [, wanted] = self.name.split(" ");
  if (wanted === undefined || wanted === WORKER_ID) return;
  throw new UserError({
    code: "version-mixed",
    message: "The site was updated since this page was loaded, so a part of it can’t be loaded any more.",
    hint: "Reload the page. Your project is saved.",
  });
}

void serve(async (report) => {
  checkVersion();
  return loadRuntime(import.meta.url, report, { glue: GLUE, module: RUNTIME, rest: REST });
}, new KeptModules(BUILD));
