/** What a run's rules say of a step: which program is one, and what a proof of it has to publish. */
import type { GadgetProgram, GadgetTensor } from '../../compiler/ir/gadget/program.ts';
import { entry, type IntegerArray } from '../integers/arrays.ts';
import { dequantise } from '../integers/quantise.ts';
import type { Accepted } from '../verifier/index.ts';
import type { RunHeader } from './header.ts';
import type { Sampler } from './sampling.ts';
import type { RefusedRun } from './verdict.ts';

/** The source and the output that a state is. */
export const STATE = 'state';

/** Why a run is refused; thrown while it is verified. */
export class Refusal extends Error {
  readonly verdict: RefusedRun;

  constructor(reason: string, more: Partial<Omit<RefusedRun, 'ok' | 'reason'>> = {}) {
    super(reason);
    this.verdict = { ok: false, verdict: 'rejected', reason, ...more };
  }
}

/** What of a program's statement a run's rules are about. */
export interface StepProgram {
  readonly step: GadgetTensor;
  readonly rows: GadgetTensor | undefined;
  readonly losses: readonly GadgetTensor[];
}

/** @throws Refusal for a program whose inputs no rule of a run gives: who trains would choose them */
export function stepProgram(
  { publics, secrets, tensors, sources, outputs = [] }: GadgetProgram,
  header: RunHeader,
): StepProgram {
  const all = publics.map((id) => tensors[id]);
  const inputs = all.filter((t) => t.class.kind === 'input');
  const step = inputs.find((t) => t.name === 'step' && t.shape.length === 0);
  const [rows, ...others] = inputs.filter((t) => t !== step);
  const free = [...others, ...secrets.map((id) => tensors[id])].at(0);
  if (step === undefined || outputs.every((o) => o.name !== STATE) || sources.every((s) => s.name !== STATE))
    throw new Refusal('the model has no `train`: its program is no step', { verdict: 'unverified' });
  if (free !== undefined)
    throw new Refusal(`"${free.name}" is an input of every step that no rule gives`, { verdict: 'unverified' });
  const [count, batch] = rows?.type?.kind === 'index' ? [rows.type.size, rows.shape[0]] : [1, 1];
  if (rows !== undefined && (rows.type?.kind !== 'index' || rows.shape.length !== 1))
    throw new Refusal(`"${rows.name}" is an input of every step that no rule gives`, { verdict: 'unverified' });
  if (header.rows !== count || header.batch !== batch)
    throw new Refusal(`the run takes ${header.batch} of ${header.rows} rows a step, the program ${batch} of ${count}`);
  return { step, rows, losses: all.filter((t) => t.class.kind !== 'input') };
}

/** @throws Refusal for another step, or other rows than the rule says */
export function checkPublics(
  { step: counter, rows }: StepProgram,
  sampler: Sampler | undefined,
  { publics }: Accepted,
  step: number,
): void {
  const read = (t: GadgetTensor): number[] => {
    const values: IntegerArray = publics.get(t.name) ?? [];
    return Array.from({ length: values.length }, (_, k) => Number(entry(values, k)));
  };
  const [number, ...more] = read(counter);
  if (number !== step || more.length > 0) throw new Refusal(`its proof is of step ${number}`, { step });
  if (rows === undefined || sampler === undefined) return;
  const [taken, wanted] = [read(rows), sampler.rows(step)];
  if (taken.join() !== wanted.join())
    throw new Refusal(`it takes the rows ${taken.join(', ')}, the rule says ${wanted.join(', ')}`, { step });
}

export const lossesOf = ({ losses }: StepProgram, { publics }: Accepted): ReadonlyMap<string, number> =>
  new Map(losses.map((t) => [t.name, dequantise(t, publics.get(t.name) ?? [])[0]]));
