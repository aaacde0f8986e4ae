//! Why an import is not there, and what to build instead.

const WASM_BINDGEN: &str =
    "wasm-bindgen's JavaScript: build for wasm32-wasip1, not wasm32-unknown-unknown";

/// Why a module of this name, or a function of that, is not part of a task.
pub(super) fn reason(module: &str, name: &str) -> &'static str {
    // Bundlers give its module any name, `./program_bg.js` often.
    if name.starts_with("__wbg_") || name.starts_with("__wbindgen_") || module.ends_with("_bg.js") {
        return WASM_BINDGEN;
    }
    match module {
        "wasi" if name == "thread-spawn" => {
            "threads are not supported: build for wasm32-wasip1, not wasm32-wasip1-threads"
        }
        "wasi_snapshot_preview1" | "wasi_unstable" => {
            "preview1 has no such function, or not with these parameters"
        }
        "wbg" | "__wbindgen_placeholder__" | "__wbindgen_externref_xform__" => WASM_BINDGEN,
        "go" | "gojs" => "Go's JavaScript support: build with GOOS=wasip1 GOARCH=wasm",
        "a" => "Emscripten's JavaScript: build with wasi-sdk, or with -sSTANDALONE_WASM",
        _ if module.starts_with("wasix") => {
            "WASIX, which has threads and sockets: build for wasm32-wasip1"
        }
        _ if module.starts_with("wasi_ephemeral") || module.starts_with("wasi-") => {
            "a WASI proposal beyond preview1"
        }
        _ if module.starts_with("wasi:") => {
            "WASI preview2 or later: build for wasm32-wasip1, not wasip2"
        }
        "env" if is_emscripten(name) => {
            "Emscripten's JavaScript: build with wasi-sdk, or with -sSTANDALONE_WASM"
        }
        "env" => "something of the host: link it into the module (is a library missing?)",
        _ => "a task has WASI preview1 and nothing else",
    }
}

fn is_emscripten(name: &str) -> bool {
    [
        "emscripten_",
        "_emscripten_",
        "invoke_",
        "__cxa_",
        "__syscall_",
        "_emval_",
        "_embind_",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}
