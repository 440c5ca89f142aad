/** What a proof takes of memory, from its program: of the process as a whole, and of a device's. */
import type { GadgetProgram, GadgetTerm } from '../../compiler/ir/gadget/program.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import { allocateComputed, rangeBits } from '../integers/arrays.ts';
import { ownMatrices } from '../protocol/commitment/layout.ts';
import { tableSize, tensorSections } from '../protocol/lookup/tensor-lookups.ts';
import { bitsFor, largest } from '../protocol/scalar.ts';
import { treeMemory } from '../prover/lookup/fraction-tree.ts';
import { treeBudget } from '../prover/lookup/tree-storage.ts';

/** In bytes. */
export interface ProofMemory {
  /** At the peak: of the process, the device's included. */
  readonly total: number;
  /** Of it, what depends on the weights, the program's size and the process alone, and not on the inputs' lengths. */
  readonly fixed: number;
  /** At the peak on the device, and the phase that takes it. */
  readonly device: number;
  readonly phase: 'lookups' | 'equations' | 'opening';
}

/** Of a field element on the device `wasm`. */
const ELEMENT = 40;
/** What that device can address. */
export const DEVICE_LIMIT = 65535 * 65536;

/** Node with its threads and what is generated for them; objects of a program for each byte of its bundle. */
const PROCESS = { node: 3.6e8, perBundleByte: 40 } as const;

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/**
 * A model of a proof on the device `wasm`, within a quarter of what is measured.
 *
 * @param bundleBytes of the file
 */
export function proofMemory(program: GadgetProgram, bundleBytes: number): ProofMemory {
  const weights = program.sources
    .flatMap((s) => s.tensors)
    .reduce((n, t) => n + (t.bits <= 16 ? 2 : t.bits <= 32 ? 4 : 8) * sizeOf(t.axes.map((a) => a.length)), 0);
  const values = program.tensors.reduce(
    (n, t) =>
      n + (t.class.kind === 'committed' && !isOutput(program, t.class) ? 0 : computedBytes(t.range) * sizeOf(t.shape)),
    0,
  );
  // In 32 bits, and outputs in 64 at most.
  const own = ownMatrices(program).reduce((n, m, k) => n + (k === 0 ? 4 : 8) * m.rows * m.columns, 0);
  const phases = {
    lookups: lookupBytes(program, own),
    equations: equationBytes(program),
    opening: openingBytes(program),
  };
  const [phase, most] = (Object.entries(phases) as [ProofMemory['phase'], number][]).reduce((a, b) =>
    b[1] > a[1] ? b : a,
  );
  const fixed = PROCESS.node + PROCESS.perBundleByte * bundleBytes + weights;
  const device = own + most;
  return { total: fixed + values + device, fixed, device, phase };
}

/** Of an entry, as it is evaluated. */
const computedBytes = (range: Parameters<typeof rangeBits>[0]): number => {
  const like = allocateComputed(range, 0);
  return Array.isArray(like) ? 32 : like.BYTES_PER_ELEMENT;
};

/** Leaves and what they point to, and the layers that are kept, or the tables of the largest layer's rounds. */
function lookupBytes(program: GadgetProgram, used: number): number {
  if (program.lookups.length === 0) return 0;
  const { sections, depth } = tensorSections(program);
  const leaves = sections.reduce((n, s) => n + 2 ** s.bits, 0);
  const entries = program.tables.reduce((n, t) => n + tableSize(t), 0);
  const own = 8 * leaves + 2 * ELEMENT * entries;
  const { layer, fold } = treeBudget(treeMemory(DEVICE_LIMIT - used - own, ELEMENT, depth), ELEMENT, depth);
  const half = 2 ** (depth - 1);
  const folded = 3 * ELEMENT * 2 ** Math.min(fold, Math.max(0, depth - 2)) * (1 + Math.max(0, leaves - half) / half);
  return own + Math.max(2 * ELEMENT * 2 ** (layer + 1), folded);
}

/** A summand of a level's sumcheck. */
type Summand = Pick<GadgetTerm, 'factors' | 'variables'> & { readonly isView: boolean };

/** Of the largest level: its tensors, and the tables of its summands, while one summand after the other is folded. */
function equationBytes(program: GadgetProgram): number {
  const levels = Array.from({ length: program.levels }, (_, i) => i + 1);
  return largest(levels.map((level) => levelBytes(program, summandsOf(program, level))));
}

function summandsOf(program: GadgetProgram, level: number): Summand[] {
  const terms = program.equations.filter((e) => e.level === level).flatMap((e) => e.terms);
  const views = program.tensors.flatMap(({ class: c }): Summand[] => {
    if (c.kind !== 'view' || c.level !== level) return [];
    const { shape } = program.tensors[c.of];
    const axes = shape.map((_, variable) => ({ kind: 'summed', variable }) as const);
    return [{ factors: [{ tensor: c.of, axes }], variables: shape, isView: true }];
  });
  return [...terms.map((t) => ({ factors: t.factors, variables: t.variables, isView: false })), ...views];
}

function levelBytes(program: GadgetProgram, summands: readonly Summand[]): number {
  const tensors = new Set(summands.flatMap((s) => s.factors.map((f) => f.tensor)));
  const held = [...tensors].reduce((n, id) => n + storedBytes(program, id) * sizeOf(program.tensors[id].shape), 0);
  const tables = summands.map((s) => ({ made: tableBytes(program, s), folded: foldedBytes(s) }));
  let used = tables.reduce((n, t) => n + t.made, held);
  // In the first round a summand's integers are field elements, too.
  let most = used + 2 * largest(tables.map((t) => t.folded));
  for (const { made, folded } of tables) {
    most = Math.max(most, used + folded);
    used += folded - made;
  }
  return most;
}

const padded = (length: number): number => 2 ** bitsFor(length);

const storedBytes = (program: GadgetProgram, id: number): number => {
  const bits = rangeBits(program.tensors[id].range);
  return bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : ELEMENT;
};

const foldedBytes = ({ factors, variables, isView }: Summand): number =>
  (factors.length + (isView ? 1 : 0)) * (ELEMENT / 2) * sizeOf(variables.map(padded));

/**
 * Factors all of whose axes are summed over are tables as they are, but for their padding; others are contracted to field elements, and
 * so are the weights of a view.
 */
function tableBytes(program: GadgetProgram, { factors, variables, isView }: Summand): number {
  const size = sizeOf(variables.map(padded));
  const isPadded = variables.slice(1).some((length) => padded(length) !== length);
  return factors.reduce(
    (n, f) => {
      const kept = f.axes.flatMap((a) => (a.kind === 'summed' ? [variables[a.variable]] : []));
      const isSpread = isPadded || kept.length < variables.length;
      const length = isSpread ? size : sizeOf(kept);
      if (kept.length < f.axes.length) return n + ELEMENT * length;
      return n + (isSpread ? storedBytes(program, f.tensor) * length : 0);
    },
    isView ? ELEMENT * size : 0,
  );
}

/** A combination of rows for each tensor that is committed with the proof, and the weights of its columns. */
function openingBytes(program: GadgetProgram): number {
  const opened = program.tensors.filter((t) => t.class.kind === 'witness' || isOutput(program, t.class)).length;
  return 2 * ELEMENT * program.columns * opened;
}
