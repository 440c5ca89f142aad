/** Bundles come from strangers: what is read is refused with CodecError, or can be walked. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBundle, encodeBundle } from '../../../compiler/bundle/bundle.ts';
import { CodecError, decode, encode, type Plain } from '../../../compiler/bundle/canonical.ts';
import { readGadgetProgram } from '../../../compiler/bundle/read.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { bodySize } from '../../../runtime/protocol/argument.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';
import { Draw } from '../../kit/draw.ts';
import { programs } from '../../kit/programs.ts';
import { mutation, places, replaced } from '../../support/mutate.ts';

const bundleBytes = (gadgets: GadgetProgram): Uint8Array =>
  encodeBundle({ gadgets, tensors: 'text', kernels: '', sources: [{ name: 'a.zkl', text: 'model' }] });
const plainOf = (gadgets: GadgetProgram): Plain => decode(encode(gadgets as unknown as Plain));

const lowered = programs().map((p) => {
  const { gadgets, diagnostics } = lower(p);
  if (!gadgets) throw new Error(diagnostics.map((d) => d.title).join());
  return gadgets;
});

/** Reads, and walks what came out as a verifier does. Returns whether it was read. */
async function attempt(value: Plain): Promise<boolean> {
  let program: GadgetProgram;
  try {
    program = readGadgetProgram(value);
  } catch (e) {
    expect(e).toBeInstanceOf(CodecError);
    return false;
  }
  expect(bodySize(await planProgram(program))).toBeGreaterThan(0);
  return true;
}

