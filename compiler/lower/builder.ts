/**
 * What the gadgets are built from: tensors that are committed with the proof, tensors that are defined by equations over
 * others, assertions about both, and how the prover finds the values. Where the values lie and at which level an equation
 * is proved is decided afterwards.
 *
 * An operation refuses what no gadget can mean: two equations or two hints for one tensor, an equation for what is given
 * or committed, a factor with too few indices. Whether everything is found is seen at the end (`ir/gadget/verify.ts`).
 *
 * @throws Error where a gadget does one of these: a mistake in the compiler
 */
import type { Span } from '../../grammar/span.ts';
import type { GadgetLookup, GadgetStep, GadgetTable } from '../ir/gadget/program.ts';
import type { Factor, Range, Table, Tensor, Term } from '../ir/tensor/program.ts';
import type { Draft, DraftClass, DraftEquation, DraftTensor, Without } from './draft.ts';
import { entry, nowhere, size, term } from './expressions.ts';
import { limbWidths, rangeLookups, type RangePlan, type RangeUse } from './gadgets/limbs.ts';
import { signedRange } from './gadgets/range.ts';
import { selectorOf } from './gadgets/selector.ts';
import { rangeOf } from './ranges.ts';
import { gatherOf } from './rewrite/gather.ts';
import type { OriginOf } from './rewrite/origins.ts';
import { committedType } from './sources.ts';
import { withInnerSum, withoutEntries } from './rewrite/sums.ts';
import { lowerTerm, type ViewMaker } from './rewrite/terms.ts';
import { viewMaker } from './views.ts';

/** What a quotient is divided by: a positive integer, or the entries of a tensor of its shape. */
export type Divisor = { readonly constant: bigint } | { readonly tensor: number };

/** How the prover finds a tensor: a step without its target. */
export type Hint =
  | { readonly kind: 'floor' | 'root'; readonly of: number; readonly by: Divisor }
  | Without<
      Extract<GadgetStep, { readonly kind: 'limb' | 'clamp' | 'isZero' | 'largest' | 'after' | 'select' }>,
      'target'
    >;

/** Bits `shift` to `shift + width - 1` of a number. */
export interface Limb {
  readonly shift: number;
  readonly width: number;
}

export interface Builder {
  readonly tensors: readonly DraftTensor[];
  readonly views: ViewMaker;
  /** A range that covers the sum of terms. */
  rangeOf(terms: readonly Term[]): Range;

  /** A tensor that an equation defines, or that only the prover's evaluation uses. */
  inner(name: string, shape: readonly number[], range: Range, span: Span): number;
  /** A tensor that is committed with the proof. Nothing is known of it but what lookups and equations say. */
  witness(name: string, shape: readonly number[], range: Range, span: Span, hint?: Hint): number;
  /** A tensor with the numbers of another and a class of its own. */
  copy(of: number, name: string, as: DraftClass): number;
  /** Commits a tensor that is there already. */
  commit(tensor: number): void;
  /** Gives a declared tensor the values that the program has for it. */
  constant(tensor: number, values: readonly bigint[]): void;
  /** [i, v] = 1 where entry i of the public index tensor is v: known to who knows that. */
  publicSelector(indices: number): number;
  /** The selector of an index tensor, [i, v] = 1 where its entry i is v: made when it is first asked for. */
  selector(indices: number): number;
  /** The entry that an entry of an index tensor is, of a tensor that only moves none itself. */
  readonly origin: OriginOf;
  /** A factor that reads rows of a source which a public index names, as an entry of the tensor of those rows; any other as it is. */
  gathered(f: Factor): Factor;
  /** States that a tensor is the selector of an index tensor. */
  selects(selector: number, indices: number): void;

  /** target = sum of terms, proved. */
  define(target: number, terms: readonly Term[]): void;
  /** target = sum of terms, proved, and found by that. */
  compute(target: number, terms: readonly Term[]): void;
  /** target = sum of terms, for the prover's evaluation alone. */
  evaluate(target: number, terms: readonly Term[]): void;
  /** How the prover finds the target. */
  hint(target: number, hint: Hint): void;

  /** States that the sum of terms over `shape` is 0 everywhere. */
  zero(name: string, shape: readonly number[], terms: readonly Term[], span: Span): void;
  /** States that every entry of `tensor` is 0 or 1. */
  boolean(tensor: number): void;
  /** States that every entry of `tensor`, plus `offset`, is 2^shift times a number in [0, 2^width), for a limb's width. */
  inRange(tensor: number, width: number, offset?: bigint, shift?: number): void;
  /** States that `value` is what the table has for `argument`, entry by entry; the prover finds it there. */
  lookup(value: number, argument: number, table: Table): void;
  /** The limbs of numbers of `bits` bits, lowest first, of which the highest is committed or not. */
  limbs(bits: number, shape: readonly number[], committed: boolean): readonly Limb[];

