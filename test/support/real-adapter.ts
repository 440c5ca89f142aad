/** The GPT-2 adapter that lies beside the checkout on some machines. */
import { existsSync, readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import type { MadeAdapter } from './adapter.ts';

const FOLDER = new URL('../../../shared/adapters/gpt2-emotion/', import.meta.url);

/** Its files; where it is absent the test is skipped, and says so. */
export function realAdapter(context: TestContext): MadeAdapter {
  const [config, tensors] = ['adapter_config.json', 'adapter_model.safetensors'].map((name) => new URL(name, FOLDER));
  if (!existsSync(config) || !existsSync(tensors)) {
    console.warn('SKIPPED: there is no ../shared/adapters/gpt2-emotion to test with');
    context.skip('the real adapter is absent');
  }
  return { config: readFileSync(config, 'utf8'), tensors: readFileSync(tensors) };
}
