import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWasmDevice } from '../../../index.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { gpt2Modules, llamaModules, makeAdapter } from '../../support/adapter.ts';
import { realAdapter } from '../../support/real-adapter.ts';
import { madeSource, proveAdapter } from './prove-adapter.ts';

describe('adapters, from the file to a verified proof', () => {
  let device: Device;
  beforeAll(async () => {
    device = await createWasmDevice();
  });
  afterAll(() => device.close());

  test.each([1, 3, 4, 8, 64])('rank %i', async (rank) => {
    const made = makeAdapter({ modules: gpt2Modules(2, 40), rank, seed: rank });
    const { worstError } = await proveAdapter(device, made.config, madeSource(made), 3);
    expect(worstError).toBeLessThan(1e-3);
  });

  test.each(['F16', 'BF16', 'F64'] as const)('weights stored as %s', async (dtype) => {
    const made = makeAdapter({ modules: gpt2Modules(1, 24), rank: 2, dtype });
    const { worstError } = await proveAdapter(device, made.config, madeSource(made), 1);
    expect(worstError).toBeLessThan(1e-3);
  });

  test('all seven projections of Llama layers, with grouped keys and values', async () => {
    const made = makeAdapter({ modules: llamaModules({ layers: 2, width: 32, hidden: 44, kv: 16 }), rank: 4 });
    const { modules, worstError } = await proveAdapter(device, made.config, madeSource(made), 5);
    expect(modules).toBe(14);
    expect(worstError).toBeLessThan(1e-3);
  });

  test('rank-stabilised scaling with an irrational root', async () => {
    const made = makeAdapter({ modules: gpt2Modules(1, 24), rank: 3, rslora: true });
    const { worstError } = await proveAdapter(device, made.config, madeSource(made), 2);
    expect(worstError).toBeLessThan(1e-3);
  });

  test('one module of 8192 x 16 x 8192', async () => {
    const made = makeAdapter({
      modules: [{ path: 'model.layers.0.self_attn.q_proj', inputs: 8192, outputs: 8192 }],
      rank: 16,
    });
    const { worstError } = await proveAdapter(device, made.config, madeSource(made), 1);
    expect(worstError).toBeLessThan(1e-3);
  });

  test('a trained adapter: twelve modules of GPT-2', async (context) => {
    const made = realAdapter(context);
    const { modules, worstError, proofBytes } = await proveAdapter(device, made.config, madeSource(made), 15);
    expect(modules).toBe(12);
    expect(worstError).toBeLessThan(1e-3);
    expect(proofBytes).toBeLessThan(20_000);
  });
});
