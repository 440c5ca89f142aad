/** Random whole programs: sums of products over secrets, public inputs and earlier results, with views and guards. */
import fc from 'fast-check';
import type {
  Compare,
  Definition,
  Equation,
  Factor,
  IndexExpr,
  IndexVar,
  Polynomial,
  Range,
  Table,
  Tensor,
  TensorProgram,
  TensorType,
  Term,
} from '../../compiler/ir/tensor/program.ts';

/** What shrinks; every number is taken modulo what there is to choose from. */
interface Sketch {
  readonly sizes: readonly number[];
  readonly inputs: readonly {
    readonly axes: readonly number[];
    readonly secret: boolean;
    readonly bits: number;
    readonly stacked: boolean;
    readonly source: number;
    /** From a source, open, without a source, or of indices. */
    readonly kind: number;
  }[];
  readonly equations: readonly {
    readonly axes: readonly number[];
    readonly output: boolean;
    /** Which function is put around the sum of terms; beyond those there are, none. */
    readonly around: number;
    readonly terms: readonly {
      readonly coefficient: number;
      readonly factors: readonly { readonly tensor: number; readonly axes: readonly number[] }[];
      readonly guard: number;
    }[];
  }[];
}

const axes = fc.array(fc.nat(5), { maxLength: 3 });

