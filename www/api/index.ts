/** What the API is made of, whatever it runs on. */
import type { Platform } from "./platform";
import { Pool } from "./pool";
import { TaskRun } from "./run";
import type { Api } from "./types";
import { verifyReceipt } from "./verify";

export function createApi(platform: Platform): Api {
  const pool = new Pool(platform);
  return {
    run: (module, options = {}) => new TaskRun(module, options, platform, pool),
    verify: (receipt, options = {}) => verifyReceipt(receipt, options, platform, pool),
    async preload() {
      await pool.module();
    },
  };
}
