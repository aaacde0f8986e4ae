// Below a path, and with the package left as it is while developing.
export default { base: "./", optimizeDeps: { exclude: ["verirun"] } };
