/** One step of training with given gradients: the optimizer of a `train` for every trained weight, as a program. */
import { expect } from 'vitest';
import type { Frame } from '../../compiler/check/context.ts';
import { addTensor, typeRange } from '../../compiler/check/context.ts';
import { typeScale } from '../../compiler/check/equations/emit.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { Files } from '../../compiler/check/names/files.ts';
import { Scope } from '../../compiler/check/names/scope.ts';
import { trainingProgram } from '../../compiler/check/optimizers/program.ts';
import { finishStep, type Step } from '../../compiler/check/optimizers/step.ts';
import { trainedTensors } from '../../compiler/check/optimizers/trained.ts';
import { Halt, Reporter } from '../../compiler/check/report.ts';
import { newSession } from '../../compiler/check/statements/session.ts';
import { interpret } from '../../compiler/interpret/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { parse, type Diagnostic } from '../../grammar/index.ts';
import { evaluateExactly } from '../../runtime/evaluate/index.ts';
import { resolveImport } from './standard.ts';

export interface Training {
  readonly program: TensorProgram | undefined;
  readonly step: Step | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Runs one step.
   *
   * @param given integers by the name of the input; gradients are called `NAME.grad`
   * @returns integers of outputs, by their name in the source `state`
   */
  run(given: Readonly<Record<string, readonly bigint[]>>): Record<string, readonly bigint[]>;
}

/** The only model of a text, whose last item it is; every trained weight has a gradient of this type as an input. */
export function train(text: string, gradient: FixedType, calibration: Record<string, FixedType> = {}): Training {
  const { program, diagnostics } = parse(text, 'case.zkl');
  expect(diagnostics).toEqual([]);
  const reporter = new Reporter();
  const { scope } = new Files(reporter, resolveImport).main(program, 'case.zkl');
  const session = newSession(reporter, calibration, () => undefined);
  const place = { path: [], at: [], keys: [], declared: new Map() } as const;
  const model: Frame = { ...place, place: 'model', scope: new Scope(scope) };
  const frame: Frame = { ...place, place: 'train', scope: new Scope(model.scope) };
  const item = program.items.at(-1)!;
  if (item.kind !== 'model' || item.train === undefined) throw new Error('a model with `train` is expected');
  session.walk(model, item.body);
  const mark = session.statement.length;
  session.walk(frame, item.train.body);
  for (const id of session.statement.slice(mark)) session.training.add(id);
  const { minimize } = item.train;
  const type = { kind: 'fixed', ...gradient } as const;
  const gradients = new Map(
    trainedTensors(session, frame, minimize).map(({ id, name, shape, span }) => {
      const of = { name: `${name}.grad`, shape, scale: typeScale(type), range: typeRange(type), type, span };
      const { id: own } = addTensor(session, { ...of, visibility: 'secret', role: 'input' });
      session.statement.push(own);
      return [id, own];
    }),
  );
  let step: Step | undefined;
  try {
    step = finishStep(session, frame, minimize, gradients);
  } catch (error) {
    if (!(error instanceof Halt)) throw error;
  }
  const made = step === undefined ? undefined : trainingProgram(session, item.name.text, step);
  if (made !== undefined) expect(verifyTensorProgram(made)).toEqual([]);
  return { program: made, step, diagnostics: reporter.diagnostics, run: (given) => run(made!, given) };
}

function run(
  program: TensorProgram,
  given: Readonly<Record<string, readonly bigint[]>>,
): Record<string, readonly bigint[]> {
  const inputs = program.tensors.filter(({ role }) => role === 'input');
  const values = new Map(
    inputs.map(({ id, name, shape, file }) => {
      const key = file?.source === 'state' ? file.names[0] : name;
      if (!Object.hasOwn(given, key)) throw new Error(`nothing is given for ${key}`);
      return [id, { shape, values: [...given[key]] }];
    }),
  );
  const found = interpret(program, values);
  const fast = evaluateExactly(program, new Map([...values].map(([id, of]) => [id, of.values])));
  for (const { id, name } of program.tensors)
    expect([...fast.get(id)!].map(BigInt), name).toEqual(found.get(id)!.values);
  const outputs = program.outputs!.flatMap(({ tensors }) => tensors);
  return Object.fromEntries(outputs.map(({ name, tensor }) => [name, found.get(tensor)!.values]));
}

/** floor(num / den * 2^frac + 1/2) */
export function rounded(num: bigint, den: bigint, frac = 0): bigint {
  const [n, d] = den < 0n ? [-num, -den] : [num, den];
  const [top, bottom] =
    frac >= 0 ? [(n << BigInt(frac)) * 2n + d, 2n * d] : [2n * n + (d << BigInt(-frac)), (d << BigInt(-frac)) * 2n];
  return top >= 0n ? top / bottom : -((-top + bottom - 1n) / bottom);
}

/** floor(sqrt(n)) */
export function root(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** floor(sqrt(num / den) + 1/2) */
export const roundedRoot = (num: bigint, den: bigint): bigint => (root((4n * num) / den) + 1n) >> 1n;

export interface Adam {
  readonly w: bigint;
  readonly master: bigint;
  readonly m: bigint;
  readonly s: bigint;
}

/** What the library's `adamw` states, with betas 0.9 and 0.999, for a weight of 14 fraction bits. */
export interface AdamSettings {
  /** Fraction bits of the gradient, which has 16 bits. */
  readonly frac: number;
  /** The rate, times 2^30. */
  readonly rate: bigint;
  /** Decay in hundredths. */
  readonly decay: bigint;
  /** By what gradients are multiplied, times 2^24. */
  readonly clip?: bigint;
}

/** The corrections of bias at a step, counted from 1, times 2^16. */
export function corrections(t: number): readonly [bigint, bigint] {
  const [n, d] = [9n ** BigInt(t), 10n ** BigInt(t)];
  const [n2, d2] = [999n ** BigInt(t), 1000n ** BigInt(t)];
  return [rounded(d, d - n, 16), (root((d2 << 34n) / (d2 - n2)) + 1n) >> 1n];
}

export function adamw(of: Adam, g: bigint, [c1, c2]: readonly [bigint, bigint], settings: AdamSettings): Adam {
  const { rate, decay, frac, clip = 1n << 24n } = settings;
  // Of the moments: 15 more than the gradient has. A clipped gradient has 24 more than that.
  const fine = (g << 15n) * clip;
  const m = rounded(9n * (of.m << 24n) + fine, 10n << 24n);
  const s = roundedRoot(999n * (of.s << 24n) ** 2n + fine * fine, 1000n << 48n);
  // 2^-27 with 31 fraction bits more than the gradient has.
  const e = rounded(1n, 1n << 27n, frac + 31);
  const u = rounded(c1 * m, c2 * s + e, 16);
  // In units of 2^-74, times 100: rate 30, u 16 and master 28 fraction bits.
  const change = rate * (100n * (u << 28n) + decay * (of.master << 16n));
  const master = rounded(100n * (of.master << 46n) - change, 100n << 46n);
  return { w: rounded(master, 1n << 14n), master, m, s };
}
