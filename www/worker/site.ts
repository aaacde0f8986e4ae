/** The page's worker: the runtime is loaded from beside it. */
import { serve } from "../worker";
import { loadRuntime } from "./runtime";

void serve((report) => loadRuntime(import.meta.url, report));
