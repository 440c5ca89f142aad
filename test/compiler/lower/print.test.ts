/** What is printed of a program tells it from every other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plain } from '../../../compiler/bundle/canonical.ts';
import { compile } from '../../../compiler/index.ts';
import { printGadgetProgram } from '../../../compiler/ir/gadget/print.ts';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { lower } from '../../../compiler/lower/lower.ts';
import { cases } from '../../golden/golden.ts';
import { programs } from '../../kit/programs.ts';
import { alterations, fieldOf, replaced, type Alteration } from '../../support/mutate.ts';

/** Without spans, the one thing that is not printed: they are for messages. With a key for every tensor. */
function comparable(p: GadgetProgram): Plain {
  const tensors = p.tensors.map((t) => ({ ...t, key: `key of ${t.name}`, span: undefined }));
  const equations = p.equations.map((e) => ({ ...e, span: undefined }));
  return { ...p, tensors, equations } as unknown as Plain;
}

const printed = (p: Plain): string => printGadgetProgram(p as unknown as GadgetProgram);

/** Keys that may be left out. */
const optional = ['type', 'key', 'open', 'values', 'value', 'mask'];

/** @param before the program as printed */
function expectShown(program: Plain, before: string, { path, by }: Alteration): void {
  if (printed(replaced(program, path, by)) !== before) return;
  throw new Error(`${path.join('.')} is not printed: ${JSON.stringify(by, (_, v: unknown) => String(v))}`);
}

describe('the printed gadget program', () => {
  test.each(cases('gadget'))('shows every change of $name', ({ source }) => {
    const program = comparable(compile({ text: source }).gadgets!);
    const before = printed(program);
    for (const alteration of alterations(program, optional)) expectShown(program, before, alteration);
  });

  test('shows changes of every field of random programs', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(programs(), fc.nat(1000), (tensors, pick) => {
        const { gadgets } = lower(tensors);
        if (!gadgets) return;
        const program = comparable(gadgets);
        const before = printed(program);
        for (const [field, of] of Map.groupBy(alterations(program, optional), fieldOf)) {
          expectShown(program, before, of[pick % of.length]);
          seen.add(field);
        }
      }),
      { numRuns: 30, seed: 8 },
    );
    const steps = ['by', 'lo', 'hi', 'from', 'sign', 'shift', 'bits', 'offset', 'table', 'over', 'mask', 'equation'];
    for (const key of steps) expect(seen).toContain(`steps.${key}`);
    for (const key of ['bit', 'columnBits']) expect(seen).toContain(`tensors.class.axes.${key}`);
    for (const key of ['at', 'guards', 'values', 'files', 'stacked']) expect(seen).toContain(`tensors.class.${key}`);
    for (const field of ['lookups.value', 'tables.values', 'sources.open', 'tensors.key', 'secrets', 'zeros'])
      expect(seen).toContain(field);
  });

  test('does not show where in the source something stands', () => {
    const [a, b] = ['', '\n\n'].map((before) => compile({ text: `${before}${cases('gadget')[0].source}` }).gadgets!);
    expect(a).not.toEqual(b);
    expect(printGadgetProgram(a)).toBe(printGadgetProgram(b));
  });

  test('shows whether a divisor is a number or a tensor', () => {
    const { gadgets } = compile({ text: 'model m {\n  public x: fixed<8, 4>\n  public y = round<8, 4>(x * x)\n}\n' });
    const index = gadgets!.steps.findIndex((s) => s.kind === 'floor');
    const other = replaced(comparable(gadgets!), ['steps', index, 'by'], 16);
    expect(printed(other)).not.toBe(printed(comparable(gadgets!)));
  });
});
