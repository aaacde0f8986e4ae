/** A profile as sums: by function, and as a tree with what lies below each node. No DOM. */
import type { ProfileNode } from "../face";

export interface Frame {
  index: number;
  name: string;
  /** Steps made in it and in all that it called. */
  total: number;
  self: number;
  calls: number;
  depth: number;
  /** Of the whole, from 0 to 1. */
  start: number;
  children: Frame[];
}

export interface FunctionSum {
  name: string;
  self: number;
  calls: number;
}

export function nodeName({ function: index, name }: ProfileNode, isRoot = false): string {
  if (isRoot) return "all";
  if (index === null) return "(deeper)";
  return name ?? `function ${index}`;
}

/** Self steps of each function, the largest first. */
export function byFunction(nodes: readonly ProfileNode[]): FunctionSum[] {
  const sums = new Map<number | null, FunctionSum>();
  nodes.forEach((node, at) => {
    if (at === 0 && node.steps === 0) return;
    const sum = sums.get(node.function) ?? { name: nodeName(node, at === 0), self: 0, calls: 0 };
    sum.self += node.steps;
    sum.calls += node.calls;
    sums.set(node.function, sum);
  });
  return [...sums.values()].sort((a, b) => b.self - a.self || a.name.localeCompare(b.name));
}

/** The frames of a flame chart, the root first; each lies within its caller's width. */
export function frames(nodes: readonly ProfileNode[]): Frame[] {
  const all = nodes.map((node, index): Frame => ({ index, name: nodeName(node, index === 0), total: node.steps, self: node.steps, calls: node.calls, depth: 0, start: 0, children: [] }));
  // A node comes behind its parent: backwards every sum is complete before it is added.
  for (let index = all.length - 1; index > 0; index--) {
    const [frame, parent] = [all[index], all[nodes[index]?.parent ?? 0]];
    if (frame && parent) parent.total += frame.total;
  }
  for (let index = 1; index < all.length; index++) {
    const [frame, parent] = [all[index], all[nodes[index]?.parent ?? 0]];
    if (!frame || !parent) continue;
    frame.depth = parent.depth + 1;
    parent.children.push(frame);
  }
  const whole = all[0]?.total ?? 0;
  for (const frame of all) {
    let start = frame.start;
    frame.children.sort((a, b) => b.total - a.total);
    for (const child of frame.children) {
      child.start = start;
      start += whole > 0 ? child.total / whole : 0;
    }
  }
  return all;
}
