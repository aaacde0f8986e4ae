/** Runs before the page is drawn, so that a chosen theme does not flash in. */
import { applyTheme, storedTheme } from "./theme";

applyTheme(storedTheme());
