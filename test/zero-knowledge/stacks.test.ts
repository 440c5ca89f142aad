/** What is said of stacked open weights in the clear is the same for all secrets. */
import { expect, test } from 'vitest';
import { adaptive } from '../kit/adaptive.ts';
import { testDevice } from '../kit/devices.ts';
import { ChosenTranscript } from '../kit/simulator.ts';
import { createStatement } from '../kit/statement.ts';
import { createSubject, drawInputs } from '../kit/subject.ts';

const device = await testDevice();

test('messages in the clear about several open tensors are functions of them and of the challenges', async () => {
  const subject = await createSubject(`model m { dim D = 3
    source s
    secret a[D]: fixed<3, 0> from s "a"
    secret b[D]: fixed<3, 0> from s "b"
    ${[0, 1, 2].map((k) => `open w${k}[D]: fixed<3, 0> from base "w${k}"`).join('\n')}
    d[i] = a[i] * b[i]
    e[i] = a[i] * a[i]
    f[i] = b[i] * b[i]
    public y[i] = d[i] * w0[i] + e[i] * w1[i] + f[i] * w2[i]
    public z = sum(i) w0[i] * w1[i] * a[i] + sum(i) w1[i] * w2[i] * b[i] + sum(i) w2[i] * w0[i] * a[i]
    public o[i] = w0[i] * w1[i] + w1[i] * w2[i] }`);
  const [values, others] = [drawInputs(subject, 1), drawInputs(subject, 2)];
  const open = new Map([...values].filter(([id]) => subject.gadgets.tensors[id].name.startsWith('w')));
  const clearOf = async (all: typeof values): Promise<readonly bigint[]> => {
    const statement = await createStatement(device, subject, all);
    const run = await adaptive(device, statement, undefined, () => new ChosenTranscript(1));
    const { clear, relations, labels } = await run(new Map());
    expect(relations.every((v) => v === 0n)).toBe(true);
    expect(labels.filter((l) => /value of w\d and \d like it/.test(l)).length).toBeGreaterThan(2);
    return clear;
  };
  const clear = await clearOf(values);
  expect(clear.length).toBeGreaterThan(2);
  expect(await clearOf(new Map([...others, ...open]))).toEqual(clear);
  expect(await clearOf(others)).not.toEqual(clear);
});
