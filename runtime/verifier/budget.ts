/**
 * What a bundle asks of a verifier, before any of it is done: everything is counted, and each count has a price in time and
 * memory. A bundle of a few kilobytes can be well-formed and ask for minutes; what is beyond the limit is refused.
 *
 * The planner runs the protocol without values and without the weights of openings, and a meter counts. What it costs
 * itself is counted, too, and ends it beyond the limit: what is needed is then "more than" what was counted.
 */
import type {
  CommittedSource,
  GadgetProgram,
  GadgetTensor,
  GadgetTensorClass,
} from '../../compiler/ir/gadget/program.ts';
import { foldIndex } from '../../compiler/ir/indices/expression.ts';
import { sidesOf } from '../../compiler/ir/indices/guards.ts';
import type { IndexExpr, Range } from '../../compiler/ir/tensor/program.ts';
import { bodySize, type Argument } from '../protocol/argument.ts';
import type { Meter, OpeningSize } from '../protocol/context.ts';
import { ownMatrices } from '../protocol/commitment/layout.ts';
import { axisPieces } from '../protocol/lookup/tensor-lookups.ts';
import { planProgram, type ProgramRole } from '../protocol/program.ts';
import { rangeBits } from '../integers/arrays.ts';
import { planRange, planRangeArgument, rangeColumns, rangeLookups } from '../protocol/commitment/range-proof.ts';
import { bitsFor } from '../protocol/scalar.ts';
import { viewGroups } from '../protocol/statement/views.ts';
import { BudgetError, defaultLimit, type Budget } from './limit.ts';

/** Nanoseconds and bytes of each thing that is counted, as measured on a machine of 2026 (`test/bench/verifier.ts`). */
const unit = {
  /** Points are decoded, which takes a square root each and checks of the subgroup, and multiplied. */
  decoded: { ns: 25_000, bytes: 400 },
  inSubgroup: { ns: 55_000, bytes: 0 },
  multiplied: { ns: 20_000, bytes: 100 },
  message: { ns: 80_000, bytes: 400 },
  pad: { ns: 600, bytes: 4 },
  summand: { ns: 50_000, bytes: 1500 },
  factor: { ns: 50_000, bytes: 1500 },
  opening: { ns: 40_000, bytes: 1500 },
  row: { ns: 2200, bytes: 170 },
  /** Of a column digit that ends early. */
  limited: { ns: 1500, bytes: 0 },
  section: { ns: 150_000, bytes: 1000 },
  /** A generator that is hashed to the curve. */
  generator: { ns: 5_000_000, bytes: 400 },
  /** An entry that is read from a file or made, and put on the device. */
  entry: { ns: 15, bytes: 12 },
  /** One of 33 to 64 bits, and one of more, which is a bigint. */
  long: { ns: 60, bytes: 24 },
  wide: { ns: 6000, bytes: 150 },
  /** An entry of a tensor that is evaluated, for each time it is. */
  evaluated: { ns: 12, bytes: 0 },
  /** A field element on the device. */
  element: { ns: 90, bytes: 32 },
  /** Each axis after the fourth of what is evaluated (the others are in the price of a message): calls of the device, however short it is. */
  axis: { ns: 100_000, bytes: 500 },
  /** An index expression's part, at one entry. */
  index: { ns: 12, bytes: 0 },
  /** Positions of a view, and what it takes to make them. */
  position: { ns: 15, bytes: 28 },
} as const;

/**
 * Generators that are not counted. The command line keeps as many on disk (they are the same for all programs), so that they are hashed
 * once per machine: counting them would put honest models of 8192 columns beyond the default limit.
 */
const KEPT_GENERATORS = 8193;

/** Points of a list that are checked by themselves, at most: more are checked in as many sums, whose additions are in the price of decoding. */
const SUBGROUP_CHECKS = 220;

/** Parts that a remainder counts as if what is divided is beyond 32 bits: processors have no instruction for that. */
const LONG_REMAINDER = 20;

type Unit = keyof typeof unit;
type View = Extract<GadgetTensorClass, { readonly kind: 'view' }>;

/** What a program's proofs ask of a verifier: commitments, their range proofs, and a proof. */
export interface Estimate extends Budget {
  readonly argument: Argument;
}

/**
 * Plans a program and prices it.
 * @throws BudgetError if it takes more than `limit`
 */
