/** What the builder of gadgets refuses: each is a mistake of a gadget that would be a hole in a proof, or no proof at all. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../../compiler/ir/tensor/program.ts';
import { createBuilder, type Builder } from '../../../compiler/lower/builder.ts';
import { entry, nowhere, term } from '../../../compiler/lower/expressions.ts';
import { smallPlan } from '../../../compiler/lower/gadgets/limbs.ts';
import { bounded, establish } from '../../../compiler/lower/gadgets/range.ts';

const range = { lo: 0n, hi: 7n };
const declared = (id: number, role: Tensor['role']): Tensor => ({
  id,
  name: `t${id}`,
  shape: [4],
  scale: { num: 1n, den: 1n },
  range,
  visibility: role === 'inner' ? 'hidden' : 'public',
  role,
  span: nowhere,
});

/** t0 is a public input, t1 a value of the proof. */
const start = (): Builder =>
  createBuilder(
    [declared(0, 'input'), declared(1, 'inner')],
    new Map([[0, { kind: 'input' }]]),
    smallPlan,
    (tensor, at) => ({ tensor, at }),
  );

const own = (id: number) => [term(1n, entry(id, 1))];

describe('the builder refuses', () => {
  test.each<[string, (b: Builder) => void, string]>([
    ['two equations', (b) => [b.define(1, own(0)), b.define(1, own(0))], 't1 is defined twice'],
    ['an equation for an input', (b) => b.define(0, own(1)), 't0 is input and defined'],
    ['an equation for what is committed', (b) => [b.commit(1), b.define(1, own(0))], 't1 is witness and defined'],
    ['to commit what is defined', (b) => [b.define(1, own(0)), b.commit(1)], 't1 is defined already'],
    ['to commit an input', (b) => b.commit(0), 't0 is input already'],
    ['two hints', (b) => [b.evaluate(1, own(0)), b.hint(1, { kind: 'isZero', of: 0 })], 't1 is found twice'],
    ['a factor with too few indices', (b) => b.define(1, [term(1n, { tensor: 0, at: [] })]), 't0 is read by 0 indices'],
    ['the selector of what is no index', (b) => b.publicSelector(0), 't0 is no index tensor'],
  ])('%s', (_, build, message) => {
    expect(() => build(start())).toThrow(`internal error: ${message}`);
  });

  test.each<[string, (b: Builder) => void]>([
    ['a tensor', (b) => b.inner('late', [4], range, nowhere)],
    ['an equation', (b) => b.define(1, own(0))],
    ['a step', (b) => b.evaluate(1, own(0))],
    ['a range', (b) => b.inRange(0, 3)],
    ['a commitment', (b) => b.commit(1)],
  ])('%s once the program is finished', (_, late) => {
    const b = start();
    b.finish();
    expect(() => late(b)).toThrow(TypeError);
  });
});

test('a tensor is committed whole or by limbs, which are found after it', () => {
  const b = start();
  const steps = [3n, 2n ** 40n].map((hi) => {
    const id = b.inner('value', [4], { lo: 0n, hi }, nowhere);
    establish(b, id, { lo: 0n, hi }, () => b.evaluate(id, own(0)));
    return b.tensors[id].class.kind;
  });
  expect(steps).toEqual(['witness', 'defined']);
  const draft = b.finish();
  expect(draft.steps.map((s) => s.kind)).toEqual(['sum', 'sum', 'limb', 'limb', 'limb']);
  expect(draft.uses.map((u) => u.bits)).toEqual([2, 41]);
});

test('of what is bounded the highest limb is not committed', () => {
  const b = start();
  const value = b.inner('value', [4], { lo: 0n, hi: 2n ** 20n - 1n }, nowhere);
  b.evaluate(value, own(0));
  bounded(b, value, own(0), 20);
  const { tensors, tables, lookups } = b.finish();
  const counts = new Set(tables.map((t) => t.multiplicities));
  const committed = tensors.filter((t, id) => t.class.kind === 'witness' && !counts.has(id)).map((t) => t.name);
  expect(committed).toEqual(['value bits 0']);
  expect(lookups.map((l) => [tensors[l.tensor].name, l.shift])).toEqual([
    ['value bits 0', 0],
    ['value from bit 4', 4],
  ]);
});