  /** What has been built. Its lists are frozen: nothing can be added afterwards. */
  finish(): Draft;
}

/** `classes`: of the declared tensors that are given or public; the others are defined, or committed later. */
export function createBuilder(
  declared: readonly Tensor[],
  classes: ReadonlyMap<number, DraftClass>,
  ranges: RangePlan,
  origin: OriginOf,
): Builder {
  const tensors = declared.map((t, id): DraftTensor => ({
    name: t.name,
    shape: t.shape,
    scale: t.scale,
    range: rangeAs(t, classes.get(id)),
    ...(t.type ? { type: t.type } : {}),
    ...(t.key === undefined ? {} : { key: t.key }),
    span: t.span,
    class: classes.get(id) ?? { kind: 'defined' },
  }));
  const names = new Set(tensors.map((t) => t.name));
  const equations: DraftEquation[] = [];
  const steps: GadgetStep[] = [];
  const lookups: GadgetLookup[] = [];
  const tables: GadgetTable[] = [];
  const zeros: number[] = [];
  const uses: RangeUse[] = [];
  const [defined, found] = [new Set<number>(), new Set<number>()];
  const [selectors, gathers, sums] = [new Map<number, number>(), new Map<string, number>(), new Map<string, number>()];
  const functions = new Map<Table, number>();

  const broken = (id: number, what: string): Error => new Error(`internal error: ${tensors[id].name} ${what}`);
  const append = (t: DraftTensor): number => tensors.push(t) - 1;
  const add = (name: string, t: Omit<DraftTensor, 'name' | 'scale'> & Partial<Pick<DraftTensor, 'scale'>>): number => {
    let unused = name;
    for (let n = 2; names.has(unused); n++) unused = `${name} ${n}`;
    names.add(unused);
    return append({ scale: { num: 1n, den: 1n }, ...t, name: unused });
  };
  /** Gives a class to a tensor that nothing is said of yet. */
  const settle = (id: number, c: DraftClass): void => {
    const t = tensors[id];
    if (t.class.kind !== 'defined' || defined.has(id)) throw broken(id, `is ${t.class.kind} already`);
    tensors[id] = { ...t, class: c };
  };
  const addStep = (target: number, step: GadgetStep): void => {
    if (found.has(target)) throw broken(target, 'is found twice');
    found.add(target);
    steps.push(step);
  };
  const addEquation = (equation: DraftEquation): number => {
    const { kind } = tensors[equation.target].class;
    if (defined.has(equation.target)) throw broken(equation.target, 'is defined twice');
    if (kind !== 'defined' && kind !== 'output') throw broken(equation.target, `is ${kind} and defined`);
    defined.add(equation.target);
    return equations.push(equation) - 1;
  };

  /** A term without entries of index tensors and without a sum inside a sum. */
  const bare = (t: Term, shape: readonly number[], span: Span): Term =>
    withInnerSum(withoutEntries(b, t, shape.length), shape, (inner, innerShape) => {
      const key = JSON.stringify([inner, innerShape], (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
      const known = sums.get(key);
      if (known !== undefined) return known;
      const target = b.inner(`sum ${sums.size}`, innerShape, b.rangeOf([inner]), span);
      sums.set(key, target);
      const terms = [lowerTerm(inner, innerShape, b.views)];
      addEquation({ target, terms, span });
      addStep(target, { kind: 'sum', target, terms });
      return target;
    });
  /**
   * What equations or a source say of an index is no index yet: its selector shows it, if it is read by more than another
   * tensor of indices, which has one.
   */
  const shown = (target: number, { tensor, at }: Factor): void => {
    if (declared[tensor]?.type?.kind !== 'index' || declared[target]?.type?.kind === 'index') return;
    const of = b.origin(tensor, at).tensor;
    const { kind } = tensors[of].class;
    if (kind === 'committed' || kind === 'gathered' || kind === 'defined') b.selector(of);
  };
  const lowered = (target: number, terms: readonly Term[]): DraftEquation => {
    const { shape, span } = tensors[target];
    for (const f of terms.flatMap((t) => t.factors)) shown(target, f);
    for (const f of terms.flatMap((t) => t.factors))
      if (f.at.length !== tensors[f.tensor].shape.length) throw broken(f.tensor, `is read by ${f.at.length} indices`);
    return { target, terms: terms.map((t) => lowerTerm(bare(t, shape, span), shape, b.views)), span };
  };
  const multiplicities = (name: string, entries: number): number =>
    b.witness(`multiplicities of ${name}`, [entries], { lo: 0n, hi: 2n ** 31n - 1n }, nowhere);
  const rangeTable = (bits: number): number => {
    const known = tables.findIndex((t) => t.kind === 'range' && t.bits === bits);
    if (known >= 0) return known;
    return tables.push({ kind: 'range', bits, multiplicities: multiplicities(`range ${bits}`, 2 ** bits) }) - 1;
  };
  const functionTable = (of: Table): number => {
    const { name, values } = of;
    const known =
      functions.get(of) ??
      tables.push({ kind: 'function', name, values, multiplicities: multiplicities(name, values.length) }) - 1;
    functions.set(of, known);
    return known;
  };

  const b: Builder = {
    tensors,
    views: viewMaker(tensors, append),
    rangeOf: (terms) => rangeOf(tensors, terms),

    inner: (name, shape, range, span) => add(name, { shape, range, span, class: { kind: 'defined' } }),
    witness(name, shape, range, span, hint) {
      const id = add(name, { shape, range, span, class: { kind: 'witness' } });
      if (hint) b.hint(id, hint);
      return id;
    },
    copy(of, name, as) {
      const { key: _, ...t } = tensors[of];
      return add(name, { ...t, class: as });
    },
    commit: (id) => settle(id, { kind: 'witness' }),
    constant: (id, values) => settle(id, { kind: 'constant', values }),
    publicSelector(of) {
      const { name, shape, type, span } = tensors[of];
      if (type?.kind !== 'index') throw broken(of, 'is no index tensor');
      const range = { lo: 0n, hi: 1n };
      return add(`selector of ${name}`, {
        shape: [...shape, type.size],
        range,
        span,
        class: { kind: 'selector', of },
      });
    },
    origin: (tensor, at) => b.gathered(origin(tensor, at)),
    gathered(f) {
      const gather = gatherOf(declared, f);
      if (!gather) return f;
      const { indices, at } = gather;
      const key = `${f.tensor} ${indices}`;
      const make = (): number => {
        const { key: _, ...of } = tensors[f.tensor];
        const shape = [...tensors[indices].shape, ...of.shape.slice(1)];
        return add(`${of.name} at ${tensors[indices].name}`, {
          ...of,
          shape,
          class: { kind: 'gathered', of: f.tensor, indices },
        });
      };
      const tensor = gathers.get(key) ?? make();
      gathers.set(key, tensor);
      return { tensor, at };
    },
    selector(of) {
      const known = selectors.get(of) ?? selectorOf(b, declared.at(of) ?? hiddenTensor(tensors[of], of));
      selectors.set(of, known);
      return known;
    },
    selects: (selector, of) => void selectors.set(of, selector),

    define: (target, terms) => void addEquation(lowered(target, terms)),
    compute(target, terms) {
      const equation = addEquation(lowered(target, terms));
      addStep(target, { kind: 'equation', equation });
    },
    evaluate: (target, terms) => addStep(target, { kind: 'sum', target, terms: lowered(target, terms).terms }),
    hint(target, hint) {
      if (!('by' in hint)) return addStep(target, { ...hint, target });
      const by = 'constant' in hint.by ? hint.by.constant : hint.by.tensor;
      addStep(target, { ...hint, target, by });
    },

    zero(name, shape, terms, span) {
      const id = b.inner(name, shape, { lo: 0n, hi: 0n }, span);
      b.define(id, terms);
      zeros.push(id);
    },
    boolean(id) {
      const { name, shape, span } = tensors[id];
      const own = entry(id, shape.length);
      b.zero(`${name} is 0 or 1`, shape, [term(1n, own, own), term(-1n, own)], span);
    },
    inRange(tensor, width, offset = 0n, shift = 0) {
      for (const l of rangeLookups(ranges, width))
        lookups.push({ tensor, table: rangeTable(l.table), offset: offset + l.offset * 2n ** BigInt(shift), shift });
    },
    lookup(value, argument, of) {
      const table = functionTable(of);
      addStep(value, { kind: 'table', target: value, of: argument, table, offset: -of.first });
      lookups.push({ tensor: argument, table, offset: -of.first, shift: 0, value });
    },
    limbs(bits, shape, committed) {
      uses.push({ bits, entries: size(shape), committed });
      let at = 0;
      return limbWidths(ranges, bits).map((width) => ({ shift: (at += width) - width, width }));
    },

    finish() {
      const draft = { tensors, equations, tables, lookups, zeros, steps, uses };
      for (const list of Object.values(draft)) Object.freeze(list);
      return draft;
    },
  };
  return b;
}

/** As the tensor program would have declared it. */
const hiddenTensor = (t: DraftTensor, id: number): Tensor => ({ ...t, id, visibility: 'hidden', role: 'inner' });

/** What is committed to as indices is known to be numbers of as many bits. */
function rangeAs({ type, range }: Tensor, c: DraftClass | undefined): Range {
  return type?.kind === 'index' && c?.kind === 'committed' ? signedRange(committedType(type).bits) : range;
}