describe('bundles', () => {
  test('what the compiler lowers is read back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(lowered, async (gadgets) => {
        const bundle = decodeBundle(bundleBytes(gadgets));
        expect(encode(plainOf(bundle.gadgets))).toEqual(encode(plainOf(gadgets)));
        expect(bodySize(await planProgram(bundle.gadgets))).toBe(bodySize(await planProgram(gadgets)));
        expect(bundleBytes(bundle.gadgets)).toEqual(bundleBytes(gadgets));
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  test('any one field of a program changed: refused, or a program that can be planned', async () => {
    let refused = 0;
    let read = 0;
    await fc.assert(
      fc.asyncProperty(lowered, fc.nat(1e9), async (gadgets, seed) => {
        const draw = new Draw('mutations', seed);
        const plain = plainOf(gadgets);
        const all = places(plain);
        for (let i = 0; i < 40; i++) {
          const { path, value } = draw.pick(all);
          const ok = await attempt(replaced(plain, path, mutation(value, draw)));
          if (ok) read++;
          else refused++;
        }
      }),
      { seed: 2, numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(read);
  });

  test('any bytes of a bundle changed: refused with CodecError, or another program', async () => {
    await fc.assert(
      fc.asyncProperty(lowered, fc.nat(1e9), async (gadgets, seed) => {
        const draw = new Draw('bytes', seed);
        const bytes = bundleBytes(gadgets);
        const { digest } = decodeBundle(bytes);
        const header = bytes.findIndex((_, i) => String.fromCharCode(...bytes.subarray(i, i + 4)) === 'SPAN');
        for (let i = 0; i < 40; i++) {
          const bad = bytes.slice();
          const at = draw.below(bytes.length);
          bad[at] ^= 1 + draw.below(255);
          try {
            const bundle = decodeBundle(bad);
            await planProgram(bundle.gadgets);
            // The section that is proved ends before SPAN; spans and texts are for people.
            if (at < header) expect(bundle.digest).not.toEqual(digest);
          } catch (e) {
            expect(e).toBeInstanceOf(CodecError);
          }
        }
      }),
      { seed: 3, numRuns: 40 },
    );
  });

  test('cut short or made longer', () => {
    fc.assert(
      fc.property(lowered, fc.nat(1e6), (gadgets, at) => {
        const bytes = bundleBytes(gadgets);
        expect(() => decodeBundle(bytes.subarray(0, at % bytes.length))).toThrow(CodecError);
        expect(() => decodeBundle(Uint8Array.of(...bytes, 0))).toThrow(CodecError);
      }),
      { seed: 4, numRuns: 30 },
    );
  });
});

describe('programs that would prove nothing', () => {
  const base = lowerOf();

  const refuse = (change: (p: GadgetProgram) => GadgetProgram, reason: RegExp): void => {
    const run = (): GadgetProgram => readGadgetProgram(plainOf(change(base)));
    expect(run).toThrow(CodecError);
    expect(run).toThrow(reason);
  };

  test('the program itself is read', () => {
    expect(encode(plainOf(readGadgetProgram(plainOf(base))))).toEqual(encode(plainOf(base)));
  });

  test('a level that claims are never settled at', () => {
    refuse((p) => ({ ...p, levels: 1, equations: p.equations.map((e) => ({ ...e, level: 1 })) }), /level/);
    refuse((p) => ({ ...p, levels: 1 }), /level/);
    refuse((p) => ({ ...p, equations: p.equations.filter((e) => e.level !== 2) }), /no equation at its level/);
  });

  test('an output without an equation, or one that is no public tensor', () => {
    refuse((p) => ({ ...p, equations: p.equations.filter((e) => e.level !== 1) }), /is never claimed/);
    refuse((p) => ({ ...p, publics: p.publics.slice(0, -1) }), /not listed as it should be/);
    refuse((p) => ({ ...p, publics: [...p.publics, p.publics[0]] }), /twice|listed/);
  });

  test('an index that is bound twice, or not at all', () => {
    const axes = (change: (a: object[]) => object[]) => (p: GadgetProgram) =>
      ({
        ...p,
        equations: p.equations.map((e) => ({
          ...e,
          terms: e.terms.map((t) => ({
            ...t,
            factors: t.factors.map((f, k) => (k === 0 ? { ...f, axes: change([...f.axes]) } : f)),
          })),
        })),
      }) as GadgetProgram;
    refuse(
      (p) => ({
        ...p,
        equations: p.equations.map((e) => ({ ...e, terms: e.terms.map((t) => ({ ...t, shared: [], free: [] })) })),
      }),
      /bound exactly once/,
    );
    refuse(
      axes((a) => a.map(() => a[0])),
      /one index|bound|length/,
    );
    refuse(
      axes((a) => a.slice(1)),
      /wrong number of axes/,
    );
  });

  test('a summed index that no factor has', () => {
    refuse(
      (p) => ({
        ...p,
        equations: p.equations.map((e) => ({
          ...e,
          terms: e.terms.map((t) => ({ ...t, variables: [...t.variables, 3] })),
        })),
      }),
      /no factor/,
    );
  });

  test('rows that lie elsewhere than their tensors', () => {
    refuse((p) => ({ ...p, sources: p.sources.map((s) => ({ ...s, rows: s.rows + 1 })) }), /add up/);
    refuse(
      (p) => ({ ...p, sources: p.sources.map((s) => ({ ...s, tensors: [...s.tensors].reverse() })) }),
      /add up|fit/,
    );
    refuse((p) => ({ ...p, columns: 48 }), /power of two/);
    refuse((p) => ({ ...p, sources: p.sources.map((s) => ({ ...s, columns: 64 })) }), /more columns/);
  });

  test('files of one declaration that are laid out differently', () => {
    refuse(
      (p) => ({
        ...p,
        sources: p.sources.map((s) => ({
          ...s,
          rows: s.rows + 1,
          tensors: s.tensors.map((t, i) =>
            i === 1 ? { ...t, rows: 2, axes: t.axes.map((a, j) => (j === 0 ? { ...a, columnBits: 1 } : a)) } : t,
          ),
        })),
      }),
      /does not fit its files/,
    );
  });

  test('index arithmetic beyond the exact integers', () => {
    const square = (e: object): object => ({ kind: 'mul', left: e, right: e });
    const huge = square(square({ kind: 'const', value: 2 ** 20 }));
    refuse(
      (p) =>
        ({
          ...p,
          tensors: p.tensors.map((t) =>
            t.class.kind === 'view'
              ? { ...t, class: { ...t.class, at: t.class.at.map(() => ({ kind: 'sub', left: huge, right: huge })) } }
              : t,
          ),
        }) as GadgetProgram,
      /too large/,
    );
  });

  test('masks that are larger than any proof', () => {
    const huge = {
      name: 'mask',
      shape: [2 ** 16, 2 ** 16],
      scale: { num: 1n, den: 1n },
      range: { lo: 0n, hi: 1n },
      class: { kind: 'constant', guards: [] },
      span: undefined,
    };
    expect(() =>
      readGadgetProgram(plainOf({ ...base, tensors: [...base.tensors, huge] } as unknown as GadgetProgram)),
    ).toThrow(CodecError);
  });
});

/** y[i] = sum_k u[i, k] s[0, i, k], u[i, k] = x[k] s[1, i, k]: two levels, two files of one declaration. */
function lowerOf(): GadgetProgram {
  const unit = { num: 1n, den: 1n };
  const span = { source: '', start: 0, end: 0 };
  const v = (k: number) => ({ kind: 'var', var: k }) as const;
  const common = { scale: unit, span };
  const range = { lo: -8n, hi: 7n };
  const type = { kind: 'fixed', bits: 4, frac: 0 } as const;
  const big = { lo: -(2n ** 40n), hi: 2n ** 40n };
  const poly = (factors: { tensor: number; at: object[] }[], reduced: { name: string; size: number }[]) =>
    ({
      kind: 'polynomial',
      polynomial: { scale: unit, terms: [{ coefficient: 1n, reduced, guards: [], factors }] },
    }) as never;
  const { gadgets } = lower({
    name: 'm',
    tables: [],
    statement: [0, 1, 3],
    tensors: [
      { ...common, id: 0, name: 'x', shape: [3], range, type, visibility: 'public', role: 'input' },
      {
        ...common,
        id: 1,
        name: 's',
        shape: [2, 4, 4],
        range,
        type,
        visibility: 'secret',
        role: 'input',
        file: { source: 'a', names: ['a', 'b'], stacked: 1 },
      },
      { ...common, id: 2, name: 'u', shape: [4, 3], range: big, visibility: 'hidden', role: 'inner' },
      { ...common, id: 3, name: 'y', shape: [4], range: big, visibility: 'public', role: 'output' },
    ],
    equations: [
      {
        target: 2,
        indices: [
          { name: 'i', size: 4 },
          { name: 'k', size: 3 },
        ],
        span,
        definition: poly(
          [
            { tensor: 0, at: [v(1)] },
            { tensor: 1, at: [{ kind: 'const', value: 1 }, v(0), v(1)] },
          ],
          [],
        ),
      },
      {
        target: 3,
        indices: [{ name: 'i', size: 4 }],
        span,
        definition: poly(
          [
            { tensor: 2, at: [v(0), v(1)] },
            { tensor: 1, at: [{ kind: 'const', value: 0 }, v(0), v(1)] },
          ],
          [{ name: 'k', size: 3 }],
        ),
      },
    ],
  });
  if (!gadgets) throw new Error('nothing was lowered');
  return gadgets;
}
