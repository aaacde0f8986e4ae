//! `cargo xtask`: everything the project does, one command each.

mod bench;
mod binaryen;
mod browser;
mod checks;
mod e2e;
mod go;
mod guests;
mod layout;
mod node;
mod npm;
mod outdated;
mod pip;
mod process;
mod runtimes;
mod scale;
mod serve;
mod shape;
mod site;
mod spec;
mod split;
mod task_build;
mod task_check;
mod tasks;
mod tools;
mod zig;

use anyhow::{Result, bail};
use layout::Layout;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <command>

  serve [--port N] [--base /PATH/] [--no-build]
          build the release site and serve it; prints the address.
          Port 0 takes any free port. --no-build serves what is in dist/.
  build   build the static site into dist/
  test    everything: checks, guests, sample tasks, unit and end-to-end tests,
          the npm package, the specification's tests in browsers
  check   the fast part of test: formatting, clippy, types, Rust tests
  tasks   build the sample tasks and compare what they do with what they should
  bench [--browser NAME] [--rounds N] [--programs A,B] [--no-build]
          compare the site with the browser's bare engine and with other interpreters,
          in Chromium and, where installed, Firefox; a table, and charts in dist/bench/
  bench interpreter [--browser NAME] [--rounds N] [--variants A,B] [--programs A,B] [--fuel]
          compare builds of the interpreter in Chromium and, where installed, Firefox;
          the variant `site` is the site's, with metering and all, `NAME@once` measures one
          long run in a worker of its own, which shares the code that the browser has compiled
          if NAME is measured beside it; --fuel turns wasmi's own metering on
  bench meter [--browser NAME] [--rounds N] [--programs A,B]
          what metering costs, on the browser's own engine and on the interpreter in it
  bench scale [PART...]
          show how the time of filesystem work grows with its size (benches/scale.rs)
  npm     build the site and the npm package: target/npm/verirun.tgz
  guests  build the test programs in tests/guests (Rust, C, AssemblyScript)
  spec    write the specification's tests for browsers, and build the interpreter
          that runs them there, into target/spec
  zig     install zig, which compiles C, C++ and Zig for WASI, and print where it is
  help    this text

What a command needs and does not find, it installs into target/tools and node_modules.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", args),
    };
    if matches!(command, "help" | "--help" | "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let options = serve::Options::parse(if command == "serve" { rest } else { &[] })?;
    if !matches!(command, "serve" | "bench")
        && let Some(extra) = rest.first()
    {
        bail!("`{command}` takes no argument, but got `{extra}`; see `cargo xtask help`");
    }

    let layout = Layout::find()?;
    match command {
        "serve" => {
            if options.build {
                site::build(&layout)?;
            }
            serve::serve(&layout.dist(), &options)
        }
        "build" => site::build(&layout),
        "test" => checks::test(&layout),
        "check" => checks::check(&layout),
        "tasks" => {
            let built = tasks::build(&layout)?;
            task_check::check(&layout, &built, &task_check::command_line(&layout)?)
        }
        "bench" if rest.first().is_some_and(|what| what == "scale") => {
            scale::run(&layout, &rest[1..])
        }
        "bench" => bench::run(&layout, rest),
        "npm" => {
            site::build(&layout)?;
            npm::build(&layout)
        }
        "guests" => guests::build(&layout),
        "spec" => checks::spec(&layout),
        "zig" => {
            println!("{}", zig::ensure(&layout)?.display());
            Ok(())
        }
        _ => bail!("no command `{command}`; see `cargo xtask help`"),
    }
}
