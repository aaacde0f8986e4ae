/**
 * Serves the benchmarks' page: `node server.mjs JOB.json`, a file with `{plan, mounts: [[address, path], …]}`.
 * Its first line of output is the port; every further one is a report of the page.
 */
import { createReadStream, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const { plan, mounts } = JSON.parse(readFileSync(process.argv[2], "utf8"));
mounts.push(["/", fileURLToPath(new URL("./", import.meta.url))]);
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json", ".wasm": "application/wasm" };

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (request.method === "POST") {
    const chunks = await request.toArray();
    console.log(Buffer.concat(chunks).toString());
    return response.writeHead(204).end();
  }
  if (pathname === "/plan.json") return response.end(JSON.stringify(plan));
  for (const [address, path] of mounts) {
    // A `*` in an address stands for any number, for files that no cache may have.
    const [start, numbered] = address.split("*");
    const rest = numbered === undefined ? pathname.slice(start.length) : pathname.slice(start.length).replace(/^\d+/, "").slice(numbered.length);
    if (!pathname.startsWith(start)) continue;
    const folder = rest === "" || rest.endsWith("/");
    const file = join(path, normalize(folder && address.endsWith("/") ? `${rest}index.html` : rest));
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) continue;
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": found.size });
    return createReadStream(file).pipe(response);
  }
  response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
