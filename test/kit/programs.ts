/** Random whole programs: sums of products over secrets, public inputs and earlier results, with views and guards. */
import fc from 'fast-check';
import type {
  Compare,
  Equation,
  Factor,
  IndexExpr,
  IndexVar,
  Range,
  Tensor,
  TensorProgram,
  Term,
} from '../../compiler/tensor/program.ts';

/** What shrinks; every number is taken modulo what there is to choose from. */
interface Sketch {
  readonly sizes: readonly number[];
  readonly inputs: readonly {
    readonly axes: readonly number[];
    readonly secret: boolean;
    readonly bits: number;
    readonly stacked: boolean;
    readonly source: number;
  }[];
  readonly equations: readonly {
    readonly axes: readonly number[];
    readonly output: boolean;
    readonly terms: readonly {
      readonly coefficient: number;
      readonly factors: readonly { readonly tensor: number; readonly axes: readonly number[] }[];
      readonly guard: number;
    }[];
  }[];
}

const axes = fc.array(fc.nat(5), { maxLength: 3 });

const sketches: fc.Arbitrary<Sketch> = fc.record({
  sizes: fc.array(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 9), { minLength: 2, maxLength: 3 }),
  inputs: fc.array(
    fc.record({
      axes,
      secret: fc.boolean(),
      bits: fc.integer({ min: 1, max: 8 }),
      stacked: fc.boolean(),
      source: fc.nat(1),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  equations: fc.array(
    fc.record({
      axes,
      output: fc.boolean(),
      terms: fc.array(
        fc.record({
          coefficient: fc.constantFrom(1, 1, -1, 2, -3, 100),
          factors: fc.array(
            fc.record({ tensor: fc.nat(20), axes: fc.array(fc.nat(40), { minLength: 3, maxLength: 3 }) }),
            { maxLength: 3 },
          ),
          guard: fc.nat(11),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/**
 * Programs of a few tensors: up to four equations one upon the other, terms of up to three factors (the same one twice
 * among them), reduced and broadcast indices, slices, shifts, reversals, diagonals, guards, stacked files, two sources.
 */
export const programs = (): fc.Arbitrary<TensorProgram> => sketches.map(build);

const unit = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
const mostBits = 200;
const mostWork = 1500;
const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

function build(sketch: Sketch): TensorProgram {
  const { sizes } = sketch;
  const shapeOf = (list: readonly number[]): number[] => list.map((a) => sizes[a % sizes.length]);
  const tensors: Tensor[] = sketch.inputs.map((x, id) => input(id, shapeOf(x.axes), x));
  const equations: Equation[] = [];
  for (const [k, e] of sketch.equations.entries()) {
    const last = k === sketch.equations.length - 1;
    const indices = shapeOf(e.axes).map((n, j): IndexVar => ({ name: `i${j}`, size: n }));
    const terms = e.terms.map((t) => term(tensors, indices, t));
    const range = terms.map((t) => termRange(tensors, t)).reduce((a, b) => ({ lo: a.lo + b.lo, hi: a.hi + b.hi }));
    const id = tensors.length;
    const output = e.output || last;
    tensors.push({
      id,
      name: `y${k}`,
      shape: indices.map((v) => v.size),
      scale: unit,
      range,
      visibility: output ? 'public' : 'hidden',
      role: output ? 'output' : 'inner',
      span,
    });
    equations.push({
      target: id,
      indices,
      definition: { kind: 'polynomial', polynomial: { terms, scale: unit } },
      span,
    });
  }
  return {
    name: 'random',
    tensors,
    tables: [],
    equations,
    statement: tensors.filter((t) => t.role !== 'inner').map((t) => t.id),
  };
}

function input(id: number, shape: number[], x: Sketch['inputs'][number]): Tensor {
  const half = 2n ** BigInt(x.bits - 1);
  const common = {
    id,
    name: `x${id}`,
    shape,
    scale: unit,
    range: { lo: -half, hi: half - 1n },
    type: { kind: 'fixed', bits: x.bits, frac: 0 },
    role: 'input',
    span,
  } as const;
  if (!x.secret) return { ...common, visibility: 'public' };
  const stacked = x.stacked && shape.length > 0 ? 1 : 0;
  const names = Array.from({ length: size(shape.slice(0, stacked)) }, (_, i) => `x${id}.${i}`);
  return { ...common, visibility: 'secret', file: { source: `s${x.source}`, names, stacked } };
}

/** A term within the bounds on integers and loops: factors that would exceed them are left out. */
function term(
  tensors: readonly Tensor[],
  indices: readonly IndexVar[],
  sketch: Sketch['equations'][number]['terms'][number],
): Term {
  const reduced: IndexVar[] = [];
  const guards: Compare[] = [];
  const factors: Factor[] = [];
  const sizeOf = (v: number): number => (v < indices.length ? indices[v] : reduced[v - indices.length]).size;
  const work = (): number => size(indices.map((v) => v.size)) * size(reduced.map((v) => v.size));
  for (const f of sketch.factors) {
    const t = tensors[f.tensor % tensors.length];
    const before = { reduced: reduced.length, guards: guards.length };
    const at = t.shape.map((length, j) =>
      position(length, f.axes[j], indices.length + reduced.length, sizeOf, guards, () => {
        reduced.push({ name: `k${reduced.length}`, size: length });
        return indices.length + reduced.length - 1;
      }),
    );
    factors.push({ tensor: t.id, at });
    const range = termRange(tensors, { coefficient: BigInt(sketch.coefficient), reduced, guards, factors });
    if (work() <= mostWork && (range.hi - range.lo).toString(2).length <= mostBits) continue;
    factors.pop();
    reduced.length = before.reduced;
    guards.length = before.guards;
  }
  guards.push(...guard(sketch.guard, indices.length + reduced.length, sizeOf));
  return { coefficient: BigInt(sketch.coefficient), reduced, guards, factors };
}

const variable = (v: number): IndexExpr => ({ kind: 'var', var: v });
const constant = (value: number): IndexExpr => ({ kind: 'const', value });

/** An index expression that stays inside an axis wherever the guards, to which it may add one, hold. */
function position(
  length: number,
  choice: number,
  count: number,
  sizeOf: (v: number) => number,
  guards: Compare[],
  fresh: () => number,
): IndexExpr {
  const fitting = Array.from({ length: count }, (_, v) => v).filter((v) => sizeOf(v) <= length);
  const any = count === 0 ? undefined : choice % count;
  const kind = choice % 10;
  if (kind < 5 && fitting.length > 0) return variable(fitting[choice % fitting.length]);
  if (kind === 5) return constant(choice % length);
  if (kind === 6 && any !== undefined)
    return { kind: 'mod', left: { kind: 'add', left: variable(any), right: constant(choice) }, by: length };
  if (kind === 7 && fitting.length > 0)
    return { kind: 'sub', left: constant(length - 1), right: variable(fitting[choice % fitting.length]) };
  if (kind === 8 && any !== undefined) return { kind: 'div', left: variable(any), by: Math.ceil(sizeOf(any) / length) };
  if (kind === 9 && any !== undefined && sizeOf(any) > 1) {
    // A shift by one: entry v - 1, where there is one and it is inside.
    guards.push(
      { left: variable(any), op: '>=', right: constant(1) },
      { left: variable(any), op: '<=', right: constant(length) },
    );
    return { kind: 'sub', left: variable(any), right: constant(1) };
  }
  return variable(fresh());
}

function guard(choice: number, count: number, sizeOf: (v: number) => number): Compare[] {
  if (choice > 5 || count === 0) return [];
  const [a, b] = [choice % count, (choice + 1) % count];
  const op = (['<', '<=', '==', '!=', '>=', '>'] as const)[choice];
  return a === b
    ? [{ left: variable(a), op, right: constant(Math.floor(sizeOf(a) / 2)) }]
    : [{ left: variable(a), op, right: variable(b) }];
}

/** Bounds of a term: interval arithmetic, and 0 where a guard may fail. */
function termRange(tensors: readonly Tensor[], t: Term): Range {
  const product = t.factors.reduce(
    (p: Range, f): Range => {
      const { lo, hi } = tensors[f.tensor].range;
      const corners = [p.lo * lo, p.lo * hi, p.hi * lo, p.hi * hi];
      return { lo: corners.reduce((a, b) => (a < b ? a : b)), hi: corners.reduce((a, b) => (a > b ? a : b)) };
    },
    { lo: t.coefficient, hi: t.coefficient },
  );
  const times = BigInt(size(t.reduced.map((v) => v.size)));
  const [lo, hi] = [product.lo * times, product.hi * times];
  return t.guards.length === 0 ? { lo, hi } : { lo: lo < 0n ? lo : 0n, hi: hi > 0n ? hi : 0n };
}
