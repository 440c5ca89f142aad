/** One run of reverse mode: what has flowed where so far. */
import type { Span } from '../../../grammar/span.ts';
import type { Equation, Tensor, TensorId } from '../../ir/tensor/program.ts';
import { addVariable } from '../context.ts';
import type { Session } from '../context.ts';
import { emit, type Meaning } from '../equations/emit.ts';
import { calibrated } from '../equations/meanings.ts';
import { gradientKey } from '../names/paths.ts';
import type { Poly, Quantity } from '../numbers/polynomial.ts';
import type { Plan } from './plan.ts';

/** One run of reverse mode. */
export interface Reverse {
  readonly session: Session;
  readonly plan: Plan;
  /** What has flowed to each tensor so far, over the variables of its axes. */
  readonly flowed: Map<TensorId, Poly[]>;
  readonly axes: Map<TensorId, readonly number[]>;
  /** Bits of exact cotangents that were made tensors. */
  readonly widths: Map<TensorId, number>;
  /** Where messages point that no equation of the text causes. */
  readonly span: Span;
}

/** The variables of a tensor's axes, the same for all that flows to it. */
export function axesOf(reverse: Reverse, id: TensorId): readonly number[] {
  const known = reverse.axes.get(id);
  if (known !== undefined) return known;
  const made = reverse.session.tensors[id].shape.map((size, k) => addVariable(reverse.session, `i${k}`, size));
  reverse.axes.set(id, made);
  return made;
}

/** Adds what flows to a tensor, over the variables of its axes. */
export function flow(reverse: Reverse, id: TensorId, p: Poly): void {
  if (p.length === 0) return;
  const before = reverse.flowed.get(id);
  if (before === undefined) reverse.flowed.set(id, [p]);
  else before.push(p);
}

/** Makes a hidden tensor over the axes of another, under its name and a suffix. */
export function beside(reverse: Reverse, of: TensorId, suffix: string, meaning: Meaning): TensorId {
  const { name, span } = reverse.session.tensors[of];
  const indices = axesOf(reverse, of);
  const target = { name: `${name}${suffix}`, indices, visibility: 'hidden', role: 'inner', span, value: span } as const;
  return emit(reverse.session, target, meaning).id;
}

/** The key that calibration knows a tensor by. */
const keyOf = ({ key, file, name }: Tensor): string =>
  key ?? (file === undefined ? name : `${file.source}:${file.names[0]}`);

/** What flows to a tensor, or a part of it, rounded to the type that calibration gives under the tensor's key, `part` and `.grad`. */
export function roundedCotangent(reverse: Reverse, id: TensorId, of: Quantity, part = ''): TensorId {
  const { session } = reverse;
  const tensor = session.tensors[id];
  const key = gradientKey(`${keyOf(tensor)}${part}`);
  const suffix = `${part}.grad`;
  const type = { kind: 'fixed', ...calibrated(session, key, `${tensor.name}${suffix}`, tensor.span) } as const;
  return beside(reverse, id, suffix, { kind: 'round', of, type, key });
}

/** What is not known of a gradient. */
export interface Unknown {
  readonly code: 'ZKL521' | 'ZKL522' | 'ZKL524' | 'ZKL525';
  readonly label: string;
}

/** Fails where what flows through an equation is not known. */
export function refuse({ session, span }: Reverse, equation: Equation, problem: Unknown): never {
  const notes = [{ span, text: 'the loss is minimised here' }];
  return session.reporter.fail({ ...problem, span: equation.span, notes });
}
