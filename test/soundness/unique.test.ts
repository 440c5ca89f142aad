/**
 * Every gadget leaves a program one meaning: whatever its lookups and equations admit, declared tensors have the values that
 * the interpreter gives them, and where it gives none, nothing is admitted. All assignments are tried, so that it does not
 * matter which of them a prover would think of.
 */
import { describe, expect, test } from 'vitest';
import { ValueError } from '../../compiler/interpret/index.ts';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { Draw } from '../kit/draw.ts';
import { without } from '../kit/forge.ts';
import { functionProgram } from '../kit/functions.ts';
import { solutions, type Solution } from '../kit/solutions.ts';
import { createSubject, expected, type Subject, type Values } from '../kit/subject.ts';

/** Of everything but secret inputs, which are part of a solution. */
function drawGiven({ program, gadgets }: Subject, draw: Draw): Values {
  const given = program.tensors.filter((t) => t.role === 'input' && !gadgets.secrets.includes(t.id));
  return new Map(
    given.map((t) => [
      t.id,
      draw.integers(
        t.range,
        t.shape.reduce((n, d) => n * d, 1),
      ),
    ]),
  );
}

/** The interpreter's values for the secret inputs of a solution; undefined where there are none. */
function meaning(subject: Subject, given: Values, solution?: Solution): Values | undefined {
  const secrets = subject.gadgets.secrets.map((id) => [id, solution?.get(id) ?? zeros(subject, id)] as const);
  try {
    return expected(subject, new Map([...given, ...secrets]));
  } catch (e) {
    if (e instanceof ValueError) return undefined;
    throw e;
  }
}

const zeros = ({ program }: Subject, id: number): bigint[] =>
  Array.from({ length: program.tensors[id].shape.reduce((n, d) => n * d, 1) }, () => 0n);

/** What is wrong with a program's solutions, if anything is. */
function problem(subject: Subject, gadgets: GadgetProgram, given: Values): string | undefined {
  const all = solutions(gadgets, given);
  if (!all) return undefined;
  if (all.length === 0)
    return subject.gadgets.secrets.length === 0 && meaning(subject, given) ? 'no solution' : undefined;
  for (const s of all) {
    const want = meaning(subject, given, s);
    if (!want) return 'a solution where there is no value';
    for (const [id, v] of want) {
      const got = s.get(id);
      if (got && got.join() !== v.join()) return `${gadgets.tensors[id].name} is ${got.join()}, not ${v.join()}`;
    }
  }
  return undefined;
}

describe('one meaning', () => {
  test.each(['rounds', 'tables', 'maxima', 'indices'] as const)('random %s', async (kind) => {
    let tried = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const draw = new Draw(`unique ${kind}`, seed);
      const text = functionProgram(draw, kind);
      const subject = await createSubject(text).catch(() => undefined);
      if (!subject) continue;
      for (let k = 0; k < 3; k++) {
        const given = drawGiven(subject, draw);
        expect(problem(subject, subject.gadgets, given), `seed ${seed}: ${text}`).toBeUndefined();
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(60);
  });

  // Each of these is a constraint that makes a value unique; the same check finds what would be open without it.
  test.each<[string, string]>([
    ['y remainder', 'public x: fixed<4, 0>; y = round<4, 0>(1/3 * x); public z = 2 * y'],
    ['y remainder complement', 'public x: fixed<4, 0>; y = round<4, 0>(1/3 * x); public z = 2 * y'],
    ['y remainder complement', 'public x: fixed<4, 0>; y = round<4, 0>(x / (1 + x * x)); public z = 2 * y'],
    ['y above its lower end', 'public x: fixed<4, 0>; y = round<4, 0>(sqrt(x * x + 1/3)); public z = 2 * y'],
    ['y below its upper end', 'public x: fixed<4, 0>; y = round<4, 0>(sqrt(x * x + 1/3)); public z = 2 * y'],
    ['y below its upper end', 'public x: fixed<4, 0>; y = round<4, 2>(1 / sqrt(x * x + 1/3)); public z = 2 * y'],
    ['y is 0 where it says so', 'public x: fixed<4, 0>; y = round<4, 0>(sqrt(x * x)); public z = 2 * y'],
    ['y remainder', 'public x: fixed<4, 0>; secret y = round<4, 0>(1/3 * x)'],
    ['y below its upper end', 'public x: fixed<4, 0>; secret y = round<4, 0>(sqrt(x * x + 1/3))'],
    ['k is attained', 'public x[3]: fixed<3, 0>; k = max(j) x[j]; public z = 2 * k'],
    ['k selects one', 'public x[3]: fixed<3, 0>; k = max(j if j < 2) x[j]; public z = 2 * k'],
    ['k less entry', 'public x[3]: fixed<3, 0>; public k = argmax(j) x[j]'],
    ['k less entry', 'public x[3]: fixed<3, 0>; k = argmax(j) x[j]; public z = k'],
    ['k counts from its end', 'public x[3]: fixed<2, 0>; k = argmax(j) x[j]; public z = k'],
    ['k selects one', 'secret k: index<3>; public x[3]: fixed<3, 0>; public z = x[k]'],
  ])('would find that %s is missing: %s', async (name, body) => {
    const subject = await createSubject(`model m { ${body.replaceAll('; ', '\n')} }`);
    const draw = new Draw('mutants', 1);
    const less = without(name)(subject.gadgets);
    expect(less.zeros.length + less.lookups.length).toBe(
      subject.gadgets.zeros.length + subject.gadgets.lookups.length - 1,
    );
    const found = Array.from({ length: 40 }, () => problem(subject, less, drawGiven(subject, draw)));
    expect(found.some((p) => p !== undefined)).toBe(true);
  });
});
