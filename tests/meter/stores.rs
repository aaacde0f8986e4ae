//! Stores of computed floats that a compiler's code looks through together: whatever lies between
//! them, memory is in the end what the plain module makes of it.

use crate::drive::{Guest, Job, on_wasmi, on_wasmtime};
use crate::fuzz::{Engines, number};
use crate::support::{End, metered};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fmt::Write;
use verirun::meter::{Bounds, Detail, Target};

/// Runs `f` of a module as it is on wasmi and instrumented on wasmtime; all that can be seen is the
/// same. Returns whether it returned, and the size of the instrumented module.
fn check(engines: &Engines, text: &str) -> (bool, usize) {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let watched = ["m".to_owned(), "g".to_owned()];
    let job = Job {
        function: Some("f"),
        watched: &watched,
        seed: 0,
        bounds: Bounds::new(None, None, None, None),
    };
    let plain = wasmi::Module::new(&engines.plain, &wasm).expect("it is valid");
    let plain = on_wasmi::run(&plain, Guest::Plain, &job);
    let fast = metered(&wasm, Detail::Fast, Target::Compiler);
    let module = wasmtime::Module::new(&engines.wasmtime, &fast.wasm).expect("it is valid");
    let seen = on_wasmtime::run(&module, &fast, &job);
    assert_eq!(plain.end, seen.end, "{text}");
    let returned = matches!(seen.end, End::Done(_));
    if returned {
        assert_eq!(plain.state, seen.state, "{text}");
        let exact = metered(&wasm, Detail::Exact, Target::Compiler);
        let module = wasmtime::Module::new(&engines.wasmtime, &exact.wasm).expect("it is valid");
        assert_eq!(on_wasmtime::run(&module, &exact, &job), seen, "{text}");
    }
    (returned, fast.wasm.len())
}

