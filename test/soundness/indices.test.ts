/**
 * Indices from a source. Its commitment shows that they are numbers of as many bits, and a sign: a mask of -1 has a range proof,
 * and so has a token beyond the vocabulary. That what is read is an index a program's proof shows, however it is read.
 *
 * The prover here commits to such numbers, makes the selectors that leave one constraint unsatisfied, and is honest otherwise: what
 * follows from the numbers it computes as the program says. Nothing but that constraint stands in its way.
 */
import { describe, expect, test } from 'vitest';
import { fromBigints, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { evaluateProgram } from '../../runtime/evaluate/witness/witness.ts';
import { commit } from '../../runtime/prover/index.ts';
import { committedInputs } from '../../runtime/prover/program.ts';
import { testDevice } from '../kit/devices.ts';
import { forge, without, type Forger } from '../kit/forge.ts';
import { createStatement, prove, validate, type Statement } from '../kit/statement.ts';
import { createSubject } from '../kit/subject.ts';
import { bundleOf } from './fixture.ts';

const device = await testDevice();

const given: Readonly<Record<string, readonly bigint[]>> = {
  mask: [1n, -1n, 0n, -1n, 1n, -2n],
  tokens: [0n, 3n, -1n, 2n, -4n, 1n],
  right: [5n, 1n, 0n, 3n, 2n, 4n],
  x: [5n, -3n, 7n, 2n, 0n, -9n],
  rows: [3n, 1n, 0n, 5n, 2n, 4n],
};

const model = (body: string, before = ''): string => `${before} model m { dim N = 6
  source data
  secret mask[N]: index<2> from data "mask"
  secret tokens[N]: index<3> from data "tokens"
  secret right[N]: index<6> from data "right"
  secret x[N]: fixed<8, 0> from adapter "x"
  public rows[N]: index<6>
  two[v: 2] = x[v]
  three[v: 3] = x[v]
  ${body} }`;

async function statementOf(text: string, values = given): Promise<Statement> {
  const subject = await createSubject(text);
  const inputs = subject.program.tensors.flatMap((t) => (t.role === 'input' ? [[t.id, values[t.name]] as const] : []));
  return createStatement(device, subject, new Map(inputs));
}

/**
 * The statement with selectors given to the prover: of what is no index n the two entries 1 - n and n, which add up to 1 and
 * have n as their sum of v S[v], or the one-hot form of 0. Also the tensors that have such.
 */
async function withSelectors(s: Statement, kind: 'of n' | 'of 0'): Promise<{ s: Statement; outside: string[] }> {
  const { gadgets } = s.subject;
  const inputs = new Map<number, IntegerArray>([...s.inputs, ...committedInputs(gadgets, s.sources)]);
  const selectors = new Map<number, IntegerArray>();
  const outside = new Set<string>();
  for (const [k, step] of gadgets.steps.entries()) {
    if (step.kind !== 'select') continue;
    const { name, type } = gadgets.tensors[step.of];
    const size = type?.kind === 'index' ? type.size : 0;
    const before = await evaluateProgram(device, { ...gadgets, steps: gadgets.steps.slice(0, k) }, inputs);
    const entries = Array.from(before.numbers(step.of) as ArrayLike<number | bigint>, Number).flatMap((n) => {
      const isIndex = n >= 0 && n < size;
      if (!isIndex) outside.add(name);
      const [first, second] = isIndex || kind === 'of 0' ? [isIndex ? n : 0, -1] : [0, 1];
      return Array.from({ length: size }, (_, v) => BigInt(second < 0 ? Number(v === first) : ([1 - n, n][v] ?? 0)));
    });
    const selector = fromBigints({ lo: -8n, hi: 8n }, entries);
    inputs.set(step.target, selector);
    selectors.set(step.target, selector);
  }
  return { s: { ...s, inputs: new Map([...s.inputs, ...selectors]) }, outside: [...outside] };
}

/** Each with the tensors of indices that are read: their selectors stand in the way. */
const reads: Readonly<Record<string, readonly [body: string, ...read: string[]]>> = {
  'a factor': ['public y[i] = x[i] * mask[i]', 'mask'],
  'a difference from 1': ['public y[i] = (1 - mask[i]) * x[i]', 'mask'],
  'one entry, times': ['public y = 3 * mask[1]', 'mask'],
  'all of it, added up': ['public y = sum(i) mask[i] - 7', 'mask'],
  'a sum that is a factor': ['c = sum(i) mask[i]\n public y = c * x[0]', 'mask'],
  'rows that are summed without a selection': [
    'r = max(i: 2) (if i == 0 then 1 else sum(t) mask[t])\n public y = r',
    'mask',
  ],
  'where a guard holds': ['public y[i] = if i < 4 then mask[i + 2] else x[i]', 'mask'],
  'guards that compare with it': ['public y[i, v: 2] = [v == mask[i]] * x[i]', 'mask'],
  'an index': ['public y[i] = two[mask[i]]', 'mask'],
  'an index and a number': ['public y[i] = three[tokens[i]] + tokens[i]', 'tokens'],
  'a maximum': ['public y = max(i) (x[i] * mask[i])', 'mask'],
  'a hidden argmax': ['k = argmax(i) (x[i] * mask[i])\n public y = x[k]', 'mask'],
  'a public argmax': ['public y = argmax(i) mask[i]', 'mask'],
  'a public argmax of sums': ['public y = argmax(i) (sum(j) x[i] * mask[j])', 'mask'],
  'a rounding': ['y[i] = round<8, 0>(x[i] * mask[i] / 3)\n public z = sum(i) y[i]', 'mask'],
  'a divisor': ['y[i] = round<8, 0>(x[i] / (3 + mask[i]))\n public z = sum(i) y[i]', 'mask'],
  'the argument of a table': ['y[i] = f(round<6, 0>(mask[i] * 5))\n public z[i] = y[i]', 'mask'],
  'a secret output': ['secret y[i] = round<8, 0>(mask[i])', 'mask'],
  'a secret output that is read': ['secret y[i] = round<8, 0>(mask[i] + x[i])\n public z = sum(i) y[i]', 'mask'],
  'a public output that is read': ['public m[i] = mask[i]\n public y[i] = m[i] * x[i]', 'mask'],
  'a view': ['n[i: 5] = mask[i + 1]\n k[i: 4] = n[i + 1]\n public y = sum(i) 2 * k[i]', 'mask'],
  'a view as an index': ['n[i: 5] = tokens[i + 1]\n public y[i: 5] = three[n[i]]', 'tokens'],
  'another shape': ['n = mask as [2, 3]\n public y[a: 2, b: 3] = two[n[a, b]]', 'mask'],
  'a view with a guard': ['n[i] = if i < 4 then mask[i] else 0\n public y[i] = n[i] * x[i]', 'n'],
  'a view of a view with a guard': [
    'n[i] = if i < 4 then tokens[i] else 0\n k[i: 5] = n[i + 1]\n public y[i: 5] = three[k[i]]',
    'k',
  ],
  'rows of it': ['n[i: 6] = mask[rows[i]]\n public y[i] = n[i] * x[i]', 'n'],
  'rows of it as an index': ['n[i: 6] = mask[rows[i]]\n public y[i] = two[n[i]]', 'n'],
  'rows of it that are gathered': ['public y[i] = x[i] * mask[rows[i]]', 'mask at rows'],
  'rows of it that are gathered, as an index': ['public y[i] = three[tokens[rows[i]]]', 'tokens at rows'],
  'rows of it and all of it': ['public y[i] = mask[i] * mask[rows[i]]', 'mask', 'mask at rows'],
  'rows of a view': ['n[i: 6] = mask[5 - i]\n public y[i] = x[i] * n[rows[i]]', 'mask'],
  'rows of the same by another name': ['n[i: 6] = mask[i]\n public y[i] = x[i] * n[rows[i]]', 'mask at rows'],
  'hidden rows of it': ['n[i: 6] = mask[right[i]]\n k[i: 6] = two[n[i]]\n public y = sum(i) k[i]', 'n'],
  'two of them': ['public y[i] = three[tokens[i]] * mask[i]', 'mask', 'tokens'],
};

describe('an index from a source that is none', () => {
  test('has a commitment whose range proof is accepted', async () => {
    const s = await statementOf(model('public y[i] = x[i] * mask[i] * tokens[i]'));
    for (const [k, c] of s.sources.entries()) expect(await validate(device, s.subject, k, c)).toEqual({ ok: true });
  });

  test.each(Object.entries(reads))(
    'is refused by its selector and nothing else, read as %s',
    async (_, [body, ...read]) => {
      const s = await statementOf(model(body, 'table f(v: fixed<6, 0>) -> fixed<8, 0> = 3 * v + 1'));
      for (const kind of ['of n', 'of 0'] as const) {
        const forged = await withSelectors(s, kind);
        expect(forged.outside.sort()).toEqual(read);
        expect((await forge(device, forged.s, {})).ok, kind).toBe(false);
        const constraint = (n: string): string =>
          kind === 'of n' ? `selector of ${n} is 0 or 1` : `${n} is what its selector selects`;
        expect(await forge(device, forged.s, { program: without(...read.map(constraint)) }), kind).toEqual({
          ok: true,
        });
      }
    },
  );

  test('is not committed to by its owner, who is told its place', async () => {
    const bundle = bundleOf(`model m { source data
      secret t[l: 2, 3]: index<5> from data "t.{l}"
      secret w[5]: fixed<8, 0> from data "w"
      public y[l, i] = w[t[l, i]] }`);
    const weights = (last: number) =>
      new Map([
        ['t.0', { shape: [3], values: [0, 1, 2] }],
        ['t.1', { shape: [3], values: [3, 4, last] }],
        ['w', { shape: [5], values: [-100, 1, 2, 3, 4] }],
      ]);
    await expect(commit(bundle, 'data', weights(-1), { device })).rejects.toThrow(
      /^t\.1\[2\] is -1, outside index<5>$/,
    );
    await expect(commit(bundle, 'data', weights(5), { device })).rejects.toThrow(/^t\.1\[2\] is 5, outside index<5>$/);
    expect((await commit(bundle, 'data', weights(0), { device })).digest).toHaveLength(32);
  });

  test('is told to the owner of the data by its place, before anything is proved', async () => {
    const s = await statementOf(model('n[i: 6] = mask[rows[i]]\n public y[i] = two[n[i]] * x[i]'));
    const refused = prove(device, s);
    await expect(refused).rejects.toThrow(/^n\[0\] is no index<2>$/);
    await expect(refused).rejects.toMatchObject({ name: 'HiddenValueError', tensor: 'n', hidden: 'it is -1' });
    const beyond = prove(device, await statementOf(model('public y[i] = x[i] * tokens[i]')));
    await expect(beyond).rejects.toMatchObject({ message: 'tokens[1] is no index<3>', hidden: 'it is 3' });
  });

  test('is refused by a table of indices, as the argument', async () => {
    const text = model('y[i] = f(mask[i])\n public z = sum(i) y[i]', 'table f(v: index<2>) -> fixed<8, 0> = 3 * v + 1');
    const bad = await statementOf(text);
    const good = await statementOf(text, { ...given, mask: [1n, 0n, 0n, 0n, 1n, 0n] });
    // Committed to are the bad ones; what the table would have for them is made up.
    const s = { ...bad, sources: bad.sources.map((c, k) => ({ ...c, tensors: good.sources[k].tensors })) };
    const change = (f: Forger): void => {
      for (const [i, n] of given.mask.entries()) {
        f.set('mask', i, n);
        f.set('y', i, 3n * n + 1n);
      }
    };
    expect((await forge(device, s, { change })).ok).toBe(false);
    expect(await forge(device, s, { change, program: without('mask') })).toEqual({ ok: true });
  });
});
