import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/index.ts';
import { bytesSource, FormatError, importAdapter, loadAdapter, type LoadedAdapter } from '../../models/index.ts';
import { gpt2Modules, llamaModules, makeAdapter, type AdapterShape, type MadeModule } from '../support/adapter.ts';
import { realAdapter } from '../support/real-adapter.ts';

const load = (shape: AdapterShape): Promise<LoadedAdapter> => {
  const { config, tensors } = makeAdapter(shape);
  return loadAdapter(config, bytesSource('a.safetensors', tensors));
};

/** The imported program: it has to be formatted, right, and take every matrix of the adapter once, as it is. */
async function imported(adapter: LoadedAdapter, rows = 3): Promise<{ text: string; program: TensorProgram }> {
  const text = importAdapter({ ...adapter, maxAbs: await adapter.maxAbs() }, { rows });
  const formatted = await format(text, 'adapter.zkl');
  expect(formatted.text, text).toBe(text);
  const { program, diagnostics } = parse(text, 'adapter.zkl');
  const checked = check({ program, source: 'adapter.zkl', resolveImport: () => undefined, forProof: true });
  expect([...diagnostics, ...checked.diagnostics], text).toEqual([]);
  expect(checked.programs).toHaveLength(1);
  const taken = checked.programs[0].tensors.flatMap((t) =>
    (t.file?.names ?? []).map((name) => [name, t.shape.slice(t.file!.stacked)] as const),
  );
  const matrices = adapter.description.modules.flatMap((m) => [m.a, m.b]).map((t) => [t.name, [...t.shape]] as const);
  expect(new Map(taken), text).toEqual(new Map(matrices));
  expect(taken, text).toHaveLength(matrices.length);
  return { text, program: checked.programs[0] };
}

const inputs = ({ tensors }: TensorProgram) =>
  Object.fromEntries(
    tensors.filter((t) => t.visibility === 'public' && t.role === 'input').map((t) => [t.name, t.shape]),
  );

test('modules of one shape are stacked', async () => {
  const { text, program } = await imported(await load({ modules: gpt2Modules(12, 6), rank: 2 }));
  expect(text)
    .toBe(`/// What a LoRA adapter on a base model adds to 12 modules, each on its own: delta = alpha / R · x Aᵀ Bᵀ.
///
/// Every proof publishes its rows of x and delta. Whoever has seen about I of them for one module, over all proofs
/// together, can solve for B · A (I is at most 6 here): give out fewer.
model adapter {
  dim T = 3, L = 12, I = 6, O = 18, R = 2
  const alpha = 4

  public x[L, T, I]: fixed<16, 8>
  secret A[l: L, R, I]: fixed<16, 14> from adapter "transformer.h.{l}.attn.c_attn.lora_A.weight"
  secret B[l: L, O, R]: fixed<16, 14> from adapter "transformer.h.{l}.attn.c_attn.lora_B.weight"
  u[l, t, r] = sum(i) x[l, t, i] * A[l, r, i]
  public delta[l, t, o] = alpha / R * sum(r) u[l, t, r] * B[l, o, r]
}
`);
  const names = program.tensors.find((t) => t.name === 'A')!.file!.names;
  expect(names).toEqual(Array.from({ length: 12 }, (_, l) => `transformer.h.${l}.attn.c_attn.lora_A.weight`));
});

test("Llama's projections are a group each, named by their last words", async () => {
  const { program } = await imported(
    await load({ modules: llamaModules({ layers: 3, width: 8, hidden: 12, kv: 4 }), rank: 3 }),
  );
  expect(inputs(program)).toEqual({
    ...Object.fromEntries(['q', 'k', 'v', 'o', 'gate', 'up'].map((n) => [`${n}_proj_x`, [3, 3, 8]])),
    down_proj_x: [3, 3, 12],
  });
});

test('one module alone has no stacked axis', async () => {
  const { program } = await imported(await load({ modules: gpt2Modules(1, 4), rank: 1 }), 1);
  expect(inputs(program)).toEqual({ x: [1, 4] });
});

test('layers that do not count from 0 stand alone', async () => {
  const modules = [0, 1, 3, 12].map((l) => ({ path: `model.layers.${l}.q_proj`, inputs: 4, outputs: 4 }));
  const { program } = await imported(await load({ modules, rank: 2 }));
  expect(inputs(program)).toEqual({ q_proj_x: [2, 3, 4], q_proj_3_x: [3, 4], q_proj_12_x: [3, 4] });
});

test('two numbers in a name are two axes where all of their combinations are there', async () => {
  const experts = (layer: number, count: number): MadeModule[] =>
    Array.from({ length: count }, (_, e) => ({ path: `layers.${layer}.experts.${e}.w1`, inputs: 4, outputs: 5 }));
  const full = await imported(await load({ modules: [...experts(0, 3), ...experts(1, 3)], rank: 2 }));
  expect(inputs(full.program)).toEqual({ x: [2, 3, 3, 4] });
  const ragged = await imported(await load({ modules: [...experts(0, 3), ...experts(1, 2)], rank: 2 }));
  expect(inputs(ragged.program)).toEqual({ w1_0_x: [3, 3, 4], w1_1_x: [2, 3, 4] });
});

