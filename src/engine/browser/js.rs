//! What `browser.js` has for us: the guest's instance, and how one is compiled and suspended.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/engine/browser.js")]
extern "C" {
    pub(super) type Guest;

    #[wasm_bindgen(catch)]
    pub(super) fn compile(wasm: &[u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method)]
    pub(super) fn read(this: &Guest, address: u32, into: &mut [u8]);
    #[wasm_bindgen(method)]
    pub(super) fn write(this: &Guest, address: u32, bytes: &[u8]);
    #[wasm_bindgen(method)]
    pub(super) fn has(this: &Guest, name: &str) -> bool;
    #[wasm_bindgen(method)]
    pub(super) fn left(this: &Guest) -> i64;
    #[wasm_bindgen(method)]
    pub(super) fn place(this: &Guest) -> Option<i64>;
    #[wasm_bindgen(method)]
    pub(super) fn size(this: &Guest) -> f64;
    #[wasm_bindgen(method)]
    pub(super) fn run(this: &Guest, name: &str, left: i64) -> JsValue;
    #[wasm_bindgen(method)]
    pub(super) fn begin(this: &Guest, name: &str, left: i64);
    #[wasm_bindgen(method, js_name = go)]
    pub(super) fn go_int(this: &Guest, value: i32);
    #[wasm_bindgen(method, js_name = go)]
    pub(super) fn go_long(this: &Guest, value: i64);
    #[wasm_bindgen(method)]
    pub(super) fn ended(this: &Guest) -> JsValue;
    #[wasm_bindgen(method, catch)]
    pub(super) fn cell(this: &Guest, name: &str) -> Result<i64, JsValue>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn flip(this: &Guest, name: &str, cell: u32, bits: i64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, js_name = sizeOf)]
    pub(super) fn size_of(this: &Guest, memory: &str) -> f64;
    #[wasm_bindgen(method, js_name = readFrom)]
    pub(super) fn read_from(this: &Guest, memory: &str, address: f64, into: &mut [u8]);
    #[wasm_bindgen(method, js_name = writeTo)]
    pub(super) fn write_to(this: &Guest, memory: &str, address: f64, bytes: &[u8]);

    /// Whether a guest can be suspended.
    pub fn suspends() -> bool;
    /// Settles when the guest stops that was set going last.
    pub fn back() -> js_sys::Promise;
}
