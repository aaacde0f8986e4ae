/** Web servers with pages and headers of the test's choice, for what happens between origins. */
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { TYPES } from "./server.mjs";

/** `Access-Control-Allow-Origin`: what a script for other people's pages is always served with. */
export const CORS = { "access-control-allow-origin": "*" };

/**
 * Serves `pages` (path → text, bytes, or `{ status, type, headers, body }`), then what is in `folders`. `requests`
 * collects the paths asked for; `receive` gets what is posted. All of it may be changed while it serves.
 */
export async function serveOrigin({ pages = {}, folders = [], headers = {}, receive = () => {} } = {}) {
  const self = { pages, folders, headers, requests: [] };
  const answer = async (path) => {
    const page = self.pages[path];
    if (page !== undefined) {
      const { status = 200, type, headers = {}, body } = page.body === undefined ? { body: page } : page;
      return { status, body, headers: { "content-type": type ?? TYPES[extname(path) || ".html"] ?? "text/plain", ...headers } };
    }
    for (const folder of self.folders) {
      const body = await readFile(join(folder, normalize(path))).catch(() => null);
      if (body) return { status: 200, body, headers: { "content-type": TYPES[extname(path)] ?? "application/octet-stream" } };
    }
    return { status: 404, body: "no such file", headers: { "content-type": "text/plain" } };
  };
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    self.requests.push(path);
    if (request.method === "POST") {
      receive(path, await text(request));
      return response.writeHead(204, self.headers).end();
    }
    const { status, body, headers } = await answer(path);
    response.writeHead(status, { ...self.headers, ...headers }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  self.url = `http://127.0.0.1:${server.address().port}`;
  self.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return self;
}

/** The policy that docs/embedding.md gives for a page of another origin than Verirun. */
export const strictPolicy = (verirun) =>
  [
    "default-src 'none'",
    `script-src ${verirun} 'wasm-unsafe-eval'`,
    `worker-src blob: ${verirun}`,
    `connect-src 'self' ${verirun}`,
    "img-src blob:",
    "require-trusted-types-for 'script'",
    "trusted-types verirun",
  ].join("; ");
