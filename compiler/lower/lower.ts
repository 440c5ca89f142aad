/** From the tensor program to the gadget program: what is committed, and which sumcheck proves which equation when. */
import type { Diagnostic } from '../../grammar/diagnostic.ts';
import type { GadgetProgram } from '../ir/gadget/program.ts';
import { verifyGadgetProgram } from '../ir/gadget/verify.ts';
import type { TensorProgram } from '../ir/tensor/program.ts';
import { verifyTensorProgram } from '../ir/tensor/verify.ts';
import { createBuilder } from './builder.ts';
import type { Draft, DraftClass } from './draft.ts';
import { lowerEquations, lowerSecrets, secretInputs } from './equations.ts';
import { planRanges, smallPlan, type RangePlan } from './gadgets/limbs.ts';
import { assignLevels } from './levels.ts';
import { chooseColumns, placeWitnesses } from './placement.ts';
import { originsOf } from './rewrite/origins.ts';
import { inlineEquations } from './rewrite/inline.ts';
import { committedSources, givenClasses, isCommittable, outputLayouts, outputPlaces } from './sources.ts';
import { tooLarge, unsupported } from './unsupported.ts';

/** The longest response, in scalars, that travels unfolded. */
const LONGEST_RESPONSE = 32;

/**
 * `ranges`: how wide ranges are looked up, where it should not be what costs least.
 *
 * Both programs are verified, which takes about a hundredth of the time.
 * @throws Error where one is not sound: a mistake in what made it
 */
export function lower(
  program: TensorProgram,
  ranges?: RangePlan,
): { gadgets?: GadgetProgram; diagnostics: Diagnostic[] } {
  assertSound(program.name, verifyTensorProgram(program));
  const equations = inlineEquations(program);
  const diagnostics = unsupported(program, equations);
  if (diagnostics.length > 0) return { diagnostics };

  const sources = committedSources(program);
  const outputs = outputLayouts(program);
  const places = outputPlaces(program, sources.length, outputs);
  const classes = new Map<number, DraftClass>(givenClasses(program, sources));
  for (const e of equations) {
    const place = isCommittable(e) ? places.get(e.target) : undefined;
    if (place) classes.set(e.target, place);
  }
  const build = (plan: RangePlan): Draft => {
    const b = createBuilder(program.tensors, classes, plan, originsOf(program.tensors, equations));
    lowerSecrets(b, program);
    lowerEquations(b, program, equations, places);
    return b.finish();
  };
  // How wide the tables should be is known once it is known what is looked up.
  const first = build(ranges ?? smallPlan);
  const plan = ranges ?? planRanges(first.uses);
  const draft = plan.limb === (ranges ?? smallPlan).limb ? first : build(plan);

  const { tables, lookups, zeros } = draft;
  const levelled = assignLevels(draft);
  const columns = chooseColumns(levelled.tensors, Math.max(32, ...[...sources, ...outputs].map((s) => s.columns)));
  const { tensors, rows } = placeWitnesses(levelled.tensors, columns);
  const refused = tooLarge({ tensors, equations: levelled.equations, sources, lookups, tables, zeros });
  if (refused) return { diagnostics: [refused] };
  const gadgets: GadgetProgram = {
    name: program.name,
    tensors,
    ...withoutUnused(levelled.equations, draft.steps),
    tables,
    lookups,
    zeros,
    secrets: secretInputs(program).map((t) => t.id),
    witnessRows: rows,
    sources,
    ...(outputs.length > 0 && { outputs }),
    publics: program.statement.filter((id) => program.tensors[id].visibility === 'public'),
    columns,
    folds: Math.max(0, Math.log2(columns / LONGEST_RESPONSE)),
    levels: levelled.levels,
  };
  assertSound(program.name, verifyGadgetProgram(gadgets));
  return { gadgets, diagnostics };
}

function assertSound(name: string, problems: readonly string[]): void {
  if (problems.length > 0) throw new Error(`internal error: the program ${name} is not sound: ${problems.join('; ')}`);
}

/** Equations that are proved or evaluated, and the steps, which count into them. */
function withoutUnused(
  equations: GadgetProgram['equations'],
  steps: GadgetProgram['steps'],
): Pick<GadgetProgram, 'equations' | 'steps'> {
  const evaluated = new Set(steps.flatMap((s) => (s.kind === 'equation' ? [s.equation] : [])));
  const kept = [...equations.keys()].filter((i) => equations[i].level > 0 || evaluated.has(i));
  const position = new Map(kept.map((i, k) => [i, k] as const));
  return {
    equations: kept.map((i) => equations[i]),
    steps: steps.map((s) => (s.kind === 'equation' ? { ...s, equation: position.get(s.equation) ?? -1 } : s)),
  };
}
