//! Prints its arguments and its environment, in colour.

use std::env;

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

fn main() {
    let name = env::args().nth(1).unwrap_or_else(|| "world".to_owned());
    println!("{BOLD}{GREEN}Hello, {name}!{RESET}");

    println!("\n{BOLD}Arguments{RESET}");
    for (index, argument) in env::args().enumerate() {
        println!("  {DIM}{index}{RESET} {CYAN}{argument}{RESET}");
    }

    println!("\n{BOLD}Environment{RESET}");
    let mut count = 0;
    for (key, value) in env::vars() {
        println!("  {key}{DIM}={RESET}{CYAN}{value}{RESET}");
        count += 1;
    }
    if count == 0 {
        println!("  {DIM}(empty: a task sees only what it was given){RESET}");
    }

    println!();
    for colour in 16..232 {
        // A row for each of the palette's six cubes of 36 colours.
        print!("\x1b[48;5;{colour}m \x1b[0m");
        if (colour - 16) % 36 == 35 {
            println!();
        }
    }
    eprintln!("{DIM}This line went to standard error.{RESET}");
}
