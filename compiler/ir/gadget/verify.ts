/**
 * The prover's half of a gadget program: by its steps, in order, every value that a proof speaks of is found, and once.
 * The other half, what a proof states, is for the reader of bundles (`compiler/bundle/check.ts`), who believes nothing and
 * does not look at steps. A program that breaks this is a mistake in the compiler, not in its input.
 */
import { isOutput } from './walk.ts';
import type { GadgetProgram, GadgetStep, GadgetTensor, GadgetTerm } from './program.ts';

/** Every invariant that is broken, in words; empty for a sound program. */
export function verifyGadgetProgram(p: GadgetProgram): string[] {
  const problems: string[] = [];
  const given = new Set(p.secrets);
  const found = new Set<number>();
  const known = (id: number): boolean => {
    const c = p.tensors[id].class;
    switch (c.kind) {
      case 'input':
      case 'constant':
        return true;
      case 'view':
      case 'digits':
      case 'selector':
        return known(c.of);
      case 'gathered':
        return known(c.of) && known(c.indices);
      case 'committed':
        return !isOutput(p, c) || found.has(id);
      default:
        return given.has(id) || found.has(id);
    }
  };
  for (const step of p.steps) {
    const target = step.kind === 'equation' ? p.equations[step.equation].target : step.target;
    const t = p.tensors[target];
    for (const id of readsOf(p, step))
      if (!known(id)) problems.push(`${t.name}: found from ${p.tensors[id].name}, which is not found yet`);
    if (known(target)) problems.push(`${t.name}: found twice, or given`);
    const fitting = shapeOf(p, step);
    if (fitting && fitting.join() !== t.shape.join()) problems.push(`${t.name}: found by a step of another shape`);
    found.add(target);
  }
  const need = (id: number, what: string): void => {
    if (!known(id)) problems.push(`${p.tensors[id].name}: ${what}, and never found`);
  };
  // How often each entry of a table occurs is counted with the lookups.
  const counted = new Set(p.tables.map((t) => t.multiplicities));
  for (const [id, { class: c }] of p.tensors.entries()) {
    if ((c.kind === 'witness' && !counted.has(id)) || isOutput(p, c)) need(id, 'committed');
    if (c.kind === 'output') need(id, 'an output');
  }
  for (const { tensor } of p.lookups) need(tensor, 'looked up');
  for (const e of p.equations) if (e.level > 0) for (const id of factorsOf(e.terms)) need(id, 'in an equation');
  return [...problems, ...namesTwice(p.tensors)];
}

const factorsOf = (terms: readonly GadgetTerm[]): number[] => terms.flatMap((t) => t.factors.map((f) => f.tensor));

function readsOf(p: GadgetProgram, step: GadgetStep): number[] {
  switch (step.kind) {
    case 'equation':
      return factorsOf(p.equations[step.equation].terms);
    case 'sum':
      return factorsOf(step.terms);
    case 'floor':
    case 'root':
      return typeof step.by === 'number' ? [step.of, step.by] : [step.of];
    case 'largest':
      return step.mask === undefined ? [step.of] : [step.of, step.mask];
    default:
      return [step.of];
  }
}

/** The shape of what a step finds, where its kind says one. */
function shapeOf(p: GadgetProgram, step: GadgetStep): readonly number[] | undefined {
  if (step.kind === 'equation' || step.kind === 'sum') return undefined;
  const { shape, type } = p.tensors[step.of];
  return step.kind === 'select' && type?.kind === 'index' ? [...shape, type.size] : shape;
}

function namesTwice(tensors: readonly GadgetTensor[]): string[] {
  const names = new Set<string>();
  return tensors.flatMap(({ name }) => {
    if (names.has(name)) return [`${name}: two tensors of that name`];
    names.add(name);
    return [];
  });
}
