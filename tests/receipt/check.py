#!/usr/bin/env python3
"""A second checker of receipts, written from docs/receipt.md alone, with the standard library only.

It runs no program. It reads the receipt strictly, and recomputes the id and every digest from what
it is given: module, input files, what stands beside the receipt, and the outputs that came with it.

    check.py RECEIPT... [--module FILE] [--inputs DIR] [--stdout FILE] [--stderr FILE] [--outputs DIR]

Prints for each receipt its ids, or what is wrong; exits with 0 if all is right, 1 if something is
not.
"""

import argparse
import hashlib
import json
import os
import re
import stat
import sys

LARGEST = 2**63 - 1


class Wrong(Exception):
    """The first thing that is wrong."""


def need(condition, message):
    if not condition:
        raise Wrong(message)


# Canonical JSON, for what a receipt holds: no fractions, small numbers, ASCII names.

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def canonical(value):
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        out = []
        for char in value:
            if char in ESCAPES:
                out.append(ESCAPES[char])
            elif ord(char) < 0x20:
                out.append("\\u%04x" % ord(char))
            else:
                out.append(char)
        return '"' + "".join(out) + '"'
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, dict):
        members = (canonical(name) + ":" + canonical(value[name]) for name in sorted(value))
        return "{" + ",".join(members) + "}"
    raise Wrong("a receipt has no %r" % (value,))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def digest_of_json(value):
    return sha256(canonical(value).encode())


def length(number):
    return number.to_bytes(8, "little")


def digest_of_list(items):
    return sha256(b"".join(length(len(item)) + item for item in items))


def digest_of_events(events):
    data = b""
    for calls, given in events:
        data += length(calls)
        data += b"e" if given is None else b"p" + length(len(given)) + given
    return sha256(data)


def merkle(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + merkle(leaves[:k]) + merkle(leaves[k:])).digest()


def digest_of_files(files):
    return merkle([canonical(file).encode() for file in files]).hex()


