//! A guest on Verirun, through its public API.

use super::{Case, End, Hash, Node, Outcome};
use std::collections::BTreeMap;
use std::path::Path;
use verirun::fs::{Filesystem, Kind, entries};
use verirun::{Input, Module, Run, State, Task};

/// Runs `guest` on Verirun with an empty root directory.
pub fn run_on_verirun(guest: &Path, case: &Case) -> Outcome {
    run_task_on_verirun(guest, case, |_| {})
}

/// As [`run_on_verirun`], with what `change` makes of the task.
pub fn run_task_on_verirun(guest: &Path, case: &Case, change: impl FnOnce(&mut Task)) -> Outcome {
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
    let mut run = Run::start(&module, &task).expect("the run starts");
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
