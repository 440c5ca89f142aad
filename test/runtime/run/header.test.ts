/** Headers of runs: what names a run, and what is refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeHeader,
  encodeHeader,
  phaseOf,
  runDigest,
  samplingSeed,
  stepContext,
  type RunHeader,
} from '../../../runtime/run/header.ts';

const digest = (k: number): string => k.toString(16).padStart(2, '0').repeat(32);

const header: RunHeader = {
  id: digest(1),
  model: digest(2),
  commitments: { base: digest(3), data: digest(4), state: digest(5) },
  rows: 64,
  batch: 4,
  nonce: '00ff',
  phases: [
    { first: 0, calibration: { 'layers.0/q.grad': { bits: 16, frac: 12 } }, program: digest(6) },
    { first: 10, calibration: {}, program: digest(7) },
  ],
};

test('a header is read as it was written', () => {
  expect(decodeHeader(encodeHeader(header))).toEqual(header);
  const seeded = { ...header, seed: digest(8) };
  expect(decodeHeader(encodeHeader(seeded))).toEqual(seeded);
  const { nonce, ...without } = header;
  expect(nonce).toBeDefined();
  expect(decodeHeader(encodeHeader(without))).toEqual(without);
});

/** Each field changed, but for the phases: these grow while a run goes on. */
const others: readonly (readonly [string, RunHeader])[] = [
  ['id', { ...header, id: digest(9) }],
  ['model', { ...header, model: digest(9) }],
  ['a commitment', { ...header, commitments: { ...header.commitments, data: digest(9) } }],
  ['the first state', { ...header, commitments: { ...header.commitments, state: digest(9) } }],
  ['a source more', { ...header, commitments: { ...header.commitments, more: digest(9) } }],
  ['a seed', { ...header, seed: digest(9) }],
  ['rows', { ...header, rows: 63 }],
  ['batch', { ...header, batch: 5 }],
  ['nonce', { ...header, nonce: '00fe' }],
];

test.each(others)('%s changes what every step is bound to', (_, other) => {
  expect(runDigest(other)).not.toEqual(runDigest(header));
  expect(stepContext(other, 3)).not.toEqual(stepContext(header, 3));
});

test('steps are bound to their number, not to phases to come', () => {
  expect(stepContext(header, 3)).not.toEqual(stepContext(header, 4));
  const longer = { ...header, phases: [...header.phases, { first: 12, calibration: {}, program: digest(8) }] };
  expect(stepContext(longer, 3)).toEqual(stepContext(header, 3));
  expect([0, 9, 10, 11, 12].map((k) => phaseOf(longer, k).first)).toEqual([0, 0, 10, 10, 12]);
});

test('the order of rows hangs on all but the name of the run', () => {
  for (const [what, other] of others) {
    const same = ['id', 'a seed'].includes(what);
    expect([what, Buffer.from(samplingSeed(other)).equals(samplingSeed(header))]).toEqual([what, same]);
  }
});

test.each([
  ['no JSON', '{'],
  ['another file', '{"zkl": "calibration"}'],
  ['an unknown field', JSON.stringify({ zkl: 'run', ...header, more: 1 })],
  ['a short digest', JSON.stringify({ zkl: 'run', ...header, model: 'ab' })],
  ['no first state', JSON.stringify({ zkl: 'run', ...header, commitments: { base: digest(1) } })],
  ['no phase', JSON.stringify({ zkl: 'run', ...header, phases: [] })],
  ['phases out of order', JSON.stringify({ zkl: 'run', ...header, phases: [header.phases[0], header.phases[0]] })],
  ['a first phase that begins later', JSON.stringify({ zkl: 'run', ...header, phases: [header.phases[1]] })],
  ['no rows', JSON.stringify({ zkl: 'run', ...header, rows: 0 })],
  ['half a step', JSON.stringify({ zkl: 'run', ...header, batch: 0.5 })],
  ['a nonce that is no hex', JSON.stringify({ zkl: 'run', ...header, nonce: 'xy' })],
  ['an empty nonce', JSON.stringify({ zkl: 'run', ...header, nonce: '' })],
])('refuses %s', (_, text) => {
  expect(() => decodeHeader(text)).toThrow(expect.objectContaining({ name: 'CodecError' }) as Error);
});

test('no text makes it fail otherwise', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(() => decodeHeader(text)).toThrow(expect.objectContaining({ name: 'CodecError' }) as Error);
    }),
  );
});
