//! Checkpoints: the same however a run is made, in receipts, and where two runs part.

use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::rc::Rc;
use verirun::bisect::{Bisection, Look, Progress, Side, What, Window};
use verirun::checkpoint::{Checkpoints, Collector, FIRST_INTERVAL, Fault, MOST, Watching};
use verirun::engine::{Engine, Interpreter, Slice};
use verirun::meter::{Bounds, Detail, Options, Target};
use verirun::receipt::{
    Brought, Digest, Envelope, Status, Streams, adjudicate, compare_with, parting,
};
use verirun::wasi::{Clock, Setup, Stdin, System};
use verirun::{Driving, Module, Run, State, Task};

const SIEVE: &str = include_str!("../docs/demo/sieve.wat");

/// Everything that a checkpoint holds changes here: memories that grow, globals of every type, a table,
/// files with holes, links and removals, descriptors, the clock, random bytes, both streams.
const BUSY: &str = include_str!("receipt/busy.wat");

fn module(text: &str) -> Module {
    Module::load("test.wat", text.as_bytes()).expect("it loads")
}

fn task() -> Task {
    Task {
        checkpoints: true,
        ..Task::default()
    }
}

/// Runs to the end in slices, with this fault; the receipt comes with its checkpoints.
fn receipt(module: &Module, task: &Task, slice: u64, fault: Option<&str>) -> Envelope {
    let driving = Driving {
        fault: fault.map(|text| text.parse().expect("a fault")),
        ..Driving::default()
    };
    let mut run = Run::start_with(module, task, driving).expect("it starts");
    let mut streams = Streams::default();
    while run.slice(slice) == State::Running {
        for chunk in run.take_output() {
            streams.write(&chunk);
        }
    }
    for chunk in run.take_output() {
        streams.write(&chunk);
    }
    Envelope::of(&run, &streams).expect("a receipt")
}

/// The checkpoints of a module that is instrumented for this kind of engine, here on the interpreter.
fn taken(module: &Module, target: Target) -> Checkpoints {
    let task = Task::default();
    let mut system = System::new(Setup {
        args: vec![],
        env: vec![],
        stdin: Stdin::fixed(b""),
        terminal: false,
        fs: task.files.canonical(verirun::wasi::EPOCH),
        preopens: task.preopens.clone(),
        clock: Clock::fixed(),
        random: task.random,
        output_limit: None,
        file_limit: None,
        trace: false,
    })
    .expect("the root is there");
    system.output.digest();
    let options = Options {
        detail: Detail::Fast,
        target,
        state: true,
    };
    let metered = module.metered(options).expect("it can be metered");
    let mut engine = Interpreter::new(&metered, module.info.kind, system, Bounds::default())
        .expect("it can be started");
    let collector = Rc::new(RefCell::new(Collector::default()));
    let watching = Watching::new(Some(Rc::clone(&collector)), None);
    engine.observe(Box::new(watching)).expect("it can look");
    while engine.slice(1 << 24) == Slice::Yielded {
        engine.system_mut().output.take();
    }
    collector.borrow().taken().clone()
}

#[test]
fn they_are_the_same_in_slices_of_any_size_and_for_any_engine() {
    for text in [SIEVE, BUSY] {
        let module = module(text);
        let whole = receipt(&module, &task(), u64::MAX, None);
        let checkpoints = whole.checkpoints().expect("they came with it");
        assert!(checkpoints.list.len() > 5, "{}", checkpoints.list.len());
        for slice in [1_000, 54_321, 1 << 20] {
            assert_eq!(
                receipt(&module, &task(), slice, None).id,
                whole.id,
                "{slice}"
            );
        }
        for target in [Target::Interpreter, Target::Compiler] {
            assert_eq!(taken(&module, target), checkpoints, "{target:?}");
        }
        for pair in checkpoints.list.windows(2) {
            assert!(pair[0].steps / checkpoints.interval < pair[1].steps / checkpoints.interval);
        }
    }
}

