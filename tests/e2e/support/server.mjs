/** A plain static file server, below a sub-path, without any special header. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";

export const BASE = "/some/sub/path/";

export const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".txt": "text/plain; charset=utf-8",
  ".svg": "image/svg+xml",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves `folder`, or further folders where that has no such file; any free port. An object among them says who gets
 * what is posted to which name, and by `GET name` who answers that. */
export async function serve(...places) {
  const folders = places.filter((place) => typeof place === "string");
  const receivers = Object.assign({}, ...places.filter((place) => typeof place === "object"));
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(pathname);
    if (!path.startsWith(BASE)) return response.writeHead(404).end();
    const receiver = request.method === "POST" && receivers[path.slice(BASE.length)];
    if (receiver) {
      receiver(await text(request));
      return response.writeHead(204).end();
    }
    const own = receivers[`GET ${path.slice(BASE.length)}`];
    if (own) return own(response);
    const name = normalize(path.slice(BASE.length) || "index.html");
    for (const folder of folders) {
      const file = join(folder, name);
      const found = await stat(file).catch(() => null);
      if (!found?.isFile()) continue;
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": found.size });
      return createReadStream(file).pipe(response);
    }
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}${BASE}`, close: () => server.close() };
}
