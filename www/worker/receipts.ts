/** The worker's answers about receipts, packages and links. */
import type { Face, ModuleInfo, StartOptions, Task } from "../face";
import type { RunRequest } from "../protocol";
import { unreachable } from "../protocol";
import type { Digests, ReceiptReplies, ReceiptRequest } from "../receipt/protocol";
import type { RunLoop } from "./runloop";
import { CHUNK, isBinary, readAll } from "./setup";
import { searchOn, startBisection, storyRun } from "./story";
import { verify } from "./verify";

const utf8 = new TextEncoder();

export interface Here {
  face: Face;
  task: Task;
  current(run: number): RunLoop;
  progress(done: number, total: number): void;
  /** Replies before the request is done. */
  early(value: ReceiptReplies["verify"]): void;
}

/** What the face takes for what the page asks. */
export async function startOptions({ stdin, everything: _, ...options }: RunRequest): Promise<StartOptions> {
  switch (stdin.kind) {
    case "live":
      return { ...options, stdin: "live" };
    case "bytes":
      return { ...options, stdin: await readAll(stdin.source) };
    case "script":
      return { ...options, stdin: { terminal: stdin.terminal, pushed: stdin.pushed } };
  }
}

const bytesOf = (text: string | null): Uint8Array | undefined => (text === null ? undefined : utf8.encode(text));

export async function answerReceipts(request: ReceiptRequest, here: Here): Promise<ReceiptReplies[keyof ReceiptReplies]> {
  const { face, task } = here;
  switch (request.type) {
    case "receipt":
      return here.current(request.run).run.receipt();
    case "compare":
      return here.current(request.run).run.compare(utf8.encode(request.receipt));
    case "check-task":
      return task.checkReceipt(await startOptions(request.request), utf8.encode(request.receipt)) ?? null;
    case "pack":
      return task.pack(await startOptions(request.request), bytesOf(request.receipt));
    case "link":
      return task.link(await startOptions(request.request), bytesOf(request.receipt), request.url ?? undefined);
    case "open-package":
      return face.openPackage(await readAll(request.source));
    case "open-link":
      return face.openLink(request.fragment);
    case "read-receipt":
      return face.readReceipt(await readAll(request.source));
    case "digest":
      return digest(face, request.name, request.source);
    case "key":
      return { publicKey: face.generateKey(request.secret).publicKey, file: face.keyFile(request.secret) };
    case "read-key":
      return face.readKeyFile(await readAll(request.source));
    case "sign":
      return face.signReceipt(request.receipt, request.secret);
    case "story-run":
      return storyRun(task, request.request);
    case "bisect":
      return startBisection(face, task, request.right, request.wrong);
    case "bisect-on":
      return searchOn();
    case "verify":
      return verify(face, request.job, { progress: here.progress, spent: here.early });
    default:
      return unreachable(request);
  }
}

/** Larger modules than this are not looked for among input files. */
const MAX_MODULE = 512 * 1024 * 1024;

async function digest(face: Face, name: string, source: Blob): Promise<Digests> {
  const hasher = new face.Hasher();
  for (let offset = 0; offset < source.size; offset += CHUNK) {
    hasher.update(await readAll(source.slice(offset, offset + CHUNK)));
  }
  const sha256 = hasher.digest();
  hasher.free();
  return { size: source.size, sha256, module: await moduleOf(face, name, source) };
}

async function moduleOf(face: Face, name: string, source: Blob): Promise<Digests["module"]> {
  const binary = await isBinary(source);
  if (source.size > MAX_MODULE || !(binary || /\.wast?$|\.wat$/i.test(name))) return null;
  let info: ModuleInfo;
  try {
    info = face.moduleInfo(name, await readAll(source));
  } catch {
    // It may be an input file that only looks like one.
    return null;
  }
  return { size: info.size, sha256: info.sha256 };
}