#[test]
fn each_part_of_the_state_shows() {
    let list = receipt(&module(BUSY), &task(), 1 << 20, None)
        .checkpoints()
        .expect("they came with it")
        .list;
    let changes = |of: fn(&verirun::checkpoint::Checkpoint) -> Digest| {
        list.windows(2)
            .filter(|pair| of(&pair[0]) != of(&pair[1]))
            .count()
    };
    for (what, count) in [
        ("memory", changes(|one| one.memory)),
        ("globals", changes(|one| one.globals)),
        ("system", changes(|one| one.system)),
        ("files", changes(|one| one.files)),
        ("stdout", changes(|one| one.stdout)),
        ("stderr", changes(|one| one.stderr)),
    ] {
        assert!(count > 0, "{what}");
    }
}

#[test]
fn nothing_of_the_result_depends_on_them() {
    for text in [SIEVE, BUSY] {
        let module = module(text);
        let with = receipt(&module, &task(), 1 << 20, None);
        let without = receipt(&module, &Task::default(), 1 << 20, None);
        assert_ne!(with.id, without.id);
        assert_eq!(with.receipt.result_id(), without.id);
        assert_eq!(without.receipt.checkpoints, None);
        let solutions = |list: &[&Envelope]| {
            let named = list.iter().map(|one| ("x".to_owned(), Ok((*one).clone())));
            adjudicate(list.len(), list.len(), named.collect()).status
        };
        assert_eq!(solutions(&[&with, &without]), Status::Success);
    }
}

#[test]
fn memory_is_hashed_as_documented() {
    // Two pages, and a third later: what is in them, by hand.
    let text = r#"(module
        (memory (export "memory") 2)
        (data (i32.const 70000) "abc")
        (global (mut i32) (i32.const -2)) (global i32 (i32.const 5))
        (global (mut i64) (i64.const 3)) (global (mut f32) (f32.const 1))
        (global (mut v128) (v128.const i64x2 7 8)) (global (mut funcref) (ref.null func))
        (table 9 funcref)
        (func (export "_start")))"#;
    let receipt = receipt(&module(text), &task(), 1 << 20, None);
    let checkpoints = receipt.checkpoints().expect("they came with it");
    let [start] = checkpoints.list[..] else {
        panic!("only the start: {checkpoints:?}");
    };
    let mut memory = vec![0; 2 << 16];
    memory[70000..70003].copy_from_slice(b"abc");
    // All subtrees are full: the leaves are 32.
    let mut nodes: Vec<[u8; 32]> = memory
        .chunks(4096)
        .map(|page| *blake3::hash(page).as_bytes())
        .collect();
    while nodes.len() > 1 {
        let join = |pair: &[[u8; 32]]| *blake3::hash(&pair.concat()).as_bytes();
        nodes = nodes.chunks(2).map(join).collect();
    }
    let root = nodes[0];
    let mut hasher = Sha256::new();
    hasher.update((2u64 << 16).to_le_bytes());
    hasher.update(root);
    assert_eq!(start.memory, Digest(hasher.finalize().into()));
    let mut hasher = Sha256::new();
    for cell in [0xffff_fffe_u64, 3, 0x3f80_0000, 7, 8, 0, 9] {
        hasher.update(cell.to_le_bytes());
    }
    assert_eq!(start.globals, Digest(hasher.finalize().into()));
    assert_eq!((start.steps, start.calls), (0, 0));
    assert_eq!(start.stdout, Digest::of(b""));
}

#[test]
fn names_of_a_guest_do_not_get_in_the_way() {
    let text = SIEVE.replace(
        "(global $rounds",
        r#"(func (export "verirun:state:cell:0") (result i64) (i64.const 7))
        (func (export "verirun:state:'cell:0") (result i64) (i64.const 7))
        (global $rounds"#,
    );
    let odd = taken(&module(&text), Target::Interpreter);
    assert_eq!(
        odd.list[1..],
        taken(&module(SIEVE), Target::Interpreter).list[1..]
    );
}

#[test]
fn a_long_run_keeps_few_and_a_large_one_takes_few() {
    let text = |pages: u32, rounds: u32| {
        format!(
            r#"(module (memory (export "memory") {pages}) (global $n (mut i32) (i32.const {rounds}))
            (func (export "_start") (loop $l
                (global.set $n (i32.sub (global.get $n) (i32.const 1)))
                (br_if $l (global.get $n)))))"#
        )
    };
    // 6 steps a round.
    let rounds = FIRST_INTERVAL as u32 * 90;
    let long = taken(&module(&text(0, rounds)), Target::Interpreter);
    assert!(
        long.list.len() <= MOST && long.list.len() >= MOST / 2,
        "{}",
        long.list.len()
    );
    let large = taken(&module(&text(64, rounds)), Target::Interpreter);
    assert!(large.interval > long.interval);
    assert!(large.list.len() < long.list.len());
}

