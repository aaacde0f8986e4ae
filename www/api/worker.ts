/** The API's worker: all in one file, and the page hands it the compiled runtime. */
import * as glue from "verirun-glue";
import type { Face } from "../face";
import { serve } from "../worker";
import { Rest, type RestSource } from "../worker/rest";

interface Handed {
  module: WebAssembly.Module;
  rest: RestSource;
}
const scope = globalThis as unknown as { onmessage: ((event: { data: Handed }) => void) | null };

/** The first message is the runtime. */
const handed = new Promise<Handed>((resolve) => {
  scope.onmessage = ({ data }) => resolve(data);
});

void serve(async () => {
  const face = glue as unknown as Face;
  const { module, rest } = await handed;
  const exports = await face.default({ module_or_path: module });
  return { face, rest: new Rest(face, exports, rest) };
});
