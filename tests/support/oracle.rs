//! A guest on `wasmi_wasi` (wasi-common and cap-std), over a fresh directory of the host.

use super::{Case, End, Hash, Node, Outcome};
use std::collections::BTreeMap;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread::JoinHandle;
use wasmi::{Engine, Linker, Module, Store};
use wasmi_wasi::wasi_common::sync::file::File;
use wasmi_wasi::{WasiCtx, WasiCtxBuilder, WasiFile, ambient_authority};

/// Whether the oracle can be given this case: it takes strings only.
pub fn can_run(case: &Case) -> bool {
    case.args
        .iter()
        .chain(&case.env)
        .all(|text| std::str::from_utf8(text).is_ok())
}

/// Runs `guest` on the oracle with an empty preopened directory `/`.
pub fn run_on_oracle(guest: &Path, case: &Case) -> Outcome {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (stdin, mut feed) = pipe().expect("a pipe");
    let (stdout, out) = pipe().expect("a pipe");
    let (stderr, err) = pipe().expect("a pipe");
    // Readers must run beside the guest, or it would wait for room in a pipe.
    let (stdout, stderr) = (drain(stdout), drain(stderr));
    let input = case.stdin.clone();
    let feeder = std::thread::spawn(move || {
        // The guest may close its stdin before it read everything.
        let _ = feed.write_all(&input);
    });
    let end = call(
        guest,
        context(guest, case, directory.path(), stdin, out, err),
    );
    feeder.join().expect("the feeder does not panic");
    let mut tree = BTreeMap::new();
    walk(directory.path(), "", &mut tree);
    Outcome {
        end,
        stdout: stdout.join().expect("the reader does not panic"),
        stderr: stderr.join().expect("the reader does not panic"),
        tree,
    }
}

fn context(
    guest: &Path,
    case: &Case,
    root: &Path,
    stdin: PipeReader,
    out: PipeWriter,
    err: PipeWriter,
) -> WasiCtx {
    let text =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the oracle takes UTF-8 only");
    let stream = |fd: OwnedFd| -> Box<dyn WasiFile> {
        Box::new(File::from_cap_std(cap_std::fs::File::from_std(
            std::fs::File::from(fd),
        )))
    };
    let mut builder = WasiCtxBuilder::new();
    builder
        .arg(&guest.file_stem().expect("a file").to_string_lossy())
        .expect("short");
    for arg in &case.args {
        builder.arg(&text(arg)).expect("short");
    }
    for entry in &case.env {
        let entry = text(entry);
        let (name, value) = entry.split_once('=').expect("NAME=VALUE");
        builder.env(name, value).expect("short");
    }
    let dir =
        cap_std::fs::Dir::open_ambient_dir(root, ambient_authority()).expect("it was just made");
    builder.preopened_dir(dir, "/").expect("a directory");
    builder
        .stdin(stream(stdin.into()))
        .stdout(stream(out.into()))
        .stderr(stream(err.into()));
    builder.build()
}

/// Drops the context, and with it the guest's ends of the pipes.
fn call(guest: &Path, context: WasiCtx) -> End {
    let engine = Engine::default();
    let bytes = std::fs::read(guest).expect("the guest can be read");
    let module = Module::new(&engine, &bytes).expect("the guest is valid");
    let mut linker = Linker::<WasiCtx>::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |context| context).expect("nothing is defined twice");
    super::oracle_unstable::add_to_linker(&mut linker);
    let mut store = Store::new(&engine, context);
    let instance = match linker.instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => return End::Trap(error.to_string()),
    };
    let start = instance
        .get_typed_func::<(), ()>(&store, "_start")
        .or_else(|_| instance.get_typed_func::<(), ()>(&store, "_initialize"))
        .expect("a guest exports _start or _initialize");
    match start.call(&mut store, ()) {
        Ok(()) => End::Exit(0),
        Err(error) => match error.i32_exit_status() {
            Some(status) => End::Exit(i64::from(status)),
            None => End::Trap(error.to_string()),
        },
    }
}

fn drain(mut reader: PipeReader) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).expect("a pipe can be read");
        all
    })
}

fn walk(directory: &Path, prefix: &str, tree: &mut BTreeMap<String, Node>) {
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().expect("a kind");
        let node = if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), tree);
            Node::Directory
        } else if kind.is_symlink() {
            Node::Symlink(
                std::fs::read_link(entry.path())
                    .expect("a link")
                    .to_string_lossy()
                    .into_owned(),
            )
        } else {
            let mut file = std::fs::File::open(entry.path()).expect("a file");
            let (mut hash, mut size, mut buffer) = (Hash::default(), 0, vec![0; 65_536]);
            loop {
                let n = file.read(&mut buffer).expect("a file can be read");
                if n == 0 {
                    break;
                }
                hash.update(&buffer[..n]);
                size += n as u64;
            }
            Node::File(size, hash.0)
        };
        tree.insert(path, node);
    }
}