#[test]
fn a_receipt_is_refused_if_its_commitment_can_not_be() {
    let right = receipt(&module(SIEVE), &task(), 1 << 20, None);
    assert!(Envelope::parse(right.to_text().as_bytes()).is_ok());
    let text = right.to_text();
    let root = right.receipt.checkpoints.expect("a commitment");
    let interval = format!(r#""interval": "{}""#, root.interval);
    let count = format!(
        r#""count": "{}",
      {interval}"#,
        root.count
    );
    for (from, to) in [
        (&*interval, r#""interval": "3""#.to_owned()),
        (&interval, r#""interval": "0""#.into()),
        (&interval, r#""interval": 65536"#.into()),
        (&interval, format!(r#"{interval}, "interval": "1""#)),
        (&interval, format!(r#"{interval}, "more": "1""#)),
        (&count, count.replace(&root.count.to_string(), "0")),
        (&count, count.replace(&root.count.to_string(), "513")),
        (
            &count,
            count.replace(&root.count.to_string(), "99999999999999999999"),
        ),
        (
            r#""checkpoints": {"#,
            r#""checkpoints": null, "x": {"#.into(),
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let bad = text.replacen(from, &to, 1);
        assert!(Envelope::parse(bad.as_bytes()).is_err(), "{to}");
    }
    // What stands beside it may be anything; it is not used then.
    let mut changed = right.clone();
    let given = changed.given.as_mut().expect("given");
    given.checkpoints.as_mut().expect("a list").pop();
    assert_eq!(changed.checkpoints(), None);
    let mut changed = right.clone();
    let given = changed.given.as_mut().expect("given");
    given.checkpoints.as_mut().expect("a list")[0].memory = None;
    assert_eq!(changed.checkpoints(), None);
    assert!(Envelope::parse(changed.to_text().as_bytes()).is_ok());
}

#[test]
fn a_second_run_takes_them_too_and_tells_where_it_parts() {
    let module = module(SIEVE);
    let right = receipt(&module, &task(), 1 << 20, None);
    let again = right.task(Brought::default()).expect("all is there");
    assert!(again.checkpoints);
    assert_eq!(receipt(&module, &again, 777_777, None).id, right.id);
    // A fault that is made up for before the end shows in nothing but the checkpoints.
    let wrong = receipt(&module, &task(), 1 << 20, Some("9000000:100:0"));
    assert_eq!(wrong.receipt.result, right.receipt.result);
    assert_ne!(wrong.id, right.id);
    let (said, found) = (wrong.checkpoints(), right.checkpoints());
    let lists = said.as_ref().zip(found.as_ref());
    let difference = compare_with(&wrong.receipt, &right.receipt, lists).expect("different");
    assert_eq!(difference.what, "checkpoints");
    assert!(difference.found.contains("(memory)"), "{difference}");
    let parting = lists.and_then(|(a, b)| parting(a, b)).expect("they part");
    assert!(
        parting.from < 9_000_000 && parting.to >= Some(9_000_000),
        "{parting:?}"
    );
}

fn find(module: &Module, fault: Fault, from: u64, to: Option<u64>) -> Progress {
    let wrong = Side {
        fault: Some(fault),
        ..Side::default()
    };
    let mut search = Bisection::new(module, &Task::default(), [Side::default(), wrong], from, to);
    loop {
        let progress = search.advance().expect("both can be run");
        if progress != Progress::Working {
            assert!(search.levels().len() < 10, "{:?}", search.levels());
            return progress;
        }
    }
}

#[test]
fn a_fault_is_found_to_the_byte_with_or_without_a_hint() {
    let module = module(SIEVE);
    let right = receipt(&module, &task(), 1 << 20, None)
        .checkpoints()
        .expect("they are there");
    for (step, address, bit) in [
        (2_500_000, 200, 3),
        (9_000_001, 5000, 0),
        (20_000_000, 65_000, 7),
    ] {
        let text = format!("{step}:{address}:{bit}");
        let wrong = receipt(&module, &task(), 1 << 20, Some(&text)).checkpoints();
        let parting = parting(&right, &wrong.expect("they are there")).expect("they part");
        let mut hints = vec![(parting.from, parting.to)];
        // What the program itself puts right before long can't be found from afar.
        if !(4096..64096).contains(&address) {
            hints.push((0, None));
        }
        for (from, to) in hints {
            let Progress::Found(found) = find(&module, text.parse().expect("a fault"), from, to)
            else {
                panic!("{text} is not found");
            };
            assert!(found.from < step && found.steps[0] >= step, "{found:?}");
            // Between two checks there are few steps, if no bulk operator is between them.
            assert!(found.steps[0] - found.from < 20_000, "{found:?}");
            let What::Memory {
                memory: 0,
                address: word,
                values,
                bytes: 1,
            } = found.what
            else {
                panic!("{found:?}");
            };
            assert_eq!(word, address & !3);
            assert_eq!(values[0] ^ values[1], 1 << (8 * (address & 3) + bit));
            let name = found.function_name.as_deref();
            assert!(name == Some("sieve") || name == Some("count"), "{name:?}");
        }
    }
}

#[test]
fn a_fault_in_a_global_is_found_with_both_values() {
    let module = module(BUSY);
    for (global, bit) in [(0, 31), (1, 40), (2, 9), (3, 63), (4, 3), (4, 100)] {
        let text = format!("3000000:global:{global}:{bit}");
        let Progress::Found(found) = find(&module, text.parse().expect("a fault"), 0, None) else {
            panic!("{text} is not found");
        };
        assert!(
            found.from < 3_000_000 && found.steps[0] >= 3_000_000,
            "{found:?}"
        );
        let What::Global {
            global: index,
            first,
            values: [one, two],
        } = found.what
        else {
            panic!("{text}: {found:?}");
        };
        assert_eq!((index, first), (global, bit & 64), "{text}");
        assert_eq!(one ^ two, 1 << (bit & 63), "{text}");
    }
}

/// Many globals, and a function that runs for a while, so that there is a stop to make a fault at.
fn with_globals(many: u32) -> Module {
    let globals = "(global (mut i64) (i64.const 1))".repeat(many as usize);
    module(&format!(
        "(module {globals} (memory (export \"memory\") 1) (func (export \"_start\") (local i32)
           (loop (br_if 0 (i32.lt_u
             (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10000))))))"
    ))
}

/// Browsers take functions of up to 7 654 321 bytes; one that could flip bits of all of these would have more.
#[test]
fn the_code_that_makes_faults_stays_small_however_many_globals_there_are() {
    let options = Options {
        detail: Detail::Fast,
        target: Target::Compiler,
        state: true,
    };
    let metered = with_globals(350_000).metered(options);
    let largest = wasmparser::Parser::new(0)
        .parse_all(&metered.expect("it can be metered").wasm)
        .map(|payload| match payload.expect("it is valid") {
            wasmparser::Payload::CodeSectionEntry(body) => body.as_bytes().len(),
            _ => 0,
        })
        .max();
    assert!(largest.is_some_and(|most| most < 200_000), "{largest:?}");
}

#[test]
fn a_fault_in_any_of_many_globals_is_made() {
    let module = with_globals(5000);
    for global in [0, 4095, 4096, 4999] {
        let text = format!("3000:global:{global}:40");
        let Progress::Found(found) = find(&module, text.parse().expect("a fault"), 0, None) else {
            panic!("{text} is not found");
        };
        let What::Global {
            global: index,
            values: [one, two],
            ..
        } = found.what
        else {
            panic!("{text}: {found:?}");
        };
        assert_eq!((index, one, two), (global, 1, 1 | 1 << 40));
    }
}

#[test]
fn runs_without_a_fault_do_not_part() {
    let never: Fault = "9223372036854775807:0:0".parse().expect("a fault");
    assert_eq!(find(&module(BUSY), never, 0, None), Progress::Same);
}

#[test]
fn false_hints_only_cost_time() {
    let module = module(SIEVE);
    let text = "2500000:200:3";
    let fault = || text.parse::<Fault>().expect("a fault");
    let Progress::Found(right) = find(&module, fault(), 0, None) else {
        panic!("it is not found");
    };
    assert!(right.from < 2_500_000 && right.steps[0] >= 2_500_000);
    for (from, to) in [
        // Forged checkpoints may say that all is the same long after it is not,
        (9_000_000, Some(9_500_000)),
        (9_000_000, None),
        (1 << 62, None),
        (1 << 60, Some(1 << 62)),
        // or that something differs before it does.
        (0, Some(1)),
        (1_000_000, Some(1_000_001)),
        (1_000_000, Some(1_500_000)),
    ] {
        let found = find(&module, fault(), from, to);
        assert_eq!(found, Progress::Found(right.clone()), "{from} {to:?}");
    }
}

#[test]
fn checkpoints_that_copy_the_right_ones_for_a_while_do_not_mislead() {
    let module = module(SIEVE);
    let text = "2500000:200:3";
    let right = receipt(&module, &task(), 1 << 20, None);
    let wrong = receipt(&module, &task(), 1 << 20, Some(text));
    let list = |envelope: &Envelope| envelope.checkpoints().expect("they are there");
    let honest = list(&wrong);
    let mut copied = honest.clone();
    copied.list[..8].copy_from_slice(&list(&right).list[..8]);
    let part = |wrong: &Checkpoints| parting(&list(&right), wrong).expect("they part");
    let (told, true_) = (part(&copied), part(&honest));
    assert!(true_.to < Some(told.from));
    let fault = || text.parse::<Fault>().expect("a fault");
    let expected = find(&module, fault(), true_.from, true_.to);
    assert!(matches!(expected, Progress::Found(_)));
    assert_eq!(find(&module, fault(), told.from, told.to), expected);
}

/// Looks to the end, in how many turns.
fn look(module: &Module, from: u64, to: u64) -> (Window, u32) {
    let mut look = Look::new(module, &Task::default(), from, to).expect("it runs");
    for turn in 1.. {
        if let Some(window) = look.advance().expect("it runs") {
            return (window, turn);
        }
    }
    unreachable!("turns are counted without end");
}

#[test]
fn an_endless_run_is_looked_at_in_turns() {
    let text = r#"(module (memory (export "memory") 1)
        (func (export "_start") (loop $l (br $l))))"#;
    let module = module(text);
    let mut endless = Look::new(&module, &Task::default(), 5_000, u64::MAX).expect("it runs");
    for turn in 1..20 {
        assert_eq!(endless.advance().expect("it runs"), None);
        assert!(endless.steps() < turn * 4_000_000, "{}", endless.steps());
    }
    assert!(endless.steps() > 5_000_000);
    let (seen, turns) = look(&module, 10_000_000, 50_000_000);
    assert_eq!((seen.functions, turns > 20), ([Some(0), Some(0)], true));
}

#[test]
fn a_run_that_can_not_be_made_again_is_looked_at_from_here() {
    let module = module(SIEVE);
    let (seen, _) = look(&module, 9_000_000, 10_000_000);
    assert!(seen.functions.iter().all(Option::is_some) && seen.calls.is_empty());
    let (seen, _) = look(&module, 9_000_000, u64::MAX);
    let [call] = &seen.calls[..] else {
        panic!("it writes once: {seen:?}");
    };
    assert_eq!((call.name, seen.more), ("fd_write", 0));
    assert!(call.steps > 9_000_000);
}
