/** What wasm-bindgen makes beside the runtime (`verirun.js`); `Face` has its types, build.mjs finds it. */
declare module "verirun-glue";
