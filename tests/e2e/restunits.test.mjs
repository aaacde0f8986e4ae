/** Waiting for the runtime's second part, in the worker and before it, bundled from the page's TypeScript. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { load } from "./support/load.mjs";

const { Rest } = await load("worker/rest.ts");
const { Session } = await load("session.ts");

/** The smallest module. */
const EMPTY = Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]);

/** A server that does with a request what `answer` does then. */
async function serving(t) {
  const server = createServer((request, response) => server.answer(response));
  server.asked = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.url = `http://127.0.0.1:${server.address().port}/rest.wasm`;
  return server;
}

const face = { onRest() {} };
/** What the first part's instance would have; without a table it would be in one piece. */
const exports = { t0: null };
const loaded = (response) => response.writeHead(200).end(EMPTY);

test("a server that says nothing is given up, and asked again", async (t) => {
  const server = await serving(t);
  const rest = new Rest(face, exports, server.url, 1000);
  const silent = [() => {}, (response) => response.writeHead(200).write(EMPTY.subarray(0, 4))];
  for (server.answer of silent) {
    await assert.rejects(rest.ready(), { code: "runtime-missing", message: /verirun_rest\.wasm: the server has been silent for 1 s/, hint: /try it again/ });
  }
  server.answer = loaded;
  await rest.ready();
});

test("who waits can leave, all at once, and come again", async (t) => {
  const server = await serving(t);
  const rest = new Rest(face, exports, server.url);
  const said = [];
  rest.waited = (does) => said.push(does);
  const asked = new Promise((resolve) => (server.answer = resolve));
  const both = [rest.ready(), rest.ready()];
  await asked;
  rest.abandon();
  for (const one of both) await assert.rejects(one, { code: "cancelled" });
  assert.deepEqual(said, [true, true, false, false]);
  server.answer = loaded;
  await rest.ready();
  rest.abandon();
  await rest.ready();
});

test("controls that come before a run wait for it, unless it never starts", async (t) => {
  const { serve } = await load("worker.ts");
  const { postMessage, onmessage, MessageChannel } = globalThis;
  const channels = [];
  // What a run takes turns with would keep this process alive.
  globalThis.MessageChannel = class extends MessageChannel {
    constructor() {
      super();
      channels.push(this);
    }
  };
  t.after(() => {
    Object.assign(globalThis, { postMessage, onmessage, MessageChannel });
    for (const { port1 } of channels) port1.close();
  });
  const posted = [];
  let wake = () => {};
  globalThis.postMessage = (message) => {
    posted.push(message);
    wake();
  };
  const answered = async (id) => {
    for (;;) {
      const found = posted.find((message) => message.id === id);
      if (found) return found;
      await new Promise((resolve) => (wake = resolve));
    }
  };
  /** What each run was told. */
  const told = [];
  class Task {
    start() {
      const heard = told[told.push([]) - 1];
      return {
        pushStdin: (bytes) => heard.push(`input ${bytes}`),
        closeStdin: () => heard.push("end"),
        cancel: () => heard.push("cancel"),
        stats: () => ({}),
        takeOutput: () => [],
        free() {},
        // What follows a cancel or a slice is not what this is about.
        slice: () => "blocked",
        isAway: () => false,
        repeating: () => false,
      };
    }
  }
  const waits = [];
  const rest = {
    ready: () => new Promise((resolve, reject) => waits.push({ resolve, reject })),
    abandon: () => waits.at(-1).reject(Object.assign(new Error("left"), { code: "cancelled" })),
  };
  await serve(async () => ({ face: { Task, version: () => "1", suspends: () => true }, rest }));
  const tell = (data) => globalThis.onmessage({ data });
  const stdin = { kind: "live" };
  const request = { args: [], env: [], stdin, limits: {}, engine: "interpreter" };

  tell({ type: "start", id: 1, run: 1, request });
  tell({ type: "stdin", run: 1, bytes: "for the first" });
  await new Promise((resolve) => setImmediate(resolve));
  tell({ type: "cancel", run: 1 });
  assert.equal((await answered(1)).problem.code, "cancelled");
  assert.deepEqual(told, [], "the first never started");

  tell({ type: "start", id: 2, run: 2, request });
  tell({ type: "stdin", run: 2, bytes: "a" });
  tell({ type: "end-stdin", run: 2 });
  await new Promise((resolve) => setImmediate(resolve));
  waits.at(-1).resolve();
  assert.equal((await answered(2)).type, "reply");
  assert.deepEqual(told, [["input a", "end"]]);

  tell({ type: "start", id: 3, run: 3, request });
  await new Promise((resolve) => setImmediate(resolve));
  tell({ type: "abandon" });
  assert.equal((await answered(3)).problem.code, "cancelled");
});

test("only what says something about a program or a file is held against it", async () => {
  const seen = [];
  const events = {
    programLoaded: () => seen.push("loaded"),
    programRefused: (_, error) => seen.push(error.code),
    itemPlaced: () => seen.push("placed"),
    itemRefused: (_, error) => seen.push(error.code),
  };
  const { UserError } = await load("problem.ts");
  /** Refuses once with each code, then takes it. */
  const session = (codes, items) => {
    const client = {
      generation: 1,
      request() {
        const code = codes.shift();
        // Of the bundle's own class, which is what it asks for.
        return code ? Promise.reject(Object.setPrototypeOf(new UserError({ code, message: "", hint: "" }), errorOf.prototype)) : Promise.resolve(1);
      },
    };
    const made = new Session(client, events);
    made.program = { name: "a.wat", source: new Blob() };
    made.items = items;
    return made;
  };
  const errorOf = await new Session({ generation: 0 }, events).sync().catch((error) => error.constructor);
  const archive = { kind: "archive", path: "in", format: "zip", source: new Blob() };
  for (const items of [[], [archive]]) {
    seen.length = 0;
    const codes = ["runtime-missing", "runtime-crashed", "cancelled", "run-gone"];
    const one = session([...codes], items);
    for (const code of codes) await assert.rejects(one.sync(), { code });
    await one.sync();
    assert.deepEqual(seen, ["runtime-missing", "runtime-crashed", "cancelled", "run-gone", ...(items.length ? ["placed"] : []), "loaded"]);

    // What is queued goes with what is given up, and what comes after it is new.
    seen.length = 0;
    const left = session(["cancelled"], items);
    const queued = [left.sync(), left.sync(), left.sync()];
    await Promise.resolve();
    left.abandon();
    for (const each of queued) await assert.rejects(each, { code: "cancelled" });
    await left.sync();
    // Said of the program as well, which may not be what was under way.
    assert.deepEqual(seen, ["cancelled", "cancelled", "cancelled", ...(items.length ? ["placed"] : []), "loaded"]);

    const refused = session(["bad-module"], items);
    await assert.rejects(refused.sync(), { code: "bad-module" });
    await assert.rejects(refused.sync(), { code: "bad-module" }, "it is not asked a second time");
  }
});
