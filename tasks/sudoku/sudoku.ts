// A function task in AssemblyScript: solves a Sudoku. input.txt has its 81 cells, digits and `.` or `0` for the empty
// ones; white space and lines as in "---+---" do not matter. output.txt gets the solution, nine lines of nine digits.

import { fail, readFile, writeFile } from "./wasi";

const EMPTY: u8 = 0;
const CELLS = 81;

/** The cells, row by row. */
const grid = new StaticArray<u8>(CELLS);

/** Which digits a row, a column or a box has: bit 1 for the digit 1, to bit 9. */
const rows = new StaticArray<u32>(9);
const columns = new StaticArray<u32>(9);
const boxes = new StaticArray<u32>(9);

function boxOf(cell: i32): i32 {
  return (cell / 27) * 3 + (cell % 9) / 3;
}

function taken(cell: i32): u32 {
  return rows[cell / 9] | columns[cell % 9] | boxes[boxOf(cell)];
}

/** Sets an empty cell, or empties a set one: both flip the same bits. */
function flip(cell: i32, digit: u8): void {
  const bit: u32 = 1 << digit;
  rows[cell / 9] ^= bit;
  columns[cell % 9] ^= bit;
  boxes[boxOf(cell)] ^= bit;
  grid[cell] = grid[cell] == EMPTY ? digit : EMPTY;
}

/** The empty cell with the fewest digits left, since a wrong guess there is noticed first; -1 if none is empty. */
function hardest(): i32 {
  let found = -1;
  let fewest = 10;
  for (let cell = 0; cell < CELLS; cell++) {
    if (grid[cell] != EMPTY) continue;
    const left = 9 - popcnt(taken(cell));
    if (left >= fewest) continue;
    fewest = left;
    found = cell;
  }
  return found;
}

/** Fills the grid; if that can't be done it is as before. */
function solve(): bool {
  const cell = hardest();
  if (cell < 0) return true;
  const used = taken(cell);
  for (let digit: u8 = 1; digit <= 9; digit++) {
    if (used & (1 << digit)) continue;
    flip(cell, digit);
    if (solve()) return true;
    flip(cell, digit);
  }
  return false;
}

function read(text: Uint8Array): void {
  let cell = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    const digit: u8 = char - 48;
    // "." or a digit; anything else is there for the eye.
    if (char != 46 && digit > 9) continue;
    if (cell == CELLS) fail("sudoku: input.txt has more than 81 cells");
    if (char != 46 && digit != EMPTY) {
      if (taken(cell) & (1 << digit)) {
        fail(`sudoku: row ${cell / 9 + 1}, column ${cell % 9 + 1}: there is a ${digit} in the same row, column or box`);
      }
      flip(cell, digit);
    }
    cell++;
  }
  if (cell < CELLS) fail(`sudoku: input.txt has ${cell} cells, not 81`);
}

read(readFile("input.txt"));
if (!solve()) fail("sudoku: there is no solution");
let solution = "";
for (let cell = 0; cell < CELLS; cell++) {
  solution += grid[cell].toString();
  if (cell % 9 == 8) solution += "\n";
}
writeFile("output.txt", solution);