# Ed25519 (RFC 8032, 5.1), to verify.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def point(data):
    """The point with this encoding in extended coordinates; None if it is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x % 2 != sign else x
    return (x, y, 1, x * y % P)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, p):
    result = NEUTRAL
    while number:
        if number & 1:
            result = add(result, p)
        p, number = add(p, p), number >> 1
    return result


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def usable(p):
    return p is not None and not same(times(8, p), NEUTRAL)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed(key, signature, message):
    a, r = point(key), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if not usable(a) or not usable(r) or s >= ORDER:
        return False
    k = hashlib.sha512(signature[:32] + key + message).digest()
    k = int.from_bytes(k, "little") % ORDER
    return same(times(s, BASE), add(r, times(k, a)))


# Reading strictly.


def no_duplicates(pairs):
    names = {}
    for name, value in pairs:
        need(name not in names, "the name %s comes twice" % name)
        names[name] = value
    return names


def no_fraction(text):
    raise Wrong("%s is no whole number" % text)


def members(value, where, required, optional=()):
    need(isinstance(value, dict), where + " must be an object")
    for name in required:
        need(name in value, "%s.%s is missing" % (where, name))
    for name in value:
        need(name in required or name in optional, "%s.%s is unknown" % (where, name))
    return value


def quantity(value, where):
    right = isinstance(value, str) and re.fullmatch("0|[1-9][0-9]{0,18}", value)
    need(right and int(value) <= LARGEST, where + " is no number in a string")
    return int(value)


def digest(value, where):
    need(isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value), where + " is no digest")
    return value


def text(value, where):
    need(isinstance(value, str), where + " must be a string")
    value.encode()
    return value


def small(value, where):
    right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32
    need(right, where + " is no whole number below 2^32")
    return value


def one_of(value, where, names):
    need(value in names, "%s is %r, not one of %s" % (where, value, ", ".join(names)))
    return value


def path(value, where):
    parts = text(value, where).split("/")
    need(not {"", ".", ".."} & set(parts) and "\0" not in value, where + " is no plain path")
    return value


def blob(value, where):
    members(value, where, ["size", "sha256"])
    quantity(value["size"], where + ".size")
    digest(value["sha256"], where + ".sha256")


def given_bytes(value, where):
    if isinstance(value, str):
        return value.encode()
    members(value, where, ["hex"])
    need(re.fullmatch("([0-9a-f]{2})*", text(value["hex"], where)), where + ".hex is wrong")
    return bytes.fromhex(value["hex"])


def check_task(task):
    where = "task"
    names = ["module", "profile", "args", "env", "stdin", "files", "preopens", "limits"]
    members(task, where, names)
    blob(task["module"], "task.module")
    profile = members(task["profile"], "task.profile", ["version", "clock", "random"], ["seed"])
    small(profile["version"], "task.profile.version")
    one_of(profile["clock"], "task.profile.clock", ["fixed", "virtual"])
    one_of(profile["random"], "task.profile.random", ["seeded", "truebit-v1"])
    need(("seed" in profile) == (profile["random"] == "seeded"), "task.profile.seed")
    if "seed" in profile:
        digest(profile["seed"], "task.profile.seed")
    for name in ["args", "env"]:
        members(task[name], "task." + name, ["count", "sha256"])
        quantity(task[name]["count"], name)
        digest(task[name]["sha256"], name)
    stdin = task["stdin"]
    need(isinstance(stdin, dict), "task.stdin")
    if one_of(stdin.get("kind"), "task.stdin.kind", ["bytes", "live"]) == "bytes":
        members(stdin, "task.stdin", ["kind", "size", "sha256"])
        quantity(stdin["size"], "task.stdin.size")
    else:
        members(stdin, "task.stdin", ["kind", "events", "terminal", "sha256"])
        quantity(stdin["events"], "task.stdin.events")
        need(isinstance(stdin["terminal"], bool), "task.stdin.terminal")
    digest(stdin["sha256"], "task.stdin.sha256")
    members(task["files"], "task.files", ["count", "root"])
    quantity(task["files"]["count"], "task.files.count")
    digest(task["files"]["root"], "task.files.root")
    need(isinstance(task["preopens"], list), "task.preopens")
    for preopen in task["preopens"]:
        members(preopen, "preopen", ["name", "path", "access"])
        text(preopen["name"], "preopen.name")
        if preopen["path"] != "":
            path(preopen["path"], "preopen.path")
        one_of(preopen["access"], "access", ["read-write", "read-only-files", "read-only"])
    limits = ["gas", "call", "frame", "memory", "output", "files"]
    members(task["limits"], "task.limits", limits)
    for name in limits:
        quantity(task["limits"][name], "task.limits." + name)


LIMITS = ["out_of_gas", "call_depth_exceeded", "frame_exceeded", "memory_exceeded"]
LIMITS += ["output_limit_exceeded", "file_limit_exceeded"]


def check_result(result):
    numbers = ["steps", "peakMemoryPages", "peakCallDepth", "peakFrameBytes"]
    members(result, "result", ["outcome", "stdout", "stderr", "files"] + numbers)
    for name in numbers:
        quantity(result[name], "result." + name)
    for name in ["stdout", "stderr"]:
        blob(result[name], "result." + name)
    outcome = result["outcome"]
    need(isinstance(outcome, dict), "result.outcome")
    kind = one_of(outcome.get("kind"), "result.outcome.kind", ["exit", "trap"] + LIMITS)
    extra = {"exit": ["code"], "trap": ["trap"]}.get(kind, [])
    members(outcome, "result.outcome", ["kind"] + extra)
    if kind == "exit":
        small(outcome["code"], "result.outcome.code")
    if kind == "trap":
        need(re.fullmatch("[a-z0-9_-]{1,64}", text(outcome["trap"], "trap")), "trap")
    need(isinstance(result["files"], list), "result.files")
    last = b""
    for file in result["files"]:
        need(isinstance(file, dict), "result.files")
        extra = []
        if file.get("change") in ["added", "modified"]:
            kinds = {"file": ["size", "sha256"], "symlink": ["target"]}
            extra = kinds.get(file.get("type"), [])
        members(file, "result.files", ["path", "change", "type"] + extra)
        one_of(file["change"], "change", ["added", "modified", "removed"])
        one_of(file["type"], "type", ["file", "directory", "symlink"])
        if "size" in extra:
            quantity(file["size"], "size")
            digest(file["sha256"], "sha256")
        elif extra:
            text(file["target"], "target")
        name = path(file["path"], "path").encode()
        need(last < name, "result.files are not sorted")
        last = name


def read(name):
    with open(name, "rb") as file:
        data = file.read()
    need(len(data) <= 64 << 20, "the receipt is too long")
    whole = json.loads(
        data.decode(),
        object_pairs_hook=no_duplicates,
        parse_float=no_fraction,
        parse_constant=no_fraction,
    )
    members(whole, "the file", ["id", "receipt"], ["given", "signatures"])
    receipt = whole["receipt"]
    version = receipt.get("version") if isinstance(receipt, dict) else None
    need(version == 1 and version is not True, "the version is not 1")
    members(receipt, "receipt", ["version", "task", "result"], ["checkpoints"])
    if "checkpoints" in receipt:
        root = members(receipt["checkpoints"], "checkpoints", ["version", "count", "interval", "root"])
        version = root["version"]
        need(version == 2 and type(version) is int, "checkpoints.version is not 2")
        count = quantity(root["count"], "checkpoints.count")
        need(1 <= count <= 512, "checkpoints.count is not from 1 to 512")
        interval = quantity(root["interval"], "checkpoints.interval")
        need(interval and interval & (interval - 1) == 0, "checkpoints.interval is no power of two")
        digest(root["root"], "checkpoints.root")
    check_task(receipt["task"])
    check_result(receipt["result"])
    need(digest(whole["id"], "id") == digest_of_json(receipt), "the id is wrong")
    if "signatures" in whole:
        check_signatures(whole["signatures"], bytes.fromhex(whole["id"]))
    return whole


def check_signatures(signatures, id):
    right = isinstance(signatures, list) and 1 <= len(signatures) <= 64
    need(right, "signatures must be a list of 1 to 64")
    before = ""
    for one in signatures:
        members(one, "signature", ["key", "signature"])
        key = digest(one["key"], "key")
        need(before < key, "signatures are not sorted by key")
        before = key
        need(usable(point(bytes.fromhex(key))), "the key %s is none" % key)
        value = text(one["signature"], "signature")
        need(re.fullmatch("[0-9a-f]{128}", value), "signature is wrong")
        message = b"verirun-receipt-v1\0" + id
        right = signed(bytes.fromhex(key), bytes.fromhex(value), message)
        need(right, "the signature by %s is wrong" % key)


# Checking against what is at hand.


def check_blob(what, said, data):
    need(int(said["size"]) == len(data), "%s: %s bytes, not %d" % (what, said["size"], len(data)))
    need(said["sha256"] == sha256(data), what + ": another digest")


def check_list(what, said, items):
    need(int(said["count"]) == len(items), what + ": another count")
    need(said["sha256"] == digest_of_list(items), what + ": another digest")


STATE = ["calls", "memory", "globals", "system", "files", "stdout", "stderr"]


def check_checkpoints(said, entries):
    need(said is not None, "checkpoints stand beside a receipt without any")
    need(int(said["count"]) == len(entries), "checkpoints: another count")
    whole, leaves = {}, []
    for entry in entries:
        members(entry, "checkpoint", ["steps"], STATE)
        quantity(entry["steps"], "steps")
        whole = dict(whole, **entry)
        need(len(whole) == 1 + len(STATE), "the first checkpoint is not whole")
        leaves.append(canonical(whole).encode())
    need(said["root"] == merkle(leaves).hex(), "checkpoints: another root")


def check_given(task, given, checkpoints):
    names = ["module", "args", "env", "stdin", "pushed", "files", "checkpoints", "fault", "by"]
    members(given, "given", [], names)
    for name in ["args", "env"]:
        if name in given:
            check_list(name, task[name], [given_bytes(item, name) for item in given[name]])
    stdin = task["stdin"]
    if "stdin" in given:
        need(stdin["kind"] == "bytes", "given.stdin is of live input")
        check_blob("stdin", stdin, given_bytes(given["stdin"], "given.stdin"))
    if "pushed" in given:
        need(stdin["kind"] == "live", "given.pushed is of input that was there")
        events = []
        for event in given["pushed"]:
            members(event, "event", ["calls"], ["bytes"])
            data = given_bytes(event["bytes"], "event") if "bytes" in event else None
            events.append((quantity(event["calls"], "calls"), data))
        need(int(stdin["events"]) == len(events), "events: another count")
        need(stdin["sha256"] == digest_of_events(events), "events: another digest")
    if "files" in given:
        check_files(task["files"], given["files"])
    if "checkpoints" in given:
        check_checkpoints(checkpoints, given["checkpoints"])


def check_files(said, files):
    need(int(said["count"]) == len(files), "input files: %d of %s" % (len(files), said["count"]))
    need(said["root"] == digest_of_files(files), "input files: another root")


def slurp(name):
    with open(name, "rb") as file:
        return file.read()


def list_files(folder):
    """The files of a folder as they are hashed; none of them is read-only."""
    names = []
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            names.append(os.path.relpath(os.path.join(base, name), folder).replace(os.sep, "/"))
    listed = []
    for name in sorted(names, key=lambda name: name.encode()):
        place = os.path.join(folder, name)
        info = os.lstat(place)
        if stat.S_ISLNK(info.st_mode):
            entry = {"type": "symlink", "target": os.readlink(place)}
        elif stat.S_ISDIR(info.st_mode):
            entry = {"type": "directory"}
        else:
            data = slurp(place)
            entry = {"type": "file", "size": str(len(data)), "sha256": sha256(data)}
        listed.append(dict(entry, path=name))
    return listed


def check_outputs(files, folder):
    for file in files:
        place = os.path.join(folder, file["path"])
        if file["change"] == "removed":
            continue
        info = os.lstat(place)
        if file["type"] == "directory":
            need(stat.S_ISDIR(info.st_mode), place + " is no directory")
        elif file["type"] == "symlink":
            need(os.readlink(place) == file["target"], place + " points elsewhere")
        else:
            need(stat.S_ISREG(info.st_mode), place + " is no file")
            check_blob(place, file, slurp(place))


def check(receipt, options):
    whole = read(receipt)
    task, result = whole["receipt"]["task"], whole["receipt"]["result"]
    check_given(task, whole.get("given", {}), whole["receipt"].get("checkpoints"))
    if options.module:
        check_blob("module", task["module"], slurp(options.module))
    if options.inputs:
        check_files(task["files"], list_files(options.inputs))
    for name in ["stdout", "stderr"]:
        if getattr(options, name):
            check_blob(name, result[name], slurp(getattr(options, name)))
    if options.outputs:
        check_outputs(result["files"], options.outputs)
    return "id %s task %s" % (whole["id"], digest_of_json(task))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("receipts", nargs="+", metavar="RECEIPT")
    for name in ["module", "inputs", "stdout", "stderr", "outputs"]:
        parser.add_argument("--" + name)
    options = parser.parse_args()
    failed = 0
    for receipt in options.receipts:
        try:
            print(check(receipt, options))
        except (Wrong, OSError, ValueError, RecursionError) as error:
            print("wrong: %s" % error)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
