/** Tables of derivatives: f' at the arguments that a table of f has, each value correctly rounded. */
import type { Span } from '../../../grammar/span.ts';
import type { RealExpression, Table } from '../../ir/tensor/program.ts';
import { multiply, powerOfTwo, rational } from '../../ir/numbers/rational.ts';
import { NotReal, roundReal } from '../../ir/numbers/real.ts';
import type { Session } from '../context.ts';
import { tabulator } from '../numbers/tabulate.ts';
import { differentiate, realAt } from './functions.ts';

/** Bits of a derivative's values; as many of them are fraction bits as its largest value leaves. */
const BITS = 16;
/** Fraction bits at most. */
const MAX_FRACTION = 30;
/** Arguments that are looked at before all. */
const SAMPLES = 64;

/** Which ends of a table's domain stand for arguments that were cut off there: the derivative at these is 0. */
export interface CutOff {
  readonly lo: boolean;
  readonly hi: boolean;
}

/** Whether f' = f wherever f is not cut off, so that its values serve as those of its derivative. */
export function isOwnDerivative(table: Table, cutOff: CutOff): boolean {
  const { of, values } = table;
  if (of?.kind !== 'apply' || of.function !== 'exp' || of.of.kind !== 'argument') return false;
  return (!cutOff.lo || values[0] === 0n) && (!cutOff.hi || values[values.length - 1] === 0n);
}

/**
 * The position of a table of f' among the program's, made where there is none yet; undefined where f is no expression that
 * can be differentiated. Where f' is no number (at the corner of a ReLU) it is 0, as in PyTorch.
 */
export function derivativeTable(session: Session, id: number, cutOff: CutOff, span: Span): number | undefined {
  const table = session.tables[id];
  const derivative = table.of && differentiate(table.of);
  if (derivative === undefined) return undefined;
  const ends = `${cutOff.lo ? '(' : '['}${cutOff.hi ? ')' : ']'}`;
  const name = `${table.name}'${ends === '[]' ? '' : ` ${ends}`}`;
  const same = session.tables.findIndex(
    (t) => t.name === name && t.of !== undefined && madeOf.get(t.values) === table.values,
  );
  if (same >= 0) return same;
  const known = remembered.get(table.values)?.get(ends);
  const { values, frac } = known ?? tabulate(table, derivative, cutOff);
  const byEnds = remembered.get(table.values) ?? new Map<string, Tabulated>();
  remembered.set(table.values, byEnds.set(ends, { values, frac }));
  madeOf.set(values, table.values);
  const result = { kind: 'fixed', bits: BITS, frac } as const;
  const { argument, first } = table;
  session.tables.push({ name, argument, result, first, values, saturate: false, of: derivative, span });
  return session.tables.length - 1;
}

interface Tabulated {
  readonly values: readonly bigint[];
  readonly frac: number;
}

/** Tables of derivatives made before, in any program: by the values of the function's, and which ends are cut off. */
const remembered = new WeakMap<readonly bigint[], Map<string, Tabulated>>();
/** Of which values a derivative is. */
const madeOf = new WeakMap<readonly bigint[], readonly bigint[]>();

function tabulate(table: Table, derivative: RealExpression, cutOff: CutOff): Tabulated {
  const argument = table.argument.kind === 'index' ? 0 : table.argument.frac;
  const count = table.values.length;
  const limit = 1n << BigInt(BITS - 1);
  const fits = (values: readonly bigint[]): boolean => values.every((v) => v >= -limit && v < limit);
  const at = (frac: number, places: readonly number[]): bigint[] => {
    const { slowly } = tabulator(derivative, argument, frac);
    return places.map((k) => {
      const x = table.first + BigInt(k);
      return slowly(x) ?? exactly(derivative, x, argument, frac);
    });
  };
  const all = (frac: number): bigint[] => {
    const doubles = new Float64Array(count).fill(NaN);
    tabulator(derivative, argument, frac).quickly(table.first, doubles);
    const rest = at(
      frac,
      [...doubles.keys()].filter((k) => Number.isNaN(doubles[k])),
    );
    let next = 0;
    const values = Array.from(doubles, (y) => (Number.isNaN(y) ? rest[next++] : BigInt(y)));
    if (cutOff.lo) values[0] = 0n;
    if (cutOff.hi) values[count - 1] = 0n;
    return values;
  };
  // Samples say how many fraction bits there is room for, and all values whether there is.
  const samples = Array.from({ length: Math.min(count, SAMPLES) }, (_, k) =>
    Math.floor((k * count) / Math.min(count, SAMPLES)),
  );
  let frac = MAX_FRACTION;
  while (!fits(at(frac, samples))) frac--;
  let values = all(frac);
  while (!fits(values)) values = all(--frac);
  return { values, frac };
}

function exactly(f: RealExpression, x: bigint, argument: number, frac: number): bigint {
  try {
    return roundReal(realAt(f, multiply(rational(x), powerOfTwo(-argument))), frac);
  } catch (error) {
    if (!(error instanceof NotReal)) throw error;
    return 0n;
  }
}
