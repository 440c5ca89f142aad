import { describe, expect, test } from 'vitest';
import { ProtocolContext, type MaskedFactor } from '../../../runtime/protocol/context.ts';
import {
  combine,
  pad,
  padIndex,
  padKind,
  padKinds,
  value,
  zeroForm,
  type Form,
  type Pad,
} from '../../../runtime/protocol/form.ts';
import { add, mul, reduce } from '../../../runtime/protocol/scalar.ts';
import { Transcript } from '../../../runtime/protocol/transcript.ts';
import { Draw } from '../../kit/draw.ts';

/** A context whose pads are drawn at random, copies as the plan says, and the value of a form under them. */
function setting(protocol: (ctx: ProtocolContext, send: (v: bigint) => MaskedFactor) => Form) {
  const planner = new ProtocolContext(new Transcript(), { masked: () => 0n, clear: () => 0n });
  protocol(planner, () => planner.sendFactor('f', undefined));
  const plan = planner.plan();
  const draw = new Draw('context', 1);
  const [a, b, p] = [plan.triples, plan.triples, plan.plain].map((n) => Array.from({ length: n }, () => draw.scalar()));
  const pads: Record<string, bigint[]> = { P: p, A: a, B: b, C: [] };
  for (const [to, from] of plan.copies) pads[padKind(to)][padIndex(to)] = pads[padKind(from)][padIndex(from)];
  pads.C = a.map((x, i) => mul(x, b[i]));
  const ctx = new ProtocolContext(new Transcript(), {
    masked: (_l, q, v) => add(reduce(v ?? 0n), pads[padKind(q)][padIndex(q)]),
    clear: (_l, v) => reduce(v ?? 0n),
  });
  const form = protocol(ctx, (v) => ctx.sendFactor('f', v));
  const evaluate = (f: Form): bigint =>
    [...f.pads].reduce((s, [q, c]) => add(s, mul(c, pads[padKind(q)][padIndex(q)])), f.constant);
  return { form, ctx, plan, pads, evaluate };
}

describe('the protocol context', () => {
  test('pads have one number each, which gives kind and index back', () => {
    const all = padKinds.flatMap((k) => [0, 1, 77, 2 ** 30].map((i) => ({ k, i, p: pad(k, i) })));
    expect(new Set(all.map((x) => x.p)).size).toBe(all.length);
    for (const { k, i, p } of all) expect([padKind(p), padIndex(p)]).toEqual([k, i]);
  });

  test('neighbouring factors share a triple: their product copies nothing', () => {
    const { form, evaluate, plan } = setting((ctx, send) => ctx.product(send(6n), send(7n)));
    expect(evaluate(form)).toBe(42n);
    expect([plan.triples, plan.copies.size]).toEqual([1, 0]);
  });

  test('the order of the factors does not matter', () => {
    const { form, evaluate, plan } = setting((ctx, send) => {
      const [u, v] = [send(6n), send(7n)];
      return ctx.product(v, u);
    });
    expect(evaluate(form)).toBe(42n);
    expect(plan.copies.size).toBe(0);
  });

  test('any other pair takes a triple of its own and states that it copies', () => {
    const { form, evaluate, plan, ctx } = setting((ctx, send) => {
      const [u, v, w] = [send(2n), send(3n), send(5n)];
      return combine([
        [1n, ctx.product(u, w)],
        [1n, ctx.product(v, w)],
      ]);
    });
    expect(evaluate(form)).toBe(25n);
    expect(plan.triples).toBe(4);
    expect(plan.copies.size).toBe(4);
    expect(ctx.relations).toHaveLength(4);
    for (const { form: f } of ctx.relations) expect(evaluate(f)).toBe(0n);
  });

  test('a square copies its factor twice', () => {
    const { form, evaluate, plan } = setting((ctx, send) => {
      const u = send(9n);
      return ctx.product(u, u);
    });
    expect(evaluate(form)).toBe(81n);
    expect(new Set([...plan.copies.values()])).toEqual(new Set([pad('A', 0)]));
    expect(plan.copies.size).toBe(2);
  });

  test('a copy whose pad differs breaks its relation, and so would the product', () => {
    const { form, evaluate, ctx, pads } = setting((ctx, send) => {
      const u = send(9n);
      return ctx.product(u, u);
    });
    const [[copy]] = [...ctx.copies] as [Pad, Pad][];
    pads[padKind(copy)][padIndex(copy)] = add(pads[padKind(copy)][padIndex(copy)], 1n);
    pads.C = pads.A.map((x, i) => mul(x, pads.B[i]));
    expect(ctx.relations.filter((v) => evaluate(v.form) !== 0n)).toHaveLength(1);
    expect(evaluate(form)).not.toBe(81n);
  });

  test('every message is absorbed: the same text with another message gives other challenges', () => {
    const run = (v: bigint): bigint => {
      const ctx = new ProtocolContext(new Transcript(), { masked: () => v, clear: () => v });
      ctx.send('m', 0n);
      return ctx.challenge('c', 1);
    };
    expect(run(1n)).not.toBe(run(2n));
    expect(run(1n)).toBe(run(1n));
  });

  test('messages are numbered without gaps', () => {
    const { plan } = setting((ctx, send) => {
      ctx.send('a', 1n);
      send(1n);
      ctx.send('b', 1n);
      ctx.assertZero(value(zeroForm));
      return zeroForm;
    });
    expect(plan).toMatchObject({ plain: 2, triples: 1, labels: ['a', 'f', 'b'] });
  });
});
