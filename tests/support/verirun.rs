//! A guest on Verirun, through its public API.

use super::{Case, End, Hash, Node, Outcome};
use std::collections::BTreeMap;
use std::path::Path;
use verirun::engine::Kind as Engine;
use verirun::fs::{Filesystem, Kind, entries};
use verirun::{Choice, Driving, Input, Module, Run, State, Task};

/// Runs `guest` on Verirun with an empty root directory.
pub fn run_on_verirun(guest: &Path, case: &Case) -> Outcome {
    run_driven(guest, case, Choice::Interpreter, |_| {})
}

/// As [`run_on_verirun`], on both engines if there are two (`--features wasmtime`); they must do the same.
pub fn run_on_both(guest: &Path, case: &Case) -> Outcome {
    run_task_on_both(guest, case, |_| {})
}

/// As [`run_on_both`], with what `change` makes of the task.
pub fn run_task_on_both(guest: &Path, case: &Case, change: impl FnOnce(&mut Task)) -> Outcome {
    let engine = match Engine::COMPILER.is_there() {
        true => Choice::Both,
        false => Choice::Interpreter,
    };
    run_driven(guest, case, engine, change)
}

fn run_driven(
    guest: &Path,
    case: &Case,
    engine: Choice,
    change: impl FnOnce(&mut Task),
) -> Outcome {
    let name = guest
        .file_stem()
        .expect("a file")
        .to_string_lossy()
        .into_owned();
    let bytes = std::fs::read(guest).expect("the guest can be read");
    let module = Module::load(&name, &bytes).expect("the guest loads");
    let mut task = Task {
        args: vec![name.into_bytes()],
        env: case.env.clone(),
        stdin: Input::Bytes(case.stdin.clone()),
        ..Task::default()
    };
    task.args.extend(case.args.iter().cloned());
    change(&mut task);
    let driving = Driving {
        engine,
        ..Driving::default()
    };
    let mut run = Run::start_with(&module, &task, driving).expect("the run starts");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        let state = run.slice(10_000_000);
        for chunk in run.take_output() {
            let stream = if chunk.fd == 1 {
                &mut stdout
            } else {
                &mut stderr
            };
            stream.extend(chunk.bytes);
        }
        match state {
            State::Running => {}
            State::Blocked => panic!("a run whose stdin is closed never waits for it"),
            State::Done => break,
        }
    }
    let engines = run.engines();
    let was_compared = engines.compared == (engine == Choice::Both);
    assert!(was_compared, "{:?}: {engines:?}", run.outcome());
    let end = match run.outcome() {
        Some(verirun::Outcome::Exit { code }) => End::Exit(i64::from(*code)),
        Some(other) => End::Trap(format!("{other:?}")),
        None => panic!("a run that is done has an outcome"),
    };
    Outcome {
        end,
        stdout,
        stderr,
        tree: tree(run.files()),
    }
}

fn tree(fs: &Filesystem) -> BTreeMap<String, Node> {
    let nodes = entries(fs).into_iter().map(|entry| {
        let node = match entry.kind {
            Kind::Directory => Node::Directory,
            Kind::Symlink => Node::Symlink(entry.target.expect("a symlink has a target")),
            Kind::File => {
                let content = fs
                    .content(fs.find(&entry.path).expect("it is listed"))
                    .expect("it is a file");
                let (mut hash, mut offset, mut buffer) = (Hash::default(), 0, vec![0; 65_536]);
                loop {
                    let n = content.read_at(offset, &mut buffer);
                    if n == 0 {
                        break;
                    }
                    hash.update(&buffer[..n]);
                    offset += n as u64;
                }
                Node::File(entry.size, hash.0)
            }
        };
        (entry.path, node)
    });
    nodes.collect()
}
