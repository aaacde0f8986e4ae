/** The API's worker: all in one file, and the page hands it the compiled runtime. */
import * as glue from "verirun-glue";
import type { Face } from "../face";
import { serve } from "../worker";

const scope = globalThis as unknown as { onmessage: ((event: { data: { module: WebAssembly.Module } }) => void) | null };

/** The first message is the runtime. */
const handed = new Promise<WebAssembly.Module>((resolve) => {
  scope.onmessage = ({ data }) => resolve(data.module);
});

void serve(async () => {
  const face = glue as unknown as Face;
  await face.default({ module_or_path: await handed });
  return face;
});
