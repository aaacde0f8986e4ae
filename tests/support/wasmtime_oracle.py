#!/usr/bin/env python3
"""Runs a guest on wasmtime (PyPI `wasmtime`) over a fresh directory, as the other hosts run it.

    python3 -m venv target/oracle && target/oracle/bin/pip install wasmtime
    target/oracle/bin/python tests/support/wasmtime_oracle.py GUEST.wasm [ARG…] < stdin

Prints the guest's stdout and exits with its status; 134 for a trap. An optional second opinion: no test needs it.
"""

import os
import sys
import tempfile

import wasmtime


def main() -> int:
    path, *args = sys.argv[1:]
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    config = wasmtime.WasiConfig()
    config.argv = [os.path.basename(path).removesuffix(".wasm"), *args]
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    with tempfile.TemporaryDirectory() as directory:
        config.preopen_dir(directory, "/")
        store.set_wasi(config)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        instance = linker.instantiate(store, wasmtime.Module.from_file(engine, path))
        exports = instance.exports(store)
        start = exports.get("_start") or exports.get("_initialize")
        try:
            start(store)
        except wasmtime.ExitTrap as exit_trap:
            return exit_trap.code
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            print(f"trap: {error}", file=sys.stderr)
            return 134
    return 0


if __name__ == "__main__":
    sys.exit(main())
