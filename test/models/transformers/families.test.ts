/** Imported programs compute what transformers computes, for tiny models of every family and with adapters of PEFT. */
import { describe, expect, test } from 'vitest';
import { format } from '../../../grammar/format.ts';
import { evaluateReal, type Numbers } from '../../../runtime/evaluate/index.ts';
import { importModel } from '../../../models/import/model.ts';
import { checkText, resolveImport } from '../../compiler/standard.ts';
import { openAdapterOf, openCase, vectors, type Case, type OpenedAdapter } from './weights.ts';

/** The standard library with constants that are hardly rounded, so that nothing but formulas can differ. */
const precise: typeof resolveImport = (name) => {
  const file = resolveImport(name);
  return file && { ...file, text: file.text.replace(/round<16, 1[45]>/g, 'round<44, 40>') };
};

/** transformers computes norms and angles in float32. */
const MOST = 1e-5;

async function textOf(made: Case, config: Case['saved'], adapters: readonly OpenedAdapter[]): Promise<string> {
  const { text } = await importModel(await openCase(made, config), adapters, vectors.tokens.length);
  return (await format(text, 'model.zkl')).text ?? '';
}

/** The program's logits in float64. */
async function logitsOf(
  made: Case,
  adapters: readonly OpenedAdapter[],
  resolve: typeof resolveImport,
): Promise<ArrayLike<number>> {
  const text = await textOf(made, made.saved, adapters);
  const { programs, all } = checkText(text, { provisional: true, resolveImport: resolve });
  expect(all, text).toEqual([]);
  const [program] = programs;
  const checkpoint = await openCase(made, made.saved);
  const inputs = new Map<number, Numbers>();
  for (const { id, name, role, file } of program.tensors) {
    if (role !== 'input') continue;
    const read = file?.source === 'base' ? checkpoint.readFloats : adapters[0]?.read;
    inputs.set(id, name === 'tokens' ? Int32Array.from(vectors.tokens) : await read(file?.names[0] ?? ''));
  }
  const logits = program.tensors.find((t) => t.name === 'logits');
  return evaluateReal(program, inputs).get(logits?.id ?? -1) ?? [];
}

/** The largest difference, as a share of the largest logit. */
function distance(actual: ArrayLike<number>, expected: Case['logits']): number {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  return Math.max(...flat.map((v, k) => Math.abs(v - actual[k]))) / Math.max(...flat.map(Math.abs));
}

describe.each(vectors.cases.map((made) => [made.name, made] as const))('%s', (_, made) => {
  test('computes what transformers computes', async () => {
    expect(distance(await logitsOf(made, [], precise), made.logits)).toBeLessThan(MOST);
  });

  test('is the same program from the fields of the hub and from those that transformers saves', async () => {
    const body = (text: string): string => text.slice(text.indexOf('\nmodel '));
    expect(body(await textOf(made, made.published, []))).toBe(body(await textOf(made, made.saved, [])));
  });

  const { adapter } = made;
  if (adapter !== undefined)
    test('computes what PEFT computes', async () => {
      expect(distance(await logitsOf(made, await openAdapterOf(made), precise), adapter.logits)).toBeLessThan(MOST);
      // It changes something.
      expect(distance(made.logits.flat(), adapter.logits)).toBeGreaterThan(0.1);
    });
});
