/** That no entry is above the maximum it is taken over is used where it is so, and nowhere else. */
import { describe, expect, test } from 'vitest';
import { checkText } from './standard.ts';

/** The proved range of d, of z in [-8, 7] and whatever stands before it. */
function rangeOf(lines: string): { lo: bigint; hi: bigint } {
  const { programs, all } = checkText(`model m {
    secret z[3, 4]: fixed<4, 0>
    secret y[3, 4]: fixed<4, 0>
    secret i[3]: index<4>
    ${lines}
    public o = d
  }`);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  const d = programs[0].tensors.find((tensor) => tensor.name === 'd');
  if (d === undefined) throw new Error('no d');
  return d.range;
}

describe('an entry minus a maximum', () => {
  test.each([
    ['over a whole axis', 'm[t] = max(s) z[t, s]\nd[t, s] = z[t, s] - m[t]'],
    ['the other way round', 'm[t] = max(s) z[t, s]\nd[t, s] = -m[t] + z[t, s]'],
    ['over both axes', 'm = max(t, s) z[t, s]\nd[t, s] = z[t, s] - m'],
    ['of another name for the index', 'm[a] = max(b) z[a, b]\nd[s, t: 3] = z[t, s] - m[t]'],
    ['under the same guard', 'm[t] = max(s if s <= t) z[t, s]\nd[t, s] = if s <= t then z[t, s] - m[t] else 0'],
    ['of an entry chosen by data', 'm[t] = max(s) z[t, s]\nd[t] = z[t, i[t]] - m[t]'],
    ['in units of its own', 'm[t] = max(s) z[t, s]\nd[t, s] = 3 * z[t, s] - 3 * m[t]'],
  ])('%s is at most 0', (_, lines) => {
    expect(rangeOf(lines).hi).toBe(0n);
  });

  test.each([
    ['of another row', 'm[t] = max(s) z[t, s]\nd[t, s] = z[t, s] - m[2 - t]'],
    ['of another tensor', 'm[t] = max(s) y[t, s]\nd[t, s] = z[t, s] - m[t]'],
    ['over a part of the axis', 'm[t] = max(s: 3) z[t, s]\nd[t, s: 4] = z[t, s] - m[t]'],
    ['over fewer entries by its guard', 'm[t] = max(s if s <= t) z[t, s]\nd[t, s] = z[t, s] - m[t]'],
    ['under another guard', 'm[t] = max(s if s <= t) z[t, s]\nd[t, s: 4] = if s >= t then z[t, s] - m[t] else 0'],
    ['of a shifted entry', 'm[t] = max(s: 3) z[t, s + 1]\nd[t, s: 4] = z[t, s] - m[t]'],
    ['of a diagonal', 'm = max(t: 3) z[t, t]\nd[t, s] = z[t, s] - m'],
    ['twice the entry', 'm[t] = max(s) z[t, s]\nd[t, s] = 2 * z[t, s] - m[t]'],
    ['of a multiple', 'm[t] = max(s) -z[t, s]\nd[t, s] = z[t, s] - m[t]'],
    ['with something besides', 'm[t] = max(s) z[t, s]\nd[t, s] = z[t, s] - m[t] + y[t, s]'],
    ['plus the maximum', 'm[t] = max(s) z[t, s]\nd[t, s] = z[t, s] + m[t]'],
  ])('%s may be anything', (_, lines) => {
    expect(rangeOf(lines).hi).toBeGreaterThan(0n);
  });
});