/// A module whose `f` calls `body` with three addresses, and whose memory has all kinds of floats.
fn module(body: &str, addresses: [u32; 3]) -> String {
    let [a, b, c] = addresses;
    // 0, 1, -2.5, infinity, its negative, a NaN with a payload, a signalling one, a tiny one.
    let doubles = [
        0,
        0x3ff0_0000_0000_0000,
        0xc004_0000_0000_0000,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0xfff8_0000_0000_1234,
        0x7ff4_0000_0000_0000,
        1_u64,
    ];
    let mut data = String::new();
    for index in 0..32 {
        for byte in doubles[index * 5 % 8].to_le_bytes() {
            write!(data, "\\{byte:02x}").expect("a String takes all");
        }
    }
    format!(
        "(module (memory (export \"m\") 1) (data (i32.const 0) \"{data}\")
        (global $g (export \"g\") (mut i64) (i64.const 0))
        (func (export \"f\") (call $h (i32.const {a}) (i32.const {b}) (i32.const {c})))
        (func $h (param $a i32) (param $b i32) (param $c i32)
        (local $x f64) (local $y f64) (local $u f32) (local $v f32) (local $n i32) (local $i i64)
        {body}))"
    )
}

/// Pieces of random code.
struct Writer {
    random: ChaCha8Rng,
    /// Most addresses are multiples of a float's size.
    straight: bool,
}

impl Writer {
    fn below(&mut self, end: u32) -> u32 {
        self.random.next_u32() % end
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u32) as usize]
    }

    fn offset(&mut self) -> u32 {
        let offset = self.below(12) * 8;
        match self.straight && self.below(40) > 0 {
            true => offset,
            false => offset + self.below(8),
        }
    }

    fn address(&mut self) -> String {
        let local = self.one_of(&["$a", "$b", "$c"]);
        let more = self.below(4) * 8;
        match self.below(8) {
            0 => format!("(i32.add (local.get {local}) (i32.const {more}))"),
            1 => format!("(i32.sub (local.get {local}) (i32.const -{more}))"),
            2 => format!("(local.tee {local} (i32.add (i32.const 8) (local.get {local})))"),
            3 => format!("(i32.const {})", 16 + more),
            4 if !self.straight => {
                format!("(i32.or (local.get {local}) (i32.const {}))", self.below(4))
            }
            _ => format!("(local.get {local})"),
        }
    }

    fn float(&mut self, ty: &str, depth: u32) -> String {
        let locals: [&str; 2] = if ty == "f64" {
            ["$x", "$y"]
        } else {
            ["$u", "$v"]
        };
        if depth == 0 || self.below(6) == 0 {
            return match self.below(4) {
                0 => format!(
                    "({ty}.const {})",
                    self.one_of(&["0", "inf", "-1.5", "nan", "3"])
                ),
                1 => format!("(local.get {})", self.one_of(&locals)),
                _ => format!("({ty}.load offset={} {})", self.offset(), self.address()),
            };
        }
        let op = self.one_of(&["add", "sub", "mul", "div", "min", "sqrt", "neg", "tee"]);
        let one = self.float(ty, depth - 1);
        match op {
            "tee" => format!("(local.tee {} {one})", self.one_of(&locals)),
            "sqrt" | "neg" => format!("({ty}.{op} {one})"),
            _ => format!("({ty}.{op} {one} {})", self.float(ty, depth - 1)),
        }
    }

    fn store(&mut self, ty: &str) -> String {
        let op = self.one_of(&["add", "sub", "mul", "div"]);
        let (one, other) = (self.float(ty, 2), self.float(ty, 1));
        let (offset, address) = (self.offset(), self.address());
        let value = format!("({ty}.{op} {one} {other})");
        let value = match self.below(8) {
            0 => format!(
                "(local.tee {} {value})",
                if ty == "f64" { "$x" } else { "$u" }
            ),
            _ => value,
        };
        format!("({ty}.store offset={offset} {address} {value})")
    }

    fn statement(&mut self, ty: &str) -> String {
        match self.below(30) {
            0 => format!(
                "(local.set $i (i64.load offset={} {}))",
                self.offset(),
                self.address()
            ),
            1 => format!(
                "(i64.store offset={} {} (local.get $i))",
                self.offset(),
                self.address()
            ),
            2 => format!(
                "(if (i64.lt_s (local.get $i) (i64.const 0)) (then {}))",
                self.store(ty)
            ),
            3 => "(global.set $g (i64.add (global.get $g) (i64.reinterpret_f64 (local.get $x))))"
                .to_owned(),
            // What is between the address and the value of a store.
            4 => {
                let between = self.store(ty);
                let value = self.float(ty, 2);
                format!("{} {between} {value} {ty}.store offset=24", self.address())
            }
            5 => {
                let ty = if ty == "f64" { "f32" } else { "f64" };
                self.store(ty)
            }
            6 => format!(
                "(local.set {} {})",
                if ty == "f64" { "$y" } else { "$v" },
                self.float(ty, 2)
            ),
            _ => self.store(ty),
        }
    }
}

fn random(seed: u64, case: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(case);
    let mut writer = Writer {
        random,
        straight: !case.is_multiple_of(4),
    };
    let ty = if case.is_multiple_of(3) { "f32" } else { "f64" };
    let count = 2 + writer.below(14);
    let body: Vec<String> = (0..count).map(|_| writer.statement(ty)).collect();
    let body = body.join("\n");
    let body = match writer.below(3) {
        0 => format!(
            "(loop $l {body} (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) \
             (i32.const 3))))"
        ),
        _ => body,
    };
    let straight = writer.straight && writer.below(4) > 0;
    let addresses = [0, 1, 2].map(|_| {
        let address = 8 * writer.below(10);
        match straight {
            true => address,
            false => address + writer.below(8),
        }
    });
    module(&body, addresses)
}

#[test]
fn random_stores_leave_what_they_should() {
    let cases = number("VERIRUN_STORE_CASES").unwrap_or(1_500);
    let seed = number("VERIRUN_METER_SEED").unwrap_or(1);
    let engines = Engines::new();
    let returned = (0..cases).filter(|&case| check(&engines, &random(seed, case)).0);
    // Next to none traps, so next to all are compared.
    assert!(returned.count() as u64 * 10 > cases * 9);
}

/// Four stores of what may be a NaN that the engine makes, with something between each two.
fn four(locals: [&str; 4], between: &str) -> String {
    let mut offset = 64;
    let stores = locals.map(|local| {
        offset += 8;
        format!(
            "(f64.store offset={offset} (local.get {local})
            (f64.sub (f64.load offset=24 (local.get $c)) (f64.const inf)))"
        )
    });
    stores.join(between)
}

