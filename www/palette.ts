/** The terminal's colours in both themes; the ANSI ones are chosen to be readable on the background. */
import type { ITheme } from "@xterm/xterm";

const light: ITheme = {
  background: "#fdfcfa",
  foreground: "#1c1b19",
  cursor: "#0b6b57",
  cursorAccent: "#fdfcfa",
  selectionBackground: "#cfe6de",
  black: "#1c1b19",
  red: "#b3261e",
  green: "#1d6f3a",
  yellow: "#7d5400",
  blue: "#1f56b0",
  magenta: "#8b2f8f",
  cyan: "#0a6a78",
  white: "#6b665d",
  brightBlack: "#6b665d",
  brightRed: "#c8322a",
  brightGreen: "#237d44",
  brightYellow: "#8a5d00",
  brightBlue: "#2a66c8",
  brightMagenta: "#9c3ba0",
  brightCyan: "#0f7686",
  brightWhite: "#3a3833",
};

const dark: ITheme = {
  background: "#101210",
  foreground: "#e8e6e1",
  cursor: "#5fd6ad",
  cursorAccent: "#101210",
  selectionBackground: "#2c4f44",
  black: "#3a3d39",
  red: "#ff8a80",
  green: "#7ddf9b",
  yellow: "#f2c063",
  blue: "#8ab8ff",
  magenta: "#e39fe6",
  cyan: "#6fd5e3",
  white: "#d8d5ce",
  brightBlack: "#97948c",
  brightRed: "#ffa59d",
  brightGreen: "#9cebb4",
  brightYellow: "#ffd68a",
  brightBlue: "#abcbff",
  brightMagenta: "#f0bdf2",
  brightCyan: "#96e6f1",
  brightWhite: "#ffffff",
};

export function terminalTheme(isDark: boolean): ITheme {
  return isDark ? dark : light;
}
