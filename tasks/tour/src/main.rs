//! A walk through what WASI gives a program. On another machine, in another browser, on
//! another day it prints the same: a task sees only what it was given.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> ExitCode {
    match tour() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> io::Result<()> {
    given();
    clock_and_chance()?;
    files()?;
    directories()?;
    errors();
    Ok(())
}

fn heading(text: &str) {
    println!("\n\x1b[1;36m{text}\x1b[0m");
}

fn given() {
    heading("What it was given");
    for (index, argument) in std::env::args().enumerate() {
        println!("  argument {index}: {argument}");
    }
    for (key, value) in std::env::vars() {
        println!("  environment: {key} = {value}");
    }
}

fn clock_and_chance() -> io::Result<()> {
    heading("Clock and chance");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(io::Error::other)?;
    println!(
        "  seconds since 1970: {}.{:09}",
        now.as_secs(),
        now.subsec_nanos()
    );
    // std seeds its hash tables with `random_get`.
    println!("  a random number: {:016x}", RandomState::new().hash_one(0));
    let map: HashMap<i32, ()> = (0..10).map(|key| (key, ())).collect();
    let order: Vec<String> = map.keys().map(i32::to_string).collect();
    println!("  the order of a hash table: {}", order.join(" "));
    Ok(())
}

fn files() -> io::Result<()> {
    heading("Files");
    println!(
        "  note.txt, as given: {:?}",
        fs::read_to_string("note.txt")?.trim_end()
    );

    fs::write("diary.txt", "Monday: rain\n")?;
    let mut diary = OpenOptions::new().append(true).open("diary.txt")?;
    writeln!(diary, "Tuesday: more rain")?;
    drop(diary);
    print!(
        "  diary.txt, written and appended to:\n{}",
        indent(&fs::read_to_string("diary.txt")?)
    );

    let mut sparse = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open("sparse.bin")?;
    sparse.seek(SeekFrom::Start(4096))?;
    sparse.write_all(b"end")?;
    sparse.seek(SeekFrom::Start(4094))?;
    let mut tail = [0; 5];
    sparse.read_exact(&mut tail)?;
    println!(
        "  sparse.bin: {} bytes, the last {tail:?}",
        sparse.metadata()?.len()
    );

    fs::rename("sparse.bin", "renamed.bin")?;
    println!(
        "  renamed; is sparse.bin still there? {}",
        fs::exists("sparse.bin")?
    );
    Ok(())
}

fn directories() -> io::Result<()> {
    heading("Directories");
    fs::create_dir_all("museum/east/hall")?;
    fs::create_dir_all("museum/west")?;
    fs::write("museum/east/vase.txt", "blue")?;
    fs::write("museum/west/mask.txt", "gold")?;
    fs::hard_link("museum/west/mask.txt", "museum/east/hall/copy.txt")?;
    list("museum", 1)?;
    fs::write("museum/west/mask.txt", "gold and silver")?;
    println!(
        "  through its second name: {}",
        fs::read_to_string("museum/east/hall/copy.txt")?
    );
    fs::remove_dir_all("museum/west")?;
    println!("  after the west wing closed:");
    list("museum", 1)
}

fn list(folder: &str, depth: usize) -> io::Result<()> {
    let pad = "  ".repeat(depth);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            println!("{pad}{name}/");
            list(&format!("{folder}/{name}"), depth + 1)?;
        } else {
            println!("{pad}{name} ({} bytes)", entry.metadata()?.len());
        }
    }
    Ok(())
}

fn errors() {
    heading("What does not work, and how it says so");
    let attempts: [(&str, io::Result<()>); 4] = [
        (
            "open a file that is not there",
            File::open("nowhere").map(drop),
        ),
        (
            "leave through the roof",
            File::open("../../etc/passwd").map(drop),
        ),
        ("read a directory as a file", fs::read("museum").map(drop)),
        (
            "remove a directory with things in it",
            fs::remove_dir("museum"),
        ),
    ];
    for (what, result) in attempts {
        match result {
            Ok(()) => println!("  {what}: it worked"),
            Err(error) => println!("  {what}: {}", error.kind()),
        }
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