/// How many additions of floats are in the instrumented form of a module that has none.
fn sums(body: &str) -> usize {
    use wasmparser::{Operator, Parser, Payload};
    let wasm = wat::parse_str(module(body, [0, 32, 0])).expect("it is valid");
    let metered = metered(&wasm, Detail::Fast, Target::Compiler);
    let mut sums = 0;
    for payload in Parser::new(0).parse_all(&metered.wasm) {
        if let Payload::CodeSectionEntry(body) = payload.expect("it is valid") {
            let operators = body.get_operators_reader().expect("it has operators");
            sums += operators
                .into_iter()
                .filter(|it| matches!(it, Ok(Operator::F64Add | Operator::F32Add)))
                .count();
        }
    }
    sums
}

#[test]
fn stores_are_looked_at_together_where_nothing_shows_what_they_hold() {
    let same = ["$a", "$a", "$a", "$a"];
    let body = four(same, "");
    assert_eq!(sums(&body), 2);
    // Addresses from two locals may be alike, and the code asks whether they are.
    assert_eq!(sums(&four(["$a", "$b", "$a", "$b"], "")), 2);
    // What shows bits in between, or touches memory in another way.
    for between in [
        "(local.set $i (i64.load offset=200 (local.get $b)))",
        "(i64.store offset=200 (local.get $b) (i64.const 1))",
        "(local.set $u (f32.load offset=64 (local.get $a)))",
        "(local.set $x (f64.load offset=65 (local.get $a)))",
        "(local.set $x (f64.load offset=64 (i32.mul (local.get $a) (i32.const 3))))",
        "(global.set $g (i64.reinterpret_f64 (f64.load offset=64 (local.get $a))))",
        "(memory.fill (local.get $a) (i32.const 0) (i32.const 9))",
        "(if (local.get $n) (then))",
        "(br_if 0 (local.get $n))",
        "(drop (memory.grow (i32.const 0)))",
    ] {
        assert_eq!(sums(&four(same, between)), 0, "{between}");
    }
    // One that only calculates with what it loads.
    let harmless = "(local.set $x (f64.mul (f64.load offset=64 (local.get $a)) (f64.const 2)))";
    assert_eq!(sums(&four(same, harmless)), 2);
}

#[test]
fn a_load_that_overlaps_sees_what_it_should() {
    let engines = Engines::new();
    // The loaded value is what half of a NaN and half of another float make, so its value tells.
    for (a, b) in [
        (64, 64),
        (64, 68),
        (64, 60),
        (64, 65),
        (64, 72),
        (63, 64),
        (61, 61),
    ] {
        for ty in ["f64", "f32"] {
            let nan = format!("({ty}.div ({ty}.const 0) ({ty}.load (local.get $c)))");
            let body = format!(
                "({ty}.store (local.get $a) {nan})
                ({ty}.store offset=40 (local.get $b)
                    ({ty}.mul ({ty}.load (local.get $b)) ({ty}.const 1)))
                ({ty}.store offset=48 (local.get $a) {nan})
                ({ty}.store offset=56 (local.get $b) {nan})
                ({ty}.store offset=64 (local.get $b) {nan})
                ({ty}.store (local.get $b) ({ty}.add ({ty}.load (local.get $b)) ({ty}.const 1)))"
            );
            check(&engines, &module(&body, [a, b, 0]));
        }
    }
}

#[test]
fn a_later_store_to_the_same_place_stays() {
    let engines = Engines::new();
    let nan = "(f64.div (f64.const 0) (f64.load (local.get $c)))";
    let one = "(f64.add (f64.const 0.5) (f64.const 0.5))";
    for values in [[nan, one], [one, nan], [nan, nan]] {
        let stores = values.map(|value| format!("(f64.store offset=64 (local.get $a) {value})"));
        check(&engines, &module(&stores.join("\n"), [0, 0, 0]));
    }
}
