//! `verirun lint`.

use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use verirun::lint::lint;

/// The exit code for a module that can't run.
const REFUSED: u8 = 1;
/// The exit code for a file that can't be read as a module.
const UNREADABLE: u8 = 2;

#[derive(Args)]
pub struct Arguments {
    /// Print the report as JSON (docs/lint.md has its fields).
    #[arg(long)]
    json: bool,
    /// The program (a WebAssembly module, binary or text).
    #[arg(value_name = "MODULE")]
    module: PathBuf,
}

/// Prints the report.
pub fn run(arguments: &Arguments) -> ExitCode {
    let path = &arguments.module;
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("verirun: can't read {}: {error}", path.display());
            return ExitCode::from(UNREADABLE);
        }
    };
    let report = match lint(&path.to_string_lossy(), &bytes) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("verirun: {error}\n{}", error.hint());
            return ExitCode::from(UNREADABLE);
        }
    };
    let shown = match arguments.json {
        true => serde_json::to_string_pretty(&report).map(|json| json + "\n"),
        false => Ok(report.to_string()),
    };
    let written = shown
        .map_err(std::io::Error::from)
        .and_then(|text| std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes()));
    match written {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("verirun: can't write the report: {error}");
            ExitCode::from(UNREADABLE)
        }
        _ if report.runs => ExitCode::SUCCESS,
        _ => ExitCode::from(REFUSED),
    }
}
