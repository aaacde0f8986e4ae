#!/usr/bin/env python3
"""Runs guests on wasmtime (PyPI `wasmtime`) over a fresh directory, as the other hosts run them.

    python3 -m venv target/oracle && target/oracle/bin/pip install wasmtime
    target/oracle/bin/python tests/support/wasmtime_oracle.py GUEST.wasm [ARG…] < stdin
    target/oracle/bin/python tests/support/wasmtime_oracle.py --compare target/debug/verirun GUEST.wasm…

The first prints the guest's stdout and exits with its status; 134 for a trap. The second runs each guest on wasmtime
and with Verirun's command line, with what the guests expect on stdin, and prints where they differ.
An optional second opinion: no test needs it.
"""

import os
import subprocess
import sys
import tempfile

import wasmtime

# What the guests that look at them are given: arguments and environment.
CASES = {
    "args_env": (["", "two words", "é"], {"A": "1", "EMPTY": "", "B": "x=y"}),
    "c_process": (["", "two words", "é"], {"A": "1", "EMPTY": "", "B": "x=y"}),
    "as_preview1": (["one", "two"], {"NAME": "text"}),
    "scale": (["1000"], {}),
    "growth": (["create", "100"], {}),
}


def run(path: str, args: list[str]) -> int:
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    config = wasmtime.WasiConfig()
    name = os.path.basename(path).removesuffix(".wasm")
    config.argv = [name, *args]
    config.env = list(CASES.get(name, ([], {}))[1].items())
    config.inherit_stdin()
    config.inherit_stdout()
    config.inherit_stderr()
    with tempfile.TemporaryDirectory() as directory:
        config.preopen_dir(directory, "/")
        store.set_wasi(config)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        try:
            instance = linker.instantiate(store, wasmtime.Module.from_file(engine, path))
            exports = instance.exports(store)
            for start in ("_initialize", "_start"):
                if start in exports:
                    exports[start](store)
        except wasmtime.ExitTrap as exit_trap:
            return exit_trap.code
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            print(f"trap: {error}", file=sys.stderr)
            return 134
    return 0


def checks(output: bytes) -> dict[str, str]:
    found = {}
    for line in output.decode(errors="replace").splitlines():
        kind, _, rest = line.partition(" ")
        name, is_check, value = rest.partition(" = ")
        if kind in ("ok", "FAIL") and is_check:
            found[name] = value.split(", expected ")[0]
    return found


def compare(verirun: str, paths: list[str]) -> None:
    for path in paths:
        name = os.path.basename(path).removesuffix(".wasm")
        args, env = CASES.get(name, ([], {}))
        variables = [f"--env={key}={value}" for key, value in env.items()]
        ours, theirs = (
            subprocess.run(command, input=b"input\n", capture_output=True, timeout=120)
            for command in (
                [verirun, "run", *variables, path, *args],
                [sys.executable, __file__, path, *args],
            )
        )
        a, b = checks(ours.stdout), checks(theirs.stdout)
        for check in list(a) + [check for check in b if check not in a]:
            if a.get(check) != b.get(check):
                print(f"{name}: {check}: {a.get(check, '-')} here, {b.get(check, '-')} on wasmtime")
        if ours.returncode != theirs.returncode:
            last = theirs.stderr.decode(errors="replace").strip().splitlines()[-1:]
            print(f"{name}: ends with {ours.returncode} here, {theirs.returncode} on wasmtime {last}")


if __name__ == "__main__":
    if sys.argv[1] == "--compare":
        compare(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
