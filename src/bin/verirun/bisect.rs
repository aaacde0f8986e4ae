//! `verirun bisect`: where two runs of one task part.

use crate::brought::{BroughtError, BroughtOptions};
use crate::receipt::{self, ReadError};
use crate::run::SLICE;
use clap::Args;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use verirun::bisect::{BisectError, Bisection, Finding, Look, Progress, Side, What, Window};
use verirun::checkpoint::{Checkpoints, Fault};
use verirun::receipt::{Digest, Envelope, NoReceipt, Parting, Refusal, Streams, compare, parting};
use verirun::{Driving, Module, Run, StartError, State, Task};

const SAME: u8 = 0;
const DIFFERENT: u8 = 1;
const CANNOT_TELL: u8 = 2;

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    brought: BroughtOptions,
    /// Do not run a task whose receipt says more steps than this.
    #[arg(long, value_name = "STEPS")]
    max_steps: Option<u64>,
    /// Print the finding as JSON too.
    #[arg(long)]
    json: bool,
    /// The receipts, one or two, of runs with --checkpoints.
    #[arg(value_name = "RECEIPT", required = true, num_args = 1..=2)]
    receipts: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Receipt(#[from] ReadError),
    #[error("{} and {} are receipts of different tasks: {} and {}", .0.display(), .1.display(), .2, .3)]
    Tasks(PathBuf, PathBuf, Digest, Digest),
    #[error(transparent)]
    Brought(#[from] BroughtError),
    #[error(transparent)]
    Refused(Refusal),
    #[error("{0}\n{hint}", hint = .0.hint())]
    Start(#[from] StartError),
    #[error("{} says that the run makes {} steps, and --max-steps allows {}", .0.display(), .1, .2)]
    TooLong(PathBuf, u64, u64),
    #[error(transparent)]
    NoReceipt(#[from] NoReceipt),
    #[error("made again, the run waits for input that it did not have")]
    Waits,
    #[error(transparent)]
    Bisect(#[from] BisectError),
}

/// A receipt and what came of making its run again.
struct Claim {
    name: String,
    envelope: Envelope,
    /// The checkpoints of its run: those beside it, unless they are found to be others.
    checkpoints: Option<Checkpoints>,
    /// The fault with which this machine gets the same.
    fault: Option<Fault>,
    /// Whether this machine gets the same, with the fault if there is one.
    repeated: bool,
}

/// Tells where the runs part.
pub fn run(arguments: &Arguments) -> ExitCode {
    match try_run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error @ (Error::Bisect(_) | Error::Waits)) => {
            say(&format!("CANNOT TELL: {error}"));
            ExitCode::from(CANNOT_TELL)
        }
        Err(error) => {
            eprintln!("verirun: {error}");
            ExitCode::from(CANNOT_TELL)
        }
    }
}

fn say(line: &str) {
    // Whoever closed the pipe has seen enough; the exit code still tells.
    let _ = writeln!(io::stdout(), "{line}");
}

fn read(path: &Path) -> Result<Claim, Error> {
    let envelope = receipt::read(path)?;
    Ok(Claim {
        name: path.to_string_lossy().into_owned(),
        checkpoints: envelope.checkpoints(),
        envelope,
        fault: None,
        repeated: false,
    })
}

/// A run that was made again.
struct Made {
    /// Its receipt, which comes with its checkpoints; `None` if it was stopped.
    envelope: Option<Envelope>,
    checkpoints: Option<Checkpoints>,
    steps: u64,
}

/// Runs the task to its end, or to `most` steps: a false receipt of an endless task must not keep us.
fn rerun(module: &Module, task: &Task, fault: Option<Fault>, most: u64) -> Result<Made, Error> {
    let driving = Driving {
        fault,
        ..Driving::default()
    };
    let mut run = Run::start_with(module, task, driving)?;
    let mut streams = Streams::default();
    let mut has_ended = true;
    loop {
        let state = run.slice(SLICE);
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
        match state {
            State::Blocked => return Err(Error::Waits),
            State::Done => break,
            State::Running if run.stats().steps > most => {
                has_ended = false;
                break;
            }
            State::Running => {}
        }
    }
    let envelope = match has_ended {
        true => Some(Envelope::of(&run, &streams)?),
        false => None,
    };
    Ok(Made {
        envelope,
        checkpoints: run.checkpoints(),
        steps: run.stats().steps,
    })
}

/// Whether the receipts say the same; checkpoints count where both have some.
fn agree(a: &Envelope, b: &Envelope) -> bool {
    let (one, two) = (&a.receipt, &b.receipt);
    match (&one.checkpoints, &two.checkpoints) {
        (Some(_), Some(_)) => a.id == b.id,
        _ => one.result_id() == two.result_id(),
    }
}

fn try_run(arguments: &Arguments) -> Result<u8, Error> {
    let mut claims = Vec::new();
    for path in &arguments.receipts {
        claims.push(read(path)?);
    }
    if let [a, b] = &claims[..] {
        let tasks = [a, b].map(|claim| claim.envelope.receipt.task.id());
        if tasks[0] != tasks[1] {
            let [one, two] = [0, 1].map(|index| arguments.receipts[index].clone());
            return Err(Error::Tasks(one, two, tasks[0], tasks[1]));
        }
    }
    for (claim, path) in claims.iter().zip(&arguments.receipts) {
        let steps = claim.envelope.rerun().steps();
        if let Some(most) = arguments.max_steps
            && steps > most
        {
            return Err(Error::TooLong(path.clone(), steps, most));
        }
    }
    let (modules, brought) = arguments.brought.read()?;
    let first = &claims[0].envelope;
    let module = modules
        .of(first, &arguments.receipts[0])
        .map_err(Error::Refused)?;
    let mut task = first.task(brought).map_err(Error::Refused)?;
    task.checkpoints = true;
    // What is true is what this machine gets.
    let most = claims.iter().map(|claim| claim.envelope.rerun().most());
    let most = most.max().unwrap_or(0);
    let here = rerun(&module, &task, None, most)?;
    for claim in &mut claims {
        look_at(claim, &here, &module, &task)?;
    }
    let is_wrong = |claim: &&Claim| !claim.repeated || claim.fault.is_some();
    let Some(wrong) = claims.iter().find(is_wrong) else {
        say("SAME: nothing differs");
        return Ok(SAME);
    };
    let lists = wrong.checkpoints.as_ref().zip(here.checkpoints.as_ref());
    let parting = lists.map(|(said, found)| coarse(wrong, said, found));
    let other = claims
        .iter()
        .find(|claim| claim.repeated && claim.fault.is_none());
    let right = other.map_or("this run", |claim| &claim.name);
    let names = [right, &wrong.name];
    if !wrong.repeated {
        return alone(wrong, parting, &module, &task);
    }
    let sides = [
        Side::default(),
        Side {
            fault: wrong.fault.clone(),
            ..Side::default()
        },
    ];
    // The difference is after the last checkpoint that is the same; but if none differs, what does may
    // have been put right before the next one, with its effect in a local.
    let known = parting.filter(|parting| parting.number.is_some());
    let (from, to) = known.map_or((0, None), |parting| (parting.from, parting.to));
    let mut bisection = Bisection::new(&module, &task, sides, from, to);
    let mut told = 0;
    loop {
        let progress = bisection.advance()?;
        let levels = bisection.levels();
        while told + 1 < levels.len() || (told < levels.len() && progress != Progress::Working) {
            let level = &levels[told];
            if told > 0 && level.from < levels[told - 1].from {
                say("what the checkpoints say is the same is not: again, from the start");
            }
            let to = level.to.map_or("the end".to_owned(), |to| to.to_string());
            told += 1;
            say(&format!(
                "pass {told}: stops every {} steps from {} to {to}, {} the same",
                level.interval, level.from, level.same
            ));
        }
        match progress {
            Progress::Working => {}
            Progress::Same => {
                say("CANNOT TELL: made again, the runs do the same");
                return Ok(CANNOT_TELL);
            }
            Progress::Found(finding) => {
                say(&describe(&finding, names));
                if arguments.json {
                    say(&serde_json::to_string(&finding).unwrap_or_default());
                }
                return Ok(DIFFERENT);
            }
        }
    }
}

/// Makes the run of a receipt again, as it is and, if it gives another result, with the fault that
/// stands beside it.
fn look_at(claim: &mut Claim, here: &Made, module: &Module, task: &Task) -> Result<(), Error> {
    let name = &claim.name;
    let said = &claim.envelope;
    if let Some(here) = &here.envelope
        && agree(said, here)
    {
        claim.repeated = true;
        say(&format!("{name}: this machine gets the same"));
        return Ok(());
    }
    let difference = match &here.envelope {
        Some(here) => compare(&said.receipt, &here.receipt),
        None => said.rerun().overrun_at(here.steps),
    };
    let difference = difference.map(|difference| difference.to_string());
    say(&format!(
        "{name}: this machine gets something else: {}",
        difference.unwrap_or_default()
    ));
    let given = said.given.as_ref();
    let fault = given.and_then(|given| given.fault.as_deref());
    let Some(Ok(fault)) = fault.map(str::parse::<Fault>) else {
        return Ok(());
    };
    let again = rerun(module, task, Some(fault.clone()), said.rerun().most())?;
    let Some(envelope) = again.envelope else {
        return Ok(());
    };
    if agree(said, &envelope) {
        say(&format!(
            "{name}: with the fault that stands beside it ({fault}), this machine gets the same"
        ));
    } else if said.receipt.result_id() == envelope.receipt.result_id() {
        say(&format!(
            "{name}: with the fault that stands beside it ({fault}), this machine gets the same result, but other checkpoints: those of the receipt are false"
        ));
        claim.checkpoints = again.checkpoints;
    } else {
        return Ok(());
    }
    claim.fault = Some(fault);
    claim.repeated = true;
    Ok(())
}

/// Tells between which checkpoints the runs part.
fn coarse(wrong: &Claim, said: &Checkpoints, found: &Checkpoints) -> Parting {
    match parting(said, found) {
        Some(parting) => {
            let to = parting
                .to
                .map_or("the end".to_owned(), |to| format!("step {to}"));
            say(&format!(
                "checkpoints: {} of {} are the same; they part between step {} and {to} ({})",
                parting.number.unwrap_or(parting.count),
                parting.count,
                parting.from,
                parting.what.join(", ")
            ));
            parting
        }
        None => {
            let last = said.list.last().map_or(0, |last| last.steps);
            say(&format!(
                "checkpoints: all {} of {} are the same; they part behind the last, at step {last}",
                said.list.len(),
                wrong.name
            ));
            Parting {
                number: None,
                from: last,
                to: None,
                what: Vec::new(),
                count: said.list.len(),
            }
        }
    }
}

/// What the run does here where it parts from the claim. What a stranger wrote bounds it no further
/// than the steps that the receipt says.
fn look(claim: &Claim, parting: &Parting, module: &Module, task: &Task) -> Result<Window, Error> {
    let most = claim.envelope.rerun().most();
    let to = parting.to.map_or(most, |to| to.min(most));
    let mut look = Look::new(module, task, parting.from.min(to), to)?;
    loop {
        if let Some(window) = look.advance()? {
            return Ok(window);
        }
    }
}

/// What can be told of a run that this machine can't make again.
fn alone(
    wrong: &Claim,
    parting: Option<Parting>,
    module: &Module,
    task: &Task,
) -> Result<u8, Error> {
    let Some(parting) = parting else {
        let name = &wrong.name;
        let which = match wrong.envelope.receipt.checkpoints {
            None => "has none: make it with --checkpoints",
            Some(_) => "came without them, or they were changed",
        };
        say(&format!(
            "CANNOT TELL: no checkpoints to look at: {name} {which}"
        ));
        return Ok(CANNOT_TELL);
    };
    let Window {
        functions,
        calls,
        more,
    } = look(wrong, &parting, module, task)?;
    let mut text = String::new();
    let name = |function: Option<u32>| match function {
        Some(function) => named(function, module.function_name(function)),
        None => "the start".to_owned(),
    };
    let _ = write!(
        text,
        "DIFFERENT between step {} and {}: here the program is in {} before, in {} after",
        parting.from,
        parting.to.map_or("the end".to_owned(), |to| to.to_string()),
        name(functions[0]),
        name(functions[1])
    );
    if !calls.is_empty() {
        let calls: Vec<_> = calls
            .iter()
            .map(|call| format!("{} at step {}", call.name, call.steps))
            .collect();
        let _ = write!(text, ", and calls {}", calls.join(", "));
        if more > 0 {
            let _ = write!(text, " and {more} more times");
        }
    }
    text.push_str(". The receipt has digests only: whoever made it can look closer");
    say(&text);
    Ok(DIFFERENT)
}

fn named(function: u32, name: Option<String>) -> String {
    let name = name.map(|name| format!(" `{}`", name.escape_debug()));
    format!("function {function}{}", name.unwrap_or_default())
}

fn describe(finding: &Finding, names: [&str; 2]) -> String {
    let place = match finding.function {
        Some(function) => format!(" in {}", named(function, finding.function_name.clone())),
        None => String::new(),
    };
    let [a, b] = names;
    let both = |one: String, two: String| format!("{one} in {a}, {two} in {b}");
    let what = match &finding.what {
        What::Memory {
            memory,
            address,
            values: [one, two],
            bytes,
        } => {
            let which = if *memory == 0 {
                String::new()
            } else {
                format!(" {memory}")
            };
            let values = both(format!("{one:#010x}"), format!("{two:#010x}"));
            let more = match bytes {
                1 => "1 byte differs".to_owned(),
                bytes => format!("{bytes} bytes differ"),
            };
            format!("the word at {address:#010x} of memory{which} is {values} ({more})")
        }
        What::MemorySize {
            memory,
            values: [one, two],
        } => format!(
            "memory {memory} has {}",
            both(format!("{one} bytes"), format!("{two} bytes"))
        ),
        What::Global {
            global,
            first,
            values: [one, two],
        } => {
            let half = if *first == 0 {
                ""
            } else {
                "the upper half of "
            };
            let values = both(format!("{one:#x}"), format!("{two:#x}"));
            format!("{half}global {global} is {values}")
        }
        What::TableSize {
            table,
            values: [one, two],
        } => format!(
            "table {table} has {}",
            both(format!("{one} elements"), format!("{two} elements"))
        ),
        What::Call { values: [one, two] } => {
            let show = |call: &Option<verirun::bisect::CallSeen>| {
                call.as_ref()
                    .map_or("no call".to_owned(), ToString::to_string)
            };
            format!("the call is {}", both(show(one), show(two)))
        }
        What::Output { fd: 1 } => "standard output differs".to_owned(),
        What::Output { .. } => "standard error differs".to_owned(),
        What::System => "descriptors, clock, random source or input differ".to_owned(),
        What::Files => "the files differ".to_owned(),
        What::Steps { values: [one, two] } => {
            format!("the steps are {}", both(one.to_string(), two.to_string()))
        }
        What::End { values: [one, two] } => {
            format!("it ended: {}", both(one.clone(), two.clone()))
        }
    };
    let [one, two] = finding.steps;
    let at = match one == two {
        true => one.to_string(),
        false => both(one.to_string(), two.to_string()),
    };
    format!(
        "DIFFERENT at step {at} (all is the same at step {}){place}: {what}",
        finding.from
    )
}
