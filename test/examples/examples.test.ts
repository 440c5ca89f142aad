/** Every example runs from end to end. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { gpt2Modules, makeAdapter } from '../support/adapter.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

test.each(readdirSync(examples).filter((name) => existsSync(join(examples, name, 'run.ts'))))('%s', (name) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(examples, name, 'run.ts')], {
    encoding: 'utf8',
  });
  expect(`${stdout}${stderr}`).toContain('accepted');
  expect(status, stderr).toBe(0);
});

test("the demo's adapter is what its script writes", () => {
  const { config, tensors } = makeAdapter({ modules: gpt2Modules(2, 48), rank: 3, alpha: 6, seed: 2026, bound: 0.3 });
  const folder = join(examples, 'demo', 'adapter');
  expect(readFileSync(join(folder, 'adapter_config.json'), 'utf8').trim()).toBe(config.trim());
  expect(new Uint8Array(readFileSync(join(folder, 'adapter_model.safetensors')))).toEqual(tensors);
});
