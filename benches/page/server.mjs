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
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (request.method === "POST") {
    const chunks = await request.toArray();
    console.log(Buffer.concat(chunks).toString());
    return response.writeHead(204).end();
  }
  if (pathname === "/plan.json") return response.end(JSON.stringify(plan));
  for (const [address, path] of mounts) {
    if (!pathname.startsWith(address)) continue;
    const file = join(path, normalize(pathname.slice(address.length) || (address === "/" ? "index.html" : "")));
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) continue;
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": found.size });
    return createReadStream(file).pipe(response);
  }
  response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
