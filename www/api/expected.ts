/** What a receipt says of its task, as options of a run that is compared with it. */
import type { StdinSource } from "../protocol";
import type { Envelope, Text } from "../receipt/types";
import type { LimitValues, RunOptions } from "./types";

/** The options, completed, and input that was typed, to be given at the same moments. */
export interface Completed {
  options: RunOptions;
  stdin: StdinSource | null;
}

const LIMITS = { gas: "gas", call: "call", frame: "frame", memory: "memory", outputBytes: "output", fileBytes: "files" } as const;

const textOf = (text: Text): string | null => (typeof text === "string" ? text : null);

/** Null if there are none, or one is no text: then the digests tell. */
function texts(list: Text[] | undefined): string[] | null {
  const all = list?.map(textOf);
  return all && !all.includes(null) ? (all as string[]) : null;
}

function bytesOf(text: Text): string | Uint8Array {
  if (typeof text === "string") return text;
  return Uint8Array.from(text.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/**
 * What is not given is as in the receipt. One that can't be read fills in nothing; it is read strictly when it is
 * compared.
 */
export function complete(options: RunOptions, receipt: string): Completed {
  try {
    return filled(options, JSON.parse(receipt) as Envelope);
  } catch {
    return { options, stdin: null };
  }
}

function filled(options: RunOptions, { receipt, given = {} }: Envelope): Completed {
  const { profile, limits, preopens, stdin: said } = receipt.task;
  const saidLimits: LimitValues = {};
  for (const [ours, theirs] of Object.entries(LIMITS) as [keyof typeof LIMITS, (typeof LIMITS)[keyof typeof LIMITS]][]) {
    saidLimits[ours] = limits[theirs];
  }
  const args = texts(given.args);
  const env = texts(given.env)?.map((item): [string, string] => {
    const equals = item.indexOf("=");
    return [item.slice(0, equals), item.slice(equals + 1)];
  });
  const name = args?.[0] ?? given.module;
  const typed = options.stdin === undefined && !options.live && said.kind === "live" && given.pushed;
  return {
    options: {
      ...(name !== undefined && { name }),
      ...(args && { args: args.slice(1) }),
      ...(env && { env }),
      ...(given.stdin !== undefined && !options.live && { stdin: bytesOf(given.stdin) }),
      clock: profile.clock,
      random: profile.random,
      ...(profile.seed !== undefined && { seed: profile.seed }),
      preopens,
      ...options,
      limits: { ...saidLimits, ...options.limits },
    },
    stdin: typed ? { kind: "script", terminal: said.terminal ?? true, pushed: given.pushed ?? [] } : null,
  };
}
