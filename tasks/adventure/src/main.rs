//! A short text adventure on standard input: the lamp of a lighthouse has gone out, and a
//! ship is coming.

mod world;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use world::{Event, World};

fn main() -> ExitCode {
    match play() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("adventure: {error}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> io::Result<ExitCode> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut world = World::new();

    writeln!(output, "\x1b[1mThe Lamp at Skerry Point\x1b[0m")?;
    writeln!(
        output,
        "\x1b[2mTry: look, go north, take, use, listen, help. Ctrl-D leaves.\x1b[0m\n"
    )?;
    writeln!(output, "{}", world.look())?;
    loop {
        write!(output, "\n\x1b[36m>\x1b[0m ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(
                output,
                "\nYou leave the story here. The sea does not mind waiting."
            )?;
            return Ok(ExitCode::SUCCESS);
        }
        match world.act(&line) {
            Event::Told(text) => writeln!(output, "{text}")?,
            Event::Left => {
                writeln!(
                    output,
                    "You leave the story here. The sea does not mind waiting."
                )?;
                return Ok(ExitCode::SUCCESS);
            }
            Event::Won(text) => {
                writeln!(
                    output,
                    "{text}\n\n\x1b[1;32mThe End\x1b[0m, in {} turns.",
                    world.turns()
                )?;
                return Ok(ExitCode::SUCCESS);
            }
            Event::Lost(text) => {
                writeln!(output, "{text}\n\n\x1b[1;31mThe End\x1b[0m")?;
                return Ok(ExitCode::from(1));
            }
        }
    }
}
