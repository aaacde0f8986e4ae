//! `--engine`: what executes a task.

use clap::Args;
use verirun::engine::{EngineError, Kind};
use verirun::{Choice, Driving, Run};

/// What executes the task.
#[derive(Args)]
pub struct EngineOptions {
    /// What executes the program; the result is the same. `interpreter`; `wasmtime`, a compiler, if
    /// this Verirun was built with it; `auto`: the interpreter, and wasmtime (if it is there) for
    /// what turns out to be heavy; `both`: one after the other, and compared.
    #[arg(long, value_name = "ENGINE", default_value = "auto")]
    engine: String,
}

/// An engine that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// There is none of that name.
    #[error("--engine {0}: it is interpreter, wasmtime, auto or both")]
    Unknown(String),
    /// It was left out of this build.
    #[error("--engine {0}: {1}")]
    Absent(String, EngineError),
}

impl EngineOptions {
    /// The choice.
    pub fn read(&self) -> Result<Driving, ChoiceError> {
        let name = || self.engine.clone();
        let engine = Choice::named(&self.engine).ok_or_else(|| ChoiceError::Unknown(name()))?;
        if matches!(engine, Choice::Compiler | Choice::Both) && !Kind::COMPILER.is_there() {
            return Err(ChoiceError::Absent(name(), EngineError::NoWasmtime));
        }
        Ok(Driving {
            engine,
            ..Driving::default()
        })
    }

    /// Why two engines were not compared, if they were to be.
    pub fn not_compared(&self, run: &Run) -> Option<String> {
        let engines = run.engines();
        match Choice::named(&self.engine) {
            Some(Choice::Both) if !engines.compared => {
                let why = engines.instead.as_deref().unwrap_or("the run failed");
                Some(format!("the engines were not compared: {why}"))
            }
            _ => None,
        }
    }

    /// Says on standard error if a run that ended was not made as it was asked for.
    pub fn explain(&self, run: &Run) {
        if let Some(what) = self.not_compared(run) {
            eprintln!("verirun: {what}");
        } else if let Some(why) = run.engines().instead {
            eprintln!("verirun: the interpreter ran it, with the same result: {why}");
        }
    }
}
