/** Gradients of a program's text by reverse mode, beside central differences of its loss: both in float64, without roundings. */
import { expect } from 'vitest';
import type { Frame, Session } from '../../compiler/check/context.ts';
import { differentiateLoss } from '../../compiler/check/gradient/reverse.ts';
import { Files } from '../../compiler/check/names/files.ts';
import { Scope } from '../../compiler/check/names/scope.ts';
import { Reporter } from '../../compiler/check/report.ts';
import { needed, prune } from '../../compiler/check/statements/prune.ts';
import { newSession } from '../../compiler/check/statements/session.ts';
import type { Equation, Table, Tensor, TensorId, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { parse } from '../../grammar/index.ts';
import { evaluateReal } from '../../runtime/evaluate/index.ts';
import { resolveImport } from '../compiler/standard.ts';

export interface Differentiated {
  readonly program: {
    readonly tensors: readonly Tensor[];
    readonly equations: readonly Equation[];
    readonly tables: readonly Table[];
  };
  readonly loss: TensorId;
  /** By trained weight. */
  readonly gradients: ReadonlyMap<TensorId, TensorId>;
}

/** What has no calibration gets this type; by default the checker's own, which only shapes and float64 may rely on. */
type Calibration = Session['calibration'];

/** Differentiates the scalar `loss` of a file's only model, or of its `train`, by all that it reads from `adapter`. */
export function differentiate(text: string, resolve = resolveImport): Differentiated {
  const { session, loss, gradients } = read(text, {}, resolve);
  const { tensors, equations, tables } = session;
  return { program: { tensors, equations, tables }, loss, gradients };
}

/** The program whose outputs, public, are the gradients; and the keys that calibration knows its values by. */
export function gradientProgram(
  text: string,
  calibration: Calibration = {},
): { readonly program: TensorProgram; readonly keys: readonly string[] } {
  const { session, gradients } = read(text, calibration);
  const outputs = [...gradients.values()];
  for (const id of outputs) session.tensors[id] = { ...session.tensors[id], role: 'output', visibility: 'public' };
  const { tensors, equations, tables, uncalibrated } = session;
  const inputs = session.statement.filter((id) => tensors[id].role === 'input');
  const keep = new Set([...needed(equations, outputs), ...inputs]);
  const program = prune({ name: 'm', tensors, equations, tables, statement: [...inputs, ...outputs] }, keep);
  return { program, keys: uncalibrated.map(({ key }) => key) };
}

function read(
  text: string,
  calibration: Calibration,
  resolve = resolveImport,
): { readonly session: Session; readonly loss: TensorId; readonly gradients: Map<TensorId, TensorId> } {
  const { program, diagnostics } = parse(text, 'case.zkl');
  expect(diagnostics).toEqual([]);
  const reporter = new Reporter();
  const { scope } = new Files(reporter, resolve).main(program, 'case.zkl');
  const session = newSession(reporter, calibration, () => undefined);
  const frame: Frame = { scope: new Scope(scope), path: [], at: [], keys: [], place: 'model', declared: new Map() };
  const model = program.items.find((item) => item.kind === 'model')!;
  session.walk(frame, model.body);
  const training: Frame = { ...frame, scope: new Scope(frame.scope), place: 'train', declared: new Map() };
  session.walk(training, model.train?.body ?? []);
  expect(reporter.diagnostics).toEqual([]);
  const found = training.scope.find('loss');
  if (found?.kind !== 'tensor') throw new Error('no loss');
  const trained = session.tensors.filter((t) => t.file?.source === 'adapter').map((t) => t.id);
  const gradients = differentiateLoss(session, found.tensor, trained, model.span);
  expect(reporter.diagnostics).toEqual([]);
  return { session, loss: found.tensor, gradients };
}

/**
 * Compares every gradient with central differences at values drawn from `numbers` (between -1 and 1, taken in turn).
 *
 * @returns the largest difference, over the largest entry of any gradient
 */
export function worstDifference({ program, loss, gradients }: Differentiated, numbers: readonly number[]): number {
  let next = 0;
  const draw = ({ type }: Tensor): number => {
    const x = numbers[next++ % numbers.length];
    return type?.kind === 'index' ? Math.floor(((x + 1) / 2.000001) * type.size) : x;
  };
  const inputs = program.tensors.filter((t) => t.role === 'input');
  const values = new Map(
    inputs.map((t) => [t.id, Float64Array.from({ length: t.shape.reduce((n, d) => n * d, 1) }, () => draw(t))]),
  );
  const found = evaluateReal(program, values);
  const lossAt = (id: TensorId, entry: number, change: number): number => {
    const moved = values.get(id)!.map((x, k) => (k === entry ? x + change : x));
    return evaluateReal(program, new Map([...values, [id, moved]])).get(loss)![0];
  };
  let worst = 0;
  let largest = 1e-3;
  for (const [weight, gradient] of gradients) {
    const actual = found.get(gradient)!;
    expect(actual.length).toBe(values.get(weight)!.length);
    const stride = Math.ceil(actual.length / 10);
    for (let k = 0; k < actual.length; k += stride) {
      const h = 1e-4;
      const difference = (lossAt(weight, k, h) - lossAt(weight, k, -h)) / (2 * h);
      largest = Math.max(largest, Math.abs(difference), Math.abs(actual[k]));
      worst = Math.max(worst, Math.abs(actual[k] - difference));
    }
  }
  return worst / largest;
}

/** Numbers between -1 and 1 that look drawn. */
export const drawn = (n: number): number[] => Array.from({ length: n }, (_, k) => Math.sin(17 * k * k + k));
