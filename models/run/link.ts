/**
 * What ties the state of a run to an adapter under its ordinary commitment, that of programs which serve it: a program that
 * publishes the sum of (a - w)^2 for each matrix, over integers that cannot wrap, so that 0 says equality. Before the first
 * step it also says that states of the optimizer are what they begin with.
 */
import { encodeBundle } from '../../compiler/bundle/bundle.ts';
import { kernelsSection } from '../../compiler/bundle/kernels-section.ts';
import { check, type First } from '../../compiler/check/index.ts';
import { STATE } from '../../compiler/check/optimizers/step.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import { printWithoutDigests } from '../../compiler/ir/tensor/print.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { parse } from '../../grammar/index.ts';
import type { TrainingModel } from '../train/model.ts';

/** The state in the text, where the word for it is one of the language. */
const BEFORE = 'before';

/** A tensor of the state. */
interface Named {
  readonly id: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly bits: number;
  readonly frac: number;
}

/** What states are before the first step, by name. */
export type Beginning = ReadonlyMap<string, First>;

export const beginningOf = ({ state }: TrainingModel): Beginning =>
  new Map(state.map(({ state: { name, first } }) => [name, first]));

const WEIGHT = 'w:';

const declared = ({ id, shape, bits, frac }: Named, source: string, name: string): string =>
  `  secret ${id}[${shape.join(', ')}]: fixed<${bits}, ${frac}> from ${source} ${JSON.stringify(name)}`;

/** The sum of all squares of `body`, whose entries are at `at`. */
function squares({ shape }: Named, body: (at: string) => string): string {
  const indices = shape.map((_, k) => `i${k}`);
  return `sum(${indices.map((i, k) => `${i}: ${shape[k]}`).join(', ')}) (${body(`[${indices.join(', ')}]`)}) ^ 2`;
}

/** Whether sums say that a state begins as it has to: not where that is a weight rounded to fewer bits. */
export function canLink({ tensors }: CommittedSource, beginning: Beginning): boolean {
  const fracs = new Map(tensors.map(({ name, frac }) => [name, frac]));
  return tensors.every(
    ({ name, frac }) =>
      beginning.get(name)?.kind !== 'weight' || frac >= (fracs.get(`${WEIGHT}${weightName(name)}`) ?? Infinity),
  );
}

/** How far a state is from what it is before the first step. */
function fromBeginning(own: Named, first: First, weight: Named): string {
  if (first.kind === 'number')
    return squares(own, (at) =>
      first.integer === 0n ? `${own.id}${at}` : `${own.id}${at} - (${first.integer}) / 2 ^ ${own.frac}`,
    );
  return squares(own, (at) => `${own.id}${at} - ${weight.id}${at}`);
}

/** The name of the weight that a tensor of the state belongs to: `w:NAME`, `m:NAME`. */
const weightName = (name: string): string => name.slice(name.indexOf(':') + 1);

function linkText({ tensors }: CommittedSource, beginning: Beginning | undefined): string {
  const all = tensors.map(({ name, axes, bits, frac }, k): Named => ({
    id: `s${k}`,
    name,
    shape: axes.map((a) => a.length),
    bits,
    frac,
  }));
  const weights = all.filter(({ name }) => name.startsWith(WEIGHT));
  const byName = new Map(weights.map((t) => [weightName(t.name), t]));
  const adapters = weights.map((t) => ({ own: t, adapter: { ...t, id: `a${t.id}` } }));
  const others = all.flatMap((own) => {
    const [first, weight] = [beginning?.get(own.name), byName.get(weightName(own.name))];
    if (own.name.startsWith(WEIGHT) || first === undefined || weight === undefined) return [];
    return [`  public d${own.id} = ${fromBeginning(own, first, weight)}`];
  });
  return [
    'model link {',
    `  source state ${BEFORE}`,
    ...all.map((t) => declared(t, BEFORE, t.name)),
    ...adapters.map(({ adapter }) => declared(adapter, 'adapter', weightName(adapter.name))),
    ...adapters.map(
      ({ own, adapter }) => `  public d${own.id} = ${squares(own, (at) => `${adapter.id}${at} - ${own.id}${at}`)}`,
    ),
    ...others,
    '}',
    '',
  ].join('\n');
}

/** A checked program whose source `before` is called `state`, as the output of a step is. */
const renamed = (program: TensorProgram): TensorProgram => ({
  ...program,
  tensors: program.tensors.map((t) => (t.file?.source === BEFORE ? { ...t, file: { ...t.file, source: STATE } } : t)),
  stateSources: [STATE],
});

/**
 * The bundle of the link of a model, which is the same for all phases of a run: sources `adapter` and `state`, and public outputs that
 * all have to be 0.
 *
 * @param state the layout of the state, as a step puts it out
 * @param beginning where the link is about the state before the first step
 */
export function linkBundle(state: CommittedSource, beginning?: Beginning): Uint8Array {
  const text = linkText(state, beginning);
  const parsed = parse(text, 'link.zkl');
  const checked = check({ program: parsed.program, source: 'link.zkl', forProof: true });
  const [program] = checked.programs;
  const errors = [...parsed.diagnostics, ...checked.diagnostics].filter((d) => d.severity === 'error');
  if (errors.length > 0 || checked.programs.length !== 1)
    throw new Error(`internal error: the link of a run has errors: ${errors.map((d) => d.title).join('; ')}`);
  const tensors = renamed(program);
  const { gadgets, diagnostics } = lower(tensors);
  if (gadgets === undefined)
    throw new ValueError(`the adapter cannot be linked to the state: ${diagnostics.map((d) => d.title).join('; ')}`);
  return encodeBundle({
    gadgets,
    tensors: printWithoutDigests(tensors),
    kernels: kernelsSection(gadgets),
    sources: [{ name: 'link.zkl', text }],
  });
}
