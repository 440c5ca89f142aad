/** Random programs: the interpreter agrees with a naive reading, and proved ranges hold. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret } from '../../compiler/interpret/index.ts';
import { printTensorProgram } from '../../compiler/ir/tensor/print.ts';
import { multiply, powerOfTwo, rational } from '../../compiler/ir/numbers/rational.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { programs } from './generate.ts';
import { evaluateNaively } from './naive.ts';
import type { Dense } from './naive.ts';
import { checkText } from './standard.ts';

const RUNS = 150;

describe('random programs', () => {
  test('mean what a naive reading of their text says, within the proved ranges', () => {
    let compared = 0;
    fc.assert(
      fc.property(programs, ({ text, inputs }) => {
        const { programs: made, all } = checkText(text);
        const errors = all.filter((d) => d.severity === 'error');
        // Widths multiply: a program may honestly be refused for its numbers, never for anything else.
        fc.pre(!errors.some((d) => ['ZKL415', 'ZKL409', 'ZKL312'].includes(d.code)));
        expect(errors).toEqual([]);
        const [program] = made;
        expect(verifyTensorProgram(program)).toEqual([]);

        const named = new Map(program.tensors.map((tensor) => [tensor.name, tensor]));
        const given = new Map(
          inputs.flatMap(({ input, tensor }) => {
            const id = named.get(input.name)?.id;
            return id === undefined ? [] : [[id, tensor] as const];
          }),
        );
        // Every entry is compared with its tensor's proved range inside.
        const found = interpret(program, given);

        const dense = inputs.map(({ input, tensor }): [string, Dense] => {
          const unit = powerOfTwo(input.kind === 'index' ? 0 : -input.frac);
          return [input.name, { shape: tensor.shape, values: tensor.values.map((v) => multiply(rational(v), unit)) }];
        });
        for (const [name, expected] of evaluateNaively(text, new Map(dense))) {
          const tensor = named.get(name);
          const actual = tensor && found.get(tensor.id);
          if (tensor === undefined || actual === undefined) continue;
          expect(actual.shape, name).toEqual(expected.shape);
          const values = actual.values.map((v) => multiply(rational(v), tensor.scale));
          expect(values, `${name} in\n${text}`).toEqual(expected.values);
          compared++;
        }
      }),
      { numRuns: RUNS },
    );
    expect(compared).toBeGreaterThan(RUNS);
  });

  test('give the same printed program every time', () => {
    fc.assert(
      fc.property(programs, ({ text }) => {
        const [a, b] = [0, 1].map(() => checkText(text).programs.map(printTensorProgram));
        expect(a).toEqual(b);
      }),
      { numRuns: 30 },
    );
  });
});
