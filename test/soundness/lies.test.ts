/** A prover that follows the protocol but for one step, whose result is replaced by something else. */
import { describe, expect, test } from 'vitest';
import { encodeBody, type Argument } from '../../runtime/protocol/argument.ts';
import { entry, setEntry, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { add, reduce } from '../../runtime/protocol/scalar.ts';
import type { ProofBody, ProofScalars } from '../../runtime/protocol/commitment/sigma.ts';
import { compress, Point } from '../../runtime/curve/spec.ts';
import type { ProverHooks } from '../../runtime/prover/argument.ts';
import { commitSource } from '../../runtime/prover/commitment/source.ts';
import type { Verdict } from '../../runtime/verifier/argument.ts';
import { at, program, term } from '../kit/build.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw, entropyOf } from '../kit/draw.ts';
import { proveLie } from '../kit/liar.ts';
import { createStatement, prove, validate, verify, type Statement } from '../kit/statement.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';
import { text } from './fixture.ts';

const device = await testDevice();
const subject = await createSubject(text(3));
const statement = await createStatement(device, subject, drawInputs(subject, 1));
const draw = new Draw('lies', 1);

const proveWith = async (hooks: ProverHooks): Promise<Verdict> =>
  verify(device, statement, await prove(device, statement, { seed: 5, hooks }));

async function rangeWith(hooks: ProverHooks): Promise<Verdict> {
  const source = subject.gadgets.sources[0];
  const { entries, blindings } = statement.sources[0];
  return validate(device, subject, 0, await commitSource(device, source, entries, blindings, entropyOf(6), hooks));
}

const other = (v: bigint, w: bigint): bigint => (w === reduce(v) ? add(w, 1n) : w);
const changes: [string, (v: bigint) => bigint][] = [
  ['one more', (v) => add(reduce(v), 1n)],
  ['a random number', (v) => other(v, draw.scalar())],
  ['0', (v) => other(v, 0n)],
];

/** The labels of all messages, opening argument included, and how often each is sent. */
async function labelsOf(run: (hooks: ProverHooks) => Promise<Verdict>): Promise<string[]> {
  const labels: string[] = [];
  expect(await run({ message: (label, _i, v) => (labels.push(label), v) })).toEqual({ ok: true });
  return labels;
}

const replacing = (position: number, change: (v: bigint) => bigint): ProverHooks => {
  let count = 0;
  return { message: (_label, _i, v) => (count++ === position ? change(v) : v) };
};

describe('every message', () => {
  test('of a program proof', async () => {
    const labels = await labelsOf(proveWith);
    expect(new Set(labels.map((l) => l.replace(/\d+/g, '#')))).toEqual(
      new Set([
        'level # round #',
        'level # value of u',
        'level # value of B',
        'columns round #',
        'pad factor a #',
        'pad factor b #',
      ]),
    );
    const caught: string[] = [];
    for (const [position, label] of labels.entries())
      for (const [how, change] of changes)
        if ((await proveWith(replacing(position, change))).ok) caught.push(`${label} (${position}) as ${how}`);
    expect(caught, 'accepted although replaced').toEqual([]);
  });

  test('of a range proof: each label once', async () => {
    const labels = await labelsOf(rangeWith);
    const first = [...new Set(labels)].map((label) => labels.indexOf(label));
    expect(first.length).toBeGreaterThan(30);
    const caught: string[] = [];
    for (const [i, position] of first.entries()) {
      const [how, change] = changes[i % changes.length];
      if ((await rangeWith(replacing(position, change))).ok) caught.push(`${labels[position]} (${position}) as ${how}`);
    }
    expect(caught, 'accepted although replaced').toEqual([]);
  });

  test('two messages whose errors would cancel in a sum', async () => {
    const labels = await labelsOf(proveWith);
    for (let i = 0; i + 1 < labels.length; i += 3) {
      let count = 0;
      const hooks: ProverHooks = {
        message(_label, _i, v) {
          const k = count++;
          return k === i ? v + 1n : k === i + 1 ? v - 1n : v;
        },
      };
      expect(await proveWith(hooks), labels[i]).toMatchObject({ ok: false });
    }
  });
});

describe('the answers of the last step', () => {
  const fields = [
    'messages',
    'last',
    'delta',
    'z',
    'zRho',
    'zQ',
    'zRhoQ',
    'zT',
  ] as const satisfies readonly (keyof ProofScalars)[];
  test.each(fields)('%s', async (field) => {
    for (const [how, change] of changes) {
      const body = ({ scalars }: ProofBody): void => {
        const v = scalars[field];
        if (v === undefined) throw new Error(`the proof has no ${field}`);
        if (typeof v === 'bigint') Object.assign(scalars, { [field]: change(v) });
        else (scalars[field] as bigint[])[0] = change(v[0]);
      };
      expect(await proveWith({ body }), how).toMatchObject({ ok: false });
    }
  });

  test.each(['P', 'A', 'B', 'C', 'Q', 'D', 'DQ', 'T0', 'T1'] as const)('point %s', async (name) => {
    const generator = compress(Point.BASE);
    const body = ({ points }: ProofBody): void => {
      if (name === 'P' || name === 'A' || name === 'B' || name === 'C') points[name][0] = generator;
      else points[name] = generator;
    };
    expect(await proveWith({ body })).toMatchObject({ ok: false });
  });

  test('nothing at all: zeros and points at infinity, also for outputs of 0', async () => {
    const zero = new Uint8Array(emptyBody(subject.argument));
    const honest = await prove(device, statement);
    expect(await verify(device, statement, { ...honest, body: zero })).toMatchObject({ ok: false });
    const [, output] = subject.gadgets.publics;
    const publics = new Map([...honest.publics, [output, new Int16Array(24)]]);
    expect(await verify(device, statement, { publics, body: zero })).toMatchObject({ ok: false });
  });
});

/** All scalars 0, all points infinity: canonical, so that only the equations are in the way. */
function emptyBody(argument: Argument): Uint8Array {
  const infinity = compress(Point.ZERO);
  const { opening, pads } = argument;
  const rows = (n: number): Uint8Array[] => Array.from({ length: n }, () => infinity);
  const zeros = (n: number): bigint[] => Array.from({ length: n }, () => 0n);
  return encodeBody(argument, {
    points: {
      witness: [],
      P: rows(opening.plainRows),
      A: rows(opening.tripleRows),
      B: rows(opening.tripleRows),
      C: rows(opening.tripleRows),
      Q: infinity,
      D: infinity,
      DQ: infinity,
      T0: infinity,
      T1: infinity,
      folds: [],
    },
    scalars: {
      messages: zeros(pads.labels.length),
      last: zeros(opening.lastPads - opening.tripleRows),
      delta: 0n,
      z: zeros(argument.columns / 2 ** argument.folds),
      zRho: 0n,
      zQ: zeros(opening.lastPads),
      zRhoQ: 0n,
      zT: 0n,
    },
  });
}

describe('false statements, claimed in the transcript too', () => {
  const oneOff =
    (id: number, i: number, by: bigint) =>
    (publics: Map<number, IntegerArray>): void => {
      const values = (publics.get(id) ?? []).slice() as IntegerArray;
      setEntry(values, i, entry(values, i) + by);
      publics.set(id, values);
    };

  test('any output one unit off', async () => {
    const [, y] = subject.gadgets.publics;
    for (let i = 0; i < 24; i += 5)
      for (const by of [1n, -1n])
        expect(
          await verify(device, statement, await proveLie(device, statement, { publics: oneOff(y, i, by) })),
        ).toMatchObject({ ok: false });
  });

  test('the honest claim of the same prover is accepted', async () => {
    expect(await verify(device, statement, await proveLie(device, statement, {}))).toEqual({ ok: true });
  });

  test('the rows of another commitment, even under the first one’s digest', async () => {
    const again = await createStatement(device, subject, drawInputs(subject, 1), { seed: 99 });
    expect(again.sources[0].entries).toEqual(statement.sources[0].entries);
    const commitments = [{ points: again.sources[0].points, digest: statement.sources[0].digest }];
    expect(await verify(device, statement, { ...(await prove(device, statement)), commitments })).toMatchObject({
      ok: false,
    });
  });

  test('two inputs of one shape in each other’s place', async () => {
    const difference = program(
      [
        { name: 'a', shape: [3], bits: 8 },
        { name: 'b', shape: [3], bits: 8 },
        { name: 's', shape: [3], bits: 8, source: 'w' },
      ],
      [{ name: 'y', shape: [3], terms: [term([at(0, 0), at(2, 0)]), term([at(1, 0), at(2, 0)], [], -1n)] }],
    );
    const s = await createSubject(difference);
    const own = await createStatement(device, s, drawInputs(s, 2));
    const proof = await prove(device, own);
    expect(await verify(device, own, proof)).toEqual({ ok: true });
    const [a, b] = [proof.publics.get(0) ?? [], proof.publics.get(1) ?? []];
    expect(a).not.toEqual(b);
    expect(await verify(device, own, { ...proof, publics: new Map([...proof.publics, [0, b], [1, a]]) })).toMatchObject(
      { ok: false },
    );

    // The same tensors listed in another order are another statement, even under the first one's digest.
    const reordered: Statement = { ...own, subject: { ...s, gadgets: { ...s.gadgets, publics: [1, 0, 3] } } };
    expect(await verify(device, reordered, proof)).toMatchObject({ ok: false });
  });
});
