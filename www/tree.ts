/** A list of paths as a tree. */
import type { FileEntry } from "./face";

export interface TreeNode {
  name: string;
  path: string;
  /** Missing for a directory that the list names only as part of others. */
  entry: FileEntry | undefined;
  children: TreeNode[];
}

export function isChanged(entry: FileEntry): boolean {
  return entry.change !== "same";
}

/** Keeps the list's order: it is sorted by path. */
export function buildTree(entries: readonly FileEntry[]): TreeNode[] {
  const roots: TreeNode[] = [];
  const nodes = new Map<string, TreeNode>();
  const nodeAt = (path: string): TreeNode => {
    const known = nodes.get(path);
    if (known) return known;
    const slash = path.lastIndexOf("/");
    const node: TreeNode = { name: path.slice(slash + 1), path, entry: undefined, children: [] };
    nodes.set(path, node);
    (slash < 0 ? roots : nodeAt(path.slice(0, slash)).children).push(node);
    return node;
  };
  for (const entry of entries) {
    const path = entry.path.replace(/^\/+/, "");
    if (path !== "") nodeAt(path).entry = entry;
  }
  return roots;
}