const sketches = (equations: number): fc.Arbitrary<Sketch> =>
  fc.record({
    sizes: fc.array(fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 9), { minLength: 2, maxLength: 3 }),
    inputs: fc.array(
      fc.record({
        axes,
        secret: fc.boolean(),
        bits: fc.integer({ min: 1, max: 8 }),
        stacked: fc.boolean(),
        source: fc.nat(1),
        kind: fc.nat(7),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    equations: fc.array(
      fc.record({
        axes,
        output: fc.boolean(),
        around: fc.nat(11),
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
      { minLength: Math.max(1, equations - 3), maxLength: equations },
    ),
  });

/**
 * Programs of a few tensors: up to four equations one upon the other, or about as many as `equations` says, terms of up to three factors (the same one twice
 * among them), reduced and broadcast indices, slices, shifts, reversals, diagonals, guards, stacked files, two sources;
 * open tensors, secrets without a source, indices that are data; and around sums: rounding, quotients, roots, a table that
 * saturates, maxima and their indices.
 */
export const programs = (options: { readonly equations?: number } = {}): fc.Arbitrary<TensorProgram> =>
  sketches(options.equations ?? 4).map(build);

const unit = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
const MAX_BITS = 200;
const MAX_WORK = 1500;
const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

function build(sketch: Sketch): TensorProgram {
  const { sizes } = sketch;
  const shapeOf = (list: readonly number[]): number[] => list.map((a) => sizes[a % sizes.length]);
  const tensors: Tensor[] = sketch.inputs.map((x, id) => input(id, shapeOf(x.axes), x, sizes));
  const equations: Equation[] = [];
  for (const [k, e] of sketch.equations.entries()) {
    const last = k === sketch.equations.length - 1;
    const indices = shapeOf(e.axes).map((n, j): IndexVar => ({ name: `i${j}`, size: n }));
    const maximum = e.around === 4 || e.around === 5;
    const over: IndexVar[] = maximum ? [{ name: 'o', size: sizes[e.axes.length % sizes.length] }] : [];
    const terms = e.terms.map((t) => term(tensors, [...indices, ...over], t));
    const range = terms.map((t) => termRange(tensors, t)).reduce((a, b) => ({ lo: a.lo + b.lo, hi: a.hi + b.hi }));
    const made = around(e.around, { terms, scale: unit }, range, over, indices);
    const output = e.output || last;
    const shape = indices.map((v) => v.size);
    for (const [j, d] of made.entries()) {
      const isLast = j === made.length - 1;
      const id = tensors.length;
      tensors.push({
        id,
        name: isLast ? `y${k}` : `y${k}/argument`,
        shape,
        scale: unit,
        range: d.range,
        ...(d.type ? { type: d.type } : {}),
        visibility: output && isLast ? 'public' : 'hidden',
        role: output && isLast ? 'output' : 'inner',
        span,
      });
      const definition = d.definition.kind === 'table' ? { ...d.definition, argument: id - 1 } : d.definition;
      equations.push({ target: id, indices, definition, span });
    }
  }
  return {
    name: 'random',
    tensors,
    tables: [squares, parities],
    equations,
    statement: tensors.filter((t) => t.role !== 'inner').map((t) => t.id),
  };
}

/** x^2 for -8 <= x < 8, and what is nearest beyond. */
const squares: Table = {
  name: 'squares',
  argument: { kind: 'fixed', bits: 6, frac: 0 },
  result: { kind: 'fixed', bits: 8, frac: 0 },
  first: -8n,
  values: Array.from({ length: 16 }, (_, i) => BigInt((i - 8) ** 2)),
  saturate: true,
  span,
};

/** x mod 2 and a sign, for every x of six bits. */
const parities: Table = {
  name: 'parities',
  argument: { kind: 'fixed', bits: 6, frac: 0 },
  result: { kind: 'fixed', bits: 3, frac: 0 },
  first: -32n,
  values: Array.from({ length: 64 }, (_, i) => BigInt(i < 32 ? -(i % 2) : i % 2)),
  saturate: false,
  span,
};

interface Made {
  readonly definition: Definition;
  readonly range: Range;
  readonly type?: TensorType;
}

/** What a sum of terms is made into: mostly one definition, two where a table needs its argument. */
function around(
  choice: number,
  p: Polynomial,
  range: Range,
  over: readonly IndexVar[],
  outputs: readonly IndexVar[],
): Made[] {
  const plain: Made = { definition: { kind: 'polynomial', polynomial: p }, range };
  const bits = Math.max(...[range.lo, range.hi].map((v) => (v < 0n ? -v - 1n : v).toString(2).length + 1));
  const fixed = (n: number): TensorType => ({ kind: 'fixed', bits: n, frac: 0 });
  const all = (n: number): Range => ({ lo: -(2n ** BigInt(n - 1)), hi: 2n ** BigInt(n - 1) - 1n });
  if (over.length > 0) {
    const guards: Compare[] =
      outputs.length > 0 ? [{ left: variable(outputs.length), op: '<=', right: variable(0) }] : [];
    if (choice === 4) return [{ definition: { kind: 'max', over, guards, of: p }, range }];
    const type: TensorType = { kind: 'index', size: over[0].size };
    return [
      {
        definition: { kind: 'argmax', over, guards, of: p },
        range: { lo: 0n, hi: BigInt(over[0].size - 1) },
        type,
      },
    ];
  }
  // What is wider would make tables of 2^16 entries for programs that are proved by the hundred.
  if (bits > 24) return [plain];
  const round = (form: 'P' | 'P/Q' | 'sqrt(P)', of: Polynomial, n: number, more: object = {}): Made => ({
    definition: { kind: 'round', form, p: of, frac: 0, ...more },
    range: all(n),
    type: fixed(n),
  });
  switch (choice) {
    case 0:
    case 1: {
      const s = Math.max(1, Math.min(10, bits - 8));
      return [round('P', { ...p, scale: { num: 1n, den: 2n ** BigInt(s) } }, Math.max(2, bits - s + 1))];
    }
    case 2:
      return [round('P', { ...p, scale: { num: 1n, den: 3n } }, bits)];
    case 3:
      return [
        {
          definition: {
            kind: 'round',
            form: 'P',
            p: { ...p, scale: { num: 1n, den: 2n } },
            frac: 0,
            clamp: { lo: -8n, hi: 7n },
          },
          range: { lo: -8n, hi: 7n },
          type: fixed(6),
        },
        { definition: { kind: 'table', table: 0, argument: 0 }, range: { lo: 0n, hi: 64n }, type: fixed(8) },
      ];
    case 6: {
      const [first] = p.terms;
      const square =
        first.reduced.length === 0
          ? [{ ...first, coefficient: 1n, factors: [...first.factors, ...first.factors] }]
          : [];
      const q = { terms: [{ coefficient: 3n, reduced: [], guards: [], factors: [] }, ...square], scale: unit };
      return [round('P/Q', p, bits, { q })];
    }
    case 8:
      if (bits > 6) return [plain];
      return [
        { ...round('P', p, 6), range },
        { definition: { kind: 'table', table: 1, argument: 0 }, range: { lo: -1n, hi: 1n }, type: fixed(3) },
      ];
    case 7:
      return range.lo < 0n ? [plain] : [round('sqrt(P)', p, bits)];
    default:
      return [plain];
  }
}

function input(id: number, shape: number[], x: Sketch['inputs'][number], sizes: readonly number[]): Tensor {
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
  if (x.kind === 0) {
    const size = sizes[x.bits % sizes.length];
    const range = { lo: 0n, hi: BigInt(size - 1) };
    return { ...common, range, type: { kind: 'index', size }, visibility: x.secret ? 'secret' : 'public' };
  }
  if (!x.secret) return { ...common, visibility: 'public' };
  if (x.kind === 1) return { ...common, visibility: 'secret' };
  const stacked = x.stacked && shape.length > 0 ? 1 : 0;
  const names = Array.from({ length: size(shape.slice(0, stacked)) }, (_, i) => `x${id}.${i}`);
  // A source is all open or all secret.
  const open = x.kind === 2;
  return {
    ...common,
    visibility: open ? 'open' : 'secret',
    file: { source: open ? 'base' : `s${x.source}`, names, stacked },
  };
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
  let chosen = false;
  const sizeOf = (v: number): number => (v < indices.length ? indices[v] : reduced[v - indices.length]).size;
  const work = (): number => size(indices.map((v) => v.size)) * size(reduced.map((v) => v.size));
  for (const f of sketch.factors) {
    const t = tensors[f.tensor % tensors.length];
    const before = { reduced: reduced.length, guards: guards.length };
    // An index is no number; it chooses entries of other tensors.
    if (t.type?.kind === 'index') continue;
    const fresh = (length: number): number => {
      reduced.push({ name: `k${reduced.length}`, size: length });
      return indices.length + reduced.length - 1;
    };
    const at = t.shape.map((length, j) => {
      const choosers = tensors.filter((x) => x.type?.kind === 'index' && x.type.size === length);
      // Each is a sum over all indices: one for a term.
      if (choosers.length > 0 && f.axes[j] % 3 === 0 && !chosen) {
        chosen = true;
        const chooser = choosers[f.axes[j] % choosers.length];
        const own = chooser.shape.map((n, axis) =>
          position(n, f.axes[j] + axis, indices.length + reduced.length, sizeOf, guards, () => fresh(n)),
        );
        return { kind: 'entry', tensor: chooser.id, at: own } as const;
      }
      return position(length, f.axes[j], indices.length + reduced.length, sizeOf, guards, () => fresh(length));
    });
    factors.push({ tensor: t.id, at });
    const range = termRange(tensors, { coefficient: BigInt(sketch.coefficient), reduced, guards, factors });
    if (work() <= MAX_WORK && (range.hi - range.lo).toString(2).length <= MAX_BITS) continue;
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
