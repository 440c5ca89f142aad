/**
 * node examples/demo/make-adapter.ts: writes the demo's adapter, `adapter/`, again, byte for byte. Two attention
 * projections of a two-layer toy model, rank 3; the weights are a generator's, trained on nothing.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gpt2Modules, makeAdapter } from '../../test/support/adapter.ts';

const { config, tensors } = makeAdapter({ modules: gpt2Modules(2, 48), rank: 3, alpha: 6, seed: 2026, bound: 0.3 });
const at = (name: string): string => fileURLToPath(new URL(`adapter/${name}`, import.meta.url));
writeFileSync(at('adapter_config.json'), `${config.trimEnd()}\n`);
writeFileSync(at('adapter_model.safetensors'), tensors);
