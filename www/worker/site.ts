/** The page's worker: the runtime is loaded from beside it. */
import { serve } from "../worker";
import { KeptModules } from "./keptmodules";
import { loadRuntime } from "./runtime";

/** The runtime's digest, put in by www/build.mjs. */
declare const BUILD: string;

void serve((report) => loadRuntime(import.meta.url, report), new KeptModules(BUILD));
