/** Layers that differ only in their tensors share their messages, and each of them is bound as it would be alone. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { forge, without, type Forger } from '../kit/forge.ts';
import { createStatement, prove, verify } from '../kit/statement.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';

const device = await testDevice();

/** L layers with a residual stream, whose roundings have other divisors in each layer, and weights secret and open. */
const layered = (L: number, T: number, D: number): string => `
  model m { dim L = ${L}, T = ${T}, D = ${D}
    source a
    secret x[T, D]: fixed<8, 4> from a "x"
    repeat l: L at "{l}" {
      secret A[D, D]: fixed<4, 2> from a "a"
      open W[D, D]: fixed<4, 2> from base "w"
      u[t, o] = sum(d) x[t, d] * A[o, d]
      h[t, o] = round<10, 3>((1 + l) / 4 * sum(d) u[t, d] * W[o, d] + 1/64 * x[t, o] * x[t, o])
      x'[t, d] = round<8, 4>(1/4 * x[t, d] + 1/64 * h[t, d])
    }
    public out[t, d] = x[t, d] * x[t, d] }`;

describe('stacked layers', () => {
  test('hold every check of the kit', async () => {
    await assertGadget(layered(3, 1, 2), { devices: [device], samples: 8, statements: 1 });
  });

  test('messages other than rounds do not grow with the number of layers', async () => {
    const labels = async (L: number): Promise<string[]> =>
      (await createSubject(layered(L, 2, 3))).argument.pads.labels.filter((l) => l.startsWith('level'));
    const values = (all: readonly string[]): number => all.filter((l) => !l.includes('round')).length;
    const [two, five, nine] = [await labels(2), await labels(5), await labels(9)];
    expect(values(five)).toBe(values(two));
    expect(values(nine)).toBe(values(two));
    expect(nine.length - two.length).toBeLessThan(40);
  });

  test('a value of any layer changed is rejected, and accepted if it and later ones lack their lookups', async () => {
    const subject = await createSubject(layered(3, 2, 2));
    const { tensors } = subject.gadgets;
    const rounded = tensors.flatMap((x) => (/(h|x')$/.test(x.name) && x.class.kind === 'witness' ? [x.name] : []));
    expect(rounded).toEqual(['l[0]/h', "l[0]/x'", 'l[1]/h', "l[1]/x'", 'l[2]/h', "l[2]/x'"]);
    const statement = await createStatement(device, subject, drawInputs(subject, 3));
    for (const [i, name] of rounded.entries())
      for (const by of [1n, -1n]) {
        const change = (f: Forger): void => f.add(name, 1, by);
        expect(await forge(device, statement, { change }), name).toMatchObject({ ok: false });
        const lenient = without(...rounded.slice(i).map((later) => `${later} remainder`));
        expect(await forge(device, statement, { change, program: lenient }), name).toEqual({ ok: true });
      }
  });

  test('random layers are proved, on every device with the same bytes', async () => {
    const shape = fc.record({
      L: fc.integer({ min: 1, max: 6 }),
      T: fc.constantFrom(1, 2, 3),
      D: fc.constantFrom(1, 2, 3, 5),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    const reference = createReferenceDevice();
    await fc.assert(
      fc.asyncProperty(shape, async ({ L, T, D, seed }) => {
        const subject = await createSubject(layered(L, T, D));
        const statement = await createStatement(device, subject, drawInputs(subject, seed));
        const proved = await prove(device, statement, { seed });
        expect(await verify(device, statement, proved)).toEqual({ ok: true });
        if (L * T * D > 12) return;
        expect((await prove(reference, statement, { seed })).body).toEqual(proved.body);
      }),
      { numRuns: 6 },
    );
  });
});
