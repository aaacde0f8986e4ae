//! Small programs on the engines themselves, with either detail, under any limits and slices.

use std::cell::RefCell;
use std::rc::Rc;
use verirun::engine::{End, Engine, Guest, Kind, Observer, Place, Slice};
use verirun::meter::{Bounds, Detail, Options};
use verirun::wasi::{Clock, Setup, Stdin, System};
use verirun::{Module, Task};

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub end: End,
    pub steps: u64,
    pub calls: u64,
    pub frame: u64,
    pub pages: u64,
    pub place: Option<Place>,
    /// How many slices it took.
    pub slices: u64,
}

/// Loads a program from text.
pub fn load(text: &str) -> Module {
    Module::load("program.wat", text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Runs a program to its end on the interpreter.
pub fn run(module: &Module, detail: Detail, bounds: Bounds, steps: u64) -> Ended {
    run_on(Kind::Interpreter, module, detail, bounds, steps)
}

/// Runs a program to its end on an engine, instrumented for it.
pub fn run_on(kind: Kind, module: &Module, detail: Detail, bounds: Bounds, steps: u64) -> Ended {
    let options = Options {
        detail,
        target: kind.target(),
        state: false,
    };
    let metered = module.metered(options).expect("it can be metered");
    let engine = kind.open(&metered, module.info.kind, system(), bounds);
    drive(engine.expect("it can be started"), steps)
}

/// Looks as often as it can.
struct Looking(Rc<RefCell<Vec<u64>>>);

impl Observer for Looking {
    fn look(&mut self, _: &mut dyn Guest, steps: u64) -> Result<u64, String> {
        self.0.borrow_mut().push(steps);
        Ok(steps + 1)
    }
}

/// After which steps a guest whose state is shown can be looked at.
pub fn looks(kind: Kind, module: &Module, slice: u64) -> Vec<u64> {
    let options = Options {
        detail: Detail::Fast,
        target: kind.target(),
        state: true,
    };
    let metered = module.metered(options).expect("it can be metered");
    let engine = kind.open(&metered, module.info.kind, system(), Bounds::default());
    let mut engine = engine.expect("it can be started");
    let seen = Rc::new(RefCell::new(Vec::new()));
    engine
        .observe(Box::new(Looking(Rc::clone(&seen))))
        .expect("it can be looked at");
    drive(engine, slice);
    seen.take()
}

fn system() -> System {
    let task = Task::default();
    System::new(Setup {
        args: task.args,
        env: task.env,
        stdin: Stdin::fixed(&[]),
        terminal: false,
        fs: task.files,
        preopens: task.preopens,
        clock: Clock::Fixed { elapsed: 0 },
        random: task.random,
        output_limit: None,
        file_limit: None,
        trace: false,
    })
    .expect("the root directory is there")
}

fn drive(mut engine: Box<dyn Engine>, steps: u64) -> Ended {
    let mut slices = 0;
    let end = loop {
        slices += 1;
        match engine.slice(steps) {
            Slice::Yielded => {}
            Slice::Blocked => panic!("nothing waits for input here"),
            Slice::Done(end) => break end,
            // No native engine leaves a slice pending.
            Slice::Pending => {}
        }
    };
    let gauge = engine.gauge();
    Ended {
        end,
        steps: gauge.steps(),
        calls: gauge.peak_calls(),
        frame: gauge.peak_frame(),
        pages: gauge.pages(),
        place: engine.place(),
        slices,
    }
}
