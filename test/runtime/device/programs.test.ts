/**
 * Programs drawn at random, and every block of the standard library at random shapes: all devices prove them with the same
 * bytes, the proofs are accepted, and say what the interpreter says.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import { resolveImport } from '../../compiler/standard.ts';
import { assertGadget } from '../../kit/check.ts';
import { testDevice } from '../../kit/devices.ts';
import { programs } from '../../kit/programs.ts';
import { blocks, calibrationOf, modelOf, shapes } from '../../stdlib/blocks.ts';
import { companions } from './companions.ts';

const wasm = await testDevice();
afterAll(() => wasm.close());

/** Lookups of a proof share tables of 2^16 entries, whose size is what a proof costs in software: blocks come several at once. */
const groups: Readonly<Record<string, readonly string[]>> = {
  'projections, norms and positions': [
    'linear',
    'affine',
    'conv1d',
    'two adapters',
    'rmsnorm',
    'centred_rmsnorm',
    'layernorm',
    'rope',
    'rope_interleaved',
    'rotate',
    'rotate_interleaved',
    'turn, a part of each head',
  ],
  attention: [
    'attention',
    'rotary_attention',
    'interleaved_attention',
    'fused_attention',
    'fused_turned_attention',
    'attend',
    'causal_softmax',
  ],
  'feed-forward layers, tables, embeddings and losses': [
    'swiglu',
    'mlp',
    'gelu, gelu_erf, silu and relu',
    'exp and log',
    'cross_entropy',
    'masked_cross_entropy',
    'clipping',
    'embedding, tied head and the next token',
  ],
};

test('every block is in a group', () => {
  expect(Object.values(groups).flat().toSorted()).toEqual(Object.keys(blocks).toSorted());
});

/** WebGPU in software shares its cores with other tests. */
const patience = (runs: number): number => 300_000 * (1 + runs);

describe.each(companions)('wasm and $name', ({ name, create, runs }) => {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await create();
  });
  beforeEach((context) => context.skip(device === undefined, `no device "${name}" on this machine`));
  afterAll(() => device?.close());

  const options = (seed: number) => ({ devices: [wasm, device!], statements: 1, samples: 0, seed });
  // Shrinking takes minutes on a GPU in software; the counterexample as it was drawn says enough.
  const assert = (numRuns: number, property: fc.IAsyncProperty<unknown>): Promise<void> =>
    fc.assert(property, { seed: 23, numRuns, endOnFailure: name === 'webgpu' });

  test.each(Object.entries(groups))(
    '%s',
    async (_, members) => {
      const property = fc.asyncProperty(shapes, fc.nat(1e6), async (shape, seed) => {
        const text = modelOf(members, shape);
        const calibration = calibrationOf(text, { bits: 10, frac: 4 });
        const report = await assertGadget(text, { ...options(seed), resolveImport, calibration });
        expect(report.checks.devices).toBeGreaterThan(0);
      });
      await assert(runs.blocks, property);
    },
    patience(runs.blocks),
  );

  test.each([
    ['a few equations', 4, runs.small],
    ['twenty equations and tables', 20, runs.large],
  ])(
    'random programs of %s',
    async (_, equations, numRuns) => {
      const property = fc.asyncProperty(programs({ equations }), fc.nat(1e6), async (program, seed) => {
        const report = await assertGadget(program, options(seed));
        expect(report.checks.devices).toBeGreaterThan(0);
      });
      await assert(numRuns, property);
    },
    patience(runs.small),
  );
});
