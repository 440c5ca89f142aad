/**
 * A step whose prover commits to other values than the program gives: a gradient that is left out, a moment that stands still. All that
 * follows from the change follows from it, so that one lookup is in the way, without which the step is accepted.
 */
import { describe, expect, test } from 'vitest';
import { inv, mul, reduce } from '../../../runtime/protocol/scalar.ts';
import { rounded } from '../../compiler/optimizers.ts';
import { testDevice } from '../../kit/devices.ts';
import { forge, without, type Forger } from '../../kit/forge.ts';
import { createStatement, type Statement } from '../../kit/statement.ts';
import { createSubject } from '../../kit/subject.ts';
import { calibration, text } from './toy.ts';

const device = await testDevice();

const wave = (count: number, size: number): bigint[] =>
  Array.from({ length: count }, (_, k) => BigInt(Math.round(size * Math.sin(1.7 * k + 1))));
const [A, B] = [wave(3, 40), wave(2, 50)];

const given: Readonly<Record<string, readonly bigint[]>> = {
  ...{ rows: [3n, 1n], step: [4n], X: wave(15, 32), Y: wave(10, 32), A, B },
  'A/momentum/m': wave(3, 200),
  'B/momentum/m': wave(2, 100),
  'A/momentum/copy': A.map((w, k) => 4n * w - BigInt(k % 3)),
  'B/momentum/copy': B.map((w) => 4n * w + 1n),
};

async function statement(): Promise<Statement> {
  const subject = await createSubject(text, { calibration });
  const inputs = subject.program.tensors.filter(({ role }) => role === 'input');
  return createStatement(device, subject, new Map(inputs.map(({ id, name }) => [id, given[name]])));
}

const name = (state: string): string => `A/momentum/${state}`;

/** What the optimizer makes of the gradient of A, from one of its values on, entry by entry. */
function follow(f: Forger, from: 'gradient' | 'moment' | 'copy'): void {
  for (const k of A.keys()) {
    const [m, g, copy] = [f.get(name('m'))[k], f.get('A.grad')[k], f.get(name('copy'))[k]];
    if (from === 'gradient') f.set(name("m'"), k, rounded(m + 2n * g, 2n));
    if (from !== 'copy') f.set(name("copy'"), k, rounded(4n * copy - f.get(name("m'"))[k], 4n));
    f.set(name("w'"), k, rounded(f.get(name("copy'"))[k], 4n));
  }
}

const zero = (f: Forger, tensor: string): void => {
  for (const k of f.get(tensor).keys()) f.set(tensor, k, 0n);
};

const forgeries: Readonly<Record<string, readonly [(f: Forger) => void, string]>> = {
  'a gradient that is left out': [(f) => (zero(f, 'A.grad'), follow(f, 'gradient')), 'A.grad remainder'],
  'a gradient that is one off': [(f) => (f.add('A.grad', 1, 1n), follow(f, 'gradient')), 'A.grad remainder'],
  'nothing that flows back': [
    (f) => {
      zero(f, 'u.grad');
      zero(f, 'A.grad');
      follow(f, 'gradient');
    },
    'u.grad remainder',
  ],
  'a moment that stands still': [
    (f) => {
      for (const k of A.keys()) f.set(name("m'"), k, f.get(name('m'))[k]);
      follow(f, 'moment');
    },
    "A/momentum/m' remainder",
  ],
  'a copy that is not moved': [
    (f) => {
      for (const k of A.keys()) f.set(name("copy'"), k, f.get(name('copy'))[k]);
      follow(f, 'copy');
    },
    "A/momentum/copy' remainder",
  ],
  'a weight that is not its copy': [(f) => f.add(name("w'"), 2, 1n), "A/momentum/w' remainder"],
  // A quotient in the field, with a remainder that is one.
  'a weight that is no number of its type': [
    (f) => f.set(name("w'"), 0, mul(reduce(f.get(`${name("w'")} before rounding`)[0] - 1n), inv(4n))),
    "A/momentum/w'",
  ],
};

describe('a step with', () => {
  test('what the program gives is accepted, and what follows is what the program makes of it', async () => {
    expect(await forge(device, await statement(), {})).toEqual({ ok: true });
    expect(await forge(device, await statement(), { change: (f) => follow(f, 'gradient') })).toEqual({ ok: true });
  });

  test.each(Object.entries(forgeries))('%s is refused, by one lookup', async (_, [change, bound]) => {
    const s = await statement();
    expect((await forge(device, s, { change })).ok).toBe(false);
    expect(await forge(device, s, { change, program: without(bound) })).toEqual({ ok: true });
  });
});