test('other ranks and alphas are groups of their own', async () => {
  const modules = gpt2Modules(4, 4).map((m, l) => (l === 3 ? { ...m, rank: 5 } : l === 2 ? { ...m, alpha: 0.5 } : m));
  const { text, program } = await imported(await load({ modules, rank: 2 }));
  expect(inputs(program)).toEqual({ c_attn_x: [2, 3, 4], c_attn_2_x: [3, 4], c_attn_3_x: [3, 4] });
  expect(text).toContain('const c_attn_2_alpha = 0.5');
  expect(text).toContain('dim c_attn_3_R = 5');
});

describe('RSLoRA', () => {
  const scale = async (rank: number, alpha: number, extra: Partial<AdapterShape> = {}) =>
    (await imported(await load({ modules: gpt2Modules(2, 4), rank, alpha, rslora: true, ...extra }))).text;

  test('a rational scaling is exact', async () => {
    expect(await scale(4, 6)).toContain('const scale = alpha / sqrt(R)\n');
  });

  test('an irrational one is rounded to 32 bits, whatever its size', async () => {
    expect(await scale(3, 6)).toContain('const scale = round<32, 24>(alpha / sqrt(R))\n');
    expect(await scale(3, 1e6)).toContain('const scale = round<32, 10>(alpha / sqrt(R))\n');
    expect(await scale(3, -6)).toContain('const scale = round<32, 24>(alpha / sqrt(R))\n');
  });

  test('where ranks differ every group has its own', async () => {
    const modules = gpt2Modules(2, 4).map((m, l) => (l === 1 ? { ...m, rank: 5 } : m));
    const text = await scale(3, 6, { modules });
    expect(text).toContain('const c_attn_0_scale = round<32, 24>(alpha / sqrt(c_attn_0_R))');
    expect(text).toContain('const c_attn_1_scale = round<32, 24>(alpha / sqrt(c_attn_1_R))');
  });
});

test('larger weights get fewer bits after the point, and the program says what that tells', async () => {
  const adapter = await load({ modules: gpt2Modules(2, 4), rank: 2 });
  const text = (max: number): string => {
    const maxAbs = new Map([['transformer.h.1.attn.c_attn.lora_B.weight', max]]);
    return importAdapter({ ...adapter, maxAbs }, { rows: 1 });
  };
  expect(text(1.9999)).not.toMatch(/\/\/ [AB] has/);
  expect(text(1.9999)).toContain('B[l: L, O, R]: fixed<16, 14>');
  expect(text(2)).toContain(
    '// B has values of at least 2 or so, as its type tells everybody.\n  secret B[l: L, O, R]: fixed<16, 13>',
  );
  expect(text(2)).toContain('A[l: L, R, I]: fixed<16, 14>');
  expect(text(32767)).toContain('fixed<16, 0>');
  expect(() => text(32768)).toThrow(
    /"transformer\.h\.1\.attn\.c_attn\.lora_B\.weight" has a value of magnitude 32768, beyond 16 bits/,
  );
});

test('names that a program cannot write, and rows that are none', async () => {
  const adapter = await load({ modules: [{ path: 'h.{l}.c', inputs: 2, outputs: 2 }], rank: 1 });
  const plain = ({ description, fileName }: LoadedAdapter) => ({ description, fileName });
  expect(() => importAdapter(plain(adapter), { rows: 1 })).toThrow(FormatError);
  const other = await load({ modules: gpt2Modules(1, 4), rank: 1 });
  expect(() => importAdapter(plain(other), { rows: 0 })).toThrow(
    'options.rows: expected rows of a proof, a whole number from 1, got the number 0',
  );
});

const segment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'layers',
      'h',
      'self_attn',
      'q_proj',
      'a-b',
      'fixed',
      'a_module_with_quite_a_long_name_of_its_own',
    ),
  },
  { weight: 3, arbitrary: fc.nat(3).map(String) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 4 }).map((s) => s.replace(/["{}\r\n.]/g, '_')) },
);
const length = fc.integer({ min: 1, max: 3 });
const someModule: fc.Arbitrary<MadeModule> = fc.record({
  path: fc.array(segment, { minLength: 1, maxLength: 5 }).map((s) => s.join('.')),
  inputs: length,
  outputs: length,
  rank: length,
  alpha: fc.constantFrom(1, 4, 0.1, 1e-7),
});

test('any adapter imports to a formatted program that is right', async () => {
  const shapes = fc.record({
    modules: fc.uniqueArray(someModule, { minLength: 1, maxLength: 12, selector: (m) => m.path }),
    rslora: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(shapes, async ({ modules, rslora }) => {
      await imported(await load({ modules, rslora, rank: 2 }));
    }),
    { numRuns: 150 },
  );
});

test('the real adapter', async (context) => {
  const { config, tensors } = realAdapter(context);
  const { text, program } = await imported(
    await loadAdapter(config, bytesSource('adapter_model.safetensors', tensors)),
    15,
  );
  expect(inputs(program)).toEqual({ x: [12, 15, 768] });
  expect(text).toContain(
    'secret B[l: L, O, R]: fixed<16, 14> from adapter "transformer.h.{l}.attn.c_attn.lora_B.weight"',
  );
  expect(text).toContain('///   score.weight [6, 768]');
});