export async function planWithin(program: GadgetProgram, limit: Budget = defaultLimit): Promise<Estimate> {
  const counter = new Counter(limit);
  countStatic(counter, program);
  try {
    for (const s of program.sources) if (!s.open) await countRange(counter, s);
    const argument = await planProgram(program, { meter: counter, role: evaluations(counter, program) });
    countArgument(counter, argument);
    counter.check();
    return { argument, ...counter.total };
  } catch (e) {
    // A cap of the protocol: the program would take far more than was counted until then.
    if (e instanceof RangeError)
      throw new BudgetError(counter.total, limit, true, `asks for more than can be verified: ${e.message}`);
    throw e;
  }
}

class Counter implements Meter {
  readonly #limit: Budget;
  #ns = 0;
  #bytes = 0;
  /** Of what the planner does itself. */
  #planned = 0;
  #generators = KEPT_GENERATORS;

  constructor(limit: Budget) {
    this.#limit = limit;
  }

  get total(): Budget {
    return { milliseconds: this.#ns / 1e6, bytes: this.#bytes };
  }

  add(what: Unit, count: number): void {
    this.#ns += unit[what].ns * count;
    this.#bytes += unit[what].bytes * count;
  }

  /** Points that are read together. */
  decoded(count: number): void {
    this.add('decoded', count);
    this.add('inSubgroup', Math.min(count, SUBGROUP_CHECKS));
  }

  /** Of rows of so many columns, and of blindings. All arguments share them. */
  generators(columns: number): void {
    this.add('generator', Math.max(0, columns + 1 - this.#generators));
    this.#generators = Math.max(this.#generators, columns + 1);
  }

  message(): void {
    this.#plan('message', 1);
  }

  pads(count: number): void {
    this.#plan('pad', count);
  }

  summands(count: number, factors: number): void {
    this.#plan('summand', count);
    this.#plan('factor', factors);
  }

  open({ openings, rows, limited }: OpeningSize): void {
    this.add('opening', openings);
    this.add('row', rows);
    this.add('limited', limited);
  }

  sections(count: number): void {
    this.#plan('section', count);
  }

  /** When all is counted. @throws BudgetError */
  check(): void {
    const { milliseconds, bytes } = this.#limit;
    if (this.#ns / 1e6 > milliseconds || this.#bytes > bytes) throw new BudgetError(this.total, this.#limit, false);
  }

  #plan(what: Unit, count: number): void {
    this.add(what, count);
    this.#planned += unit[what].ns * count;
    if (this.#planned / 1e6 > this.#limit.milliseconds) throw new BudgetError(this.total, this.#limit, true);
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);
const padded = (shape: readonly number[]): number => shape.reduce((n, d) => n * 2 ** bitsFor(d), 1);

/** What an entry of a range is priced as. */
function entryUnit(range: Range): 'entry' | 'long' | 'wide' {
  const bits = rangeBits(range);
  return bits <= 32 ? 'entry' : bits <= 64 ? 'long' : 'wide';
}

/** What follows from sizes alone, and would be too much to plan with. */
function countStatic(counter: Counter, program: GadgetProgram): void {
  counter.generators(program.columns);
  for (const s of program.sources) {
    if (!s.open) counter.generators(rangeColumns(s));
    counter.decoded(s.rows);
    counter.add('multiplied', s.rows);
  }
  const own = ownMatrices(program).reduce((n, m) => n + m.rows, 0);
  counter.decoded(own);
  counter.add('multiplied', own + program.columns);
  for (const id of program.publics) {
    const { range, shape } = program.tensors[id];
    counter.add(entryUnit(range), sizeOf(shape));
  }
  const sections = program.lookups.reduce(
    (n, l) => n + program.tensors[l.tensor].shape.reduce((m, d) => m * axisPieces(d).length, 1),
    0,
  );
  counter.sections(sections + program.tables.length);
}

/** The range proof of a commitment: its own argument. */
async function countRange(counter: Counter, source: CommittedSource): Promise<void> {
  // What there is to plan is counted first.
  counter.sections(rangeLookups(source));
  const plan = planRange(source);
  counter.sections(plan.lookups.tables.length);
  const rows = plan.matrices.slice(1).reduce((n, m) => n + m.rows, 0);
  counter.decoded(rows);
  counter.add('multiplied', rows);
  const argument = await planRangeArgument(source, plan, counter);
  counter.add('multiplied', source.rows);
  countArgument(counter, argument);
}

/** The opening argument and the file: pads' rows, folds, the response. */
function countArgument(counter: Counter, argument: Argument): void {
  const { opening, columns, folds } = argument;
  counter.generators(columns);
  const points = opening.plainRows + 3 * opening.tripleRows + 5 + 2 * folds;
  counter.decoded(points);
  counter.add('multiplied', points + columns);
  // Weights of columns and rows of pads, and of generators.
  counter.add('row', 3 * columns + argument.pads.plain + 3 * argument.pads.triples);
  counter.add('entry', bodySize(argument) / 32);
}

/** A verifier's role that evaluates nothing and counts what it would. */
function evaluations(counter: Counter, program: GadgetProgram): ProgramRole {
  const made = new Set<number>();
  const once = (id: number, make: (t: GadgetTensor) => void): void => {
    if (made.has(id)) return;
    made.add(id);
    make(program.tensors[id]);
  };
  const tensor = (id: number): void =>
    once(id, ({ class: c, shape, range }) => {
      counter.add(entryUnit(range), sizeOf(shape));
      if (c.kind === 'constant') counter.add('index', sizeOf(shape) * guardNodes(c.guards ?? [], shape));
      if (c.kind !== 'view' && c.kind !== 'digits') return;
      counter.add('position', sizeOf(shape));
      if (c.kind === 'view') counter.add('index', sizeOf(shape) * (nodes(c.at, shape) + guardNodes(c.guards, shape)));
      counter.add(rangeBits(program.tensors[c.of].range) > 32 ? 'element' : 'entry', sizeOf(shape));
      tensor(c.of);
    });
  return {
    indices: () => {
      throw new Error('internal error: a metered planner makes no openings');
    },
    evaluate(id) {
      const { class: c, shape, range } = program.tensors[id];
      if (c.kind === 'selector') {
        const own = shape.slice(0, -1);
        counter.add('element', 2 * sizeOf(own) + padded(own) + padded(shape.slice(-1)));
        counter.add('position', 2 * sizeOf(own));
        return undefined;
      }
      tensor(id);
      const longest = Math.max(1, ...shape.map((n) => (n < 256 ? n : 2 ** (bitsFor(n) >> 1))));
      counter.add(rangeBits(range) > 64 ? 'element' : 'evaluated', sizeOf(shape));
      counter.add('element', (2 * sizeOf(shape)) / longest + shape.reduce((n, d) => n + Math.min(d, longest), 0));
      counter.add('message', 1);
      counter.add('axis', Math.max(0, shape.length - 4));
      return undefined;
    },
    evaluateView(view) {
      const { class: c, shape } = program.tensors[view];
      if (c.kind !== 'view') return undefined;
      const of = program.tensors[c.of].shape;
      for (const g of viewGroups(shape, of, c.at, c.guards)) {
        const own = g.axes.map((j) => shape[j]);
        const viewed = g.of.map((j) => of[j]);
        if (!made.has(view)) {
          counter.add('position', sizeOf(own));
          counter.add(
            'index',
            sizeOf(own) *
              (nodes(
                g.of.map((j) => c.at[j]),
                shape,
              ) +
                guardNodes(g.guards, shape)),
          );
        }
        // Both tables of eq, cut to their shapes, and the entries that are viewed.
        counter.add('element', sizeOf(viewed) + padded(viewed) + 2 * sizeOf(own) + padded(own));
        counter.add('message', 1);
        counter.add('axis', Math.max(0, own.length + viewed.length - 8));
      }
      made.add(view);
      return undefined;
    },
    evaluateTable(table) {
      const t = program.tables[table];
      const entries = t.kind === 'function' ? t.values.length : 0;
      counter.add('entry', entries);
      counter.add('evaluated', entries);
      counter.add('element', 4 * Math.sqrt(entries));
      return undefined;
    },
  };
}

/** Parts of index expressions over a shape. */
const nodes = (list: View['at'], shape: readonly number[]): number =>
  list.reduce((n, e) => n + partsOf(e, shape).parts, 0);

/** Readers of bundles bound how deep they are nested. */
const partsOf = (e: IndexExpr, shape: readonly number[]): Parts =>
  foldIndex<Parts>(e, {
    constant: (value) => ({ parts: 1, most: Math.abs(value) }),
    variable: (id) => ({ parts: 1, most: shape[id] }),
    add: (left, right) => ({ parts: left.parts + right.parts + 1, most: left.most + right.most }),
    sub: (left, right) => ({ parts: left.parts + right.parts + 1, most: left.most + right.most }),
    mul: (left, right) => ({ parts: left.parts + right.parts + 1, most: left.most * right.most }),
    div: (left) => ({ parts: left.parts + 1, most: left.most }),
    mod: (left, by) => ({ parts: left.parts + (left.most < 2 ** 31 ? 1 : LONG_REMAINDER), most: by }),
    entry: () => ({ parts: 1, most: Infinity }),
  });

interface Parts {
  readonly parts: number;
  /** A bound on the absolute value. */
  readonly most: number;
}

const guardNodes = (guards: View['guards'], shape: readonly number[]): number => nodes(sidesOf(guards), shape);
