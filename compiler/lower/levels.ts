/** At which level each equation is proved. */
import type { GadgetEquation } from '../ir/gadget/program.ts';
import type { Draft, DraftTensor, UnplacedClass } from './draft.ts';

export interface Levelled {
  readonly tensors: readonly DraftTensor<UnplacedClass>[];
  /** Level 0: of what nobody claims anything. */
  readonly equations: readonly GadgetEquation[];
  readonly levels: number;
}

/**
 * A claim about a hidden tensor arises at the levels of its readers, so it is settled one level after the last of them;
 * claims about public outputs, lookups and zeros arise at the start.
 */
export function assignLevels({ tensors, equations, lookups, zeros }: Draft): Levelled {
  const levels = tensors.map(() => 0);
  const raise = (id: number, level: number): void => {
    const c = tensors[id].class;
    if (c.kind === 'digits') return raise(c.of, level);
    if ((c.kind !== 'defined' && c.kind !== 'view') || isKnown(tensors, id)) return;
    levels[id] = Math.max(levels[id], level);
    if (c.kind === 'view') raise(c.of, level + 1);
  };
  for (const l of lookups) raise(l.tensor, 1);
  for (const id of zeros) raise(id, 1);
  // Equations stand in order of evaluation: backwards, all readers of a tensor come before its own equation.
  const levelled = equations
    .toReversed()
    .map((e): GadgetEquation => {
      if (tensors[e.target].class.kind === 'output') levels[e.target] = 1;
      const level = levels[e.target];
      if (level > 0) for (const f of e.terms.flatMap((t) => t.factors)) raise(f.tensor, level + 1);
      return { ...e, level };
    })
    .reverse();
  return {
    tensors: tensors.map((t, id) => ({ ...t, class: withLevel(t.class, levels[id]) })),
    equations: levelled,
    levels: Math.max(0, ...levels),
  };
}

const withLevel = (c: DraftTensor['class'], level: number): UnplacedClass =>
  c.kind === 'defined' || c.kind === 'view' ? { ...c, level } : c;

/** A view of something the verifier knows is known itself. */
function isKnown(tensors: readonly DraftTensor[], id: number): boolean {
  const c = tensors[id].class;
  return c.kind === 'view' || c.kind === 'digits'
    ? isKnown(tensors, c.of)
    : c.kind === 'input' || c.kind === 'output' || c.kind === 'constant' || c.kind === 'selector';
}
