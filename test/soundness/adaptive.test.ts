/** Lies that adapt to the challenges get as far as the commitments, and no further. */
import { describe, expect, test } from 'vitest';
import { adaptive, search } from '../kit/adaptive.ts';
import { testDevice } from '../kit/devices.ts';
import { createStatement } from '../kit/statement.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';

const device = await testDevice();

/** Terms that are stacked, in part of the same tensors, over values of two more levels that are stacked in turn. */
const text = (lines: string): string => `model m { dim D = 2
  source s
  ${[0, 1, 2]
    .map(
      (k) => `public p${k}[D]: fixed<3, 0>
  secret a${k}[D]: fixed<3, 0> from s "a${k}"
  open w${k}[D]: fixed<3, 0> from base "w${k}"
  secret z${k}[D, 4]: fixed<3, 0> from s "z${k}"`,
    )
    .join('\n')}
  ${[0, 1, 2].map((k) => `d${k}[i] = a${k}[i] * a${(k + 1) % 3}[i] + ${k + 1} * w${k}[i] * a0[i]`).join('\n')}
  ${[0, 1, 2].map((k) => `q${k}[i] = sum(j: 2) z${k}[i, 2 * j + 1] * z${k}[i, 2 * j] + d${k}[i]`).join('\n')}
  ${[0, 1, 2].map((k) => `v${k}[i: D] = if i < D - 1 then q${k}[i + 1] else 0`).join('\n')}
  ${lines} }`;

describe('a false output', () => {
  test.each([
    ['products of stacked values', 'public y[i] = 1 * d0[i] * q1[i] + 2 * d1[i] * q2[i] + 3 * d1[i] * q0[i]'],
    [
      'values alone, and with public and open factors',
      'public y[i] = d0[i] * p1[i] + d1[i] * p1[i] + q2[i] * w0[i] + q1[i] * w2[i]',
    ],
    ['views', 'public y[i] = v0[i] + 3 * v1[i] + v2[i] * a0[i] + v1[i] * a0[i]'],
    ['three hidden factors', 'public y[i] = d0[i] * a0[i] * q1[i] + d1[i] * a0[i] * q2[i]'],
    [
      'sums',
      'public y = sum(i) d0[i] * d0[i] + sum(i) d1[i] * d1[i] + sum(i) d2[i] * d2[i] + sum(i) v0[i] + sum(i) v1[i]',
    ],
  ])('over %s', async (_, lines) => {
    const subject = await createSubject(text(lines));
    expect(subject.argument.pads.labels.some((l) => l.includes('like it'))).toBe(true);
    const statement = await createStatement(device, subject, drawInputs(subject, 1));
    const honest = await adaptive(device, statement);
    expect((await honest(new Map())).relations.every((v) => v === 0n)).toBe(true);
    const lie = await adaptive(device, statement, (publics) => {
      const y = publics.get(subject.gadgets.tensors.findIndex((t) => t.name === 'y')) as unknown as (number | bigint)[];
      y[0] = typeof y[0] === 'bigint' ? y[0] + 1n : y[0] + 1;
    });
    const depth = await search(lie, (label) => /^level \d+ (value|partial)/.test(label), 150);
    expect(depth).toBeTypeOf('number');
    // One message a level, so that the lie did get past each.
    expect(depth).toBeGreaterThanOrEqual(subject.gadgets.levels - 1);
  });
});

test('a prover runs as often as it is asked to, over what is looked up, too', async () => {
  const subject = await createSubject(
    'model m { dim D = 2\nsource s\nsecret a[D]: fixed<3, 0> from s "a"\npublic y[i] = round<4, 0>(a[i] * a[i] / 4) }',
  );
  const run = await adaptive(device, await createStatement(device, subject, drawInputs(subject, 1)));
  const [first, second] = [await run(new Map()), await run(new Map())];
  expect(first.relations.every((v) => v === 0n)).toBe(true);
  expect(second).toEqual(first);
});
