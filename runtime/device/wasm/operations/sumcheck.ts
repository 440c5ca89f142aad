/**
 * Operations of the WASM device on expressions and tables: maps, sumcheck rounds, folds.
 */
import type { SumcheckPoint } from '../../../kernels/expression.ts';
import { ARGUMENTS, TABLE_WORDS, type TableKind } from '../../../kernels/wasm/vectors/tables.ts';
import { FR_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import { Fr, toFr } from '../../../field/spec.ts';
import type { Device, FrVector, IntVector, Kernel, AnyTable } from '../../device.ts';
import {
  add,
  constant,
  linearSum,
  mul,
  print,
  products,
  sub,
  table,
  tableCount,
  tableFactors,
  vanishesAtZero,
  type Expression,
} from '../../../kernels/expression.ts';
import * as check from '../../shapes.ts';
import type { Context } from '../context.ts';
import { significantBits } from './contract.ts';
import { addressOf, entryBytes, WasmVector, type WasmIntVector } from '../vectors.ts';

/** Entries of integer tables that a map takes at a time. */
const STRETCH = 2 ** 16;

/** Entries of integer tables that are kept as field elements, too, once a sumcheck has asked for them: longer ones take much more than they are. */
export const KEPT_LIFTED = 2 ** 18;

/** Nanoseconds on one thread for a product, and for one that is only added up. */
const COST = { product: 25, wide: 10 } as const;

/** @param newFr makes a vector that the innermost scope owns. */
export function sumcheckOperations(
  ctx: Context,
  newFr: (length: number) => WasmVector<'fr'>,
): Pick<Device, 'prepare' | 'map' | 'space' | 'round' | 'fold'> {
  const mapTables = (
    expression: Expression,
    tables: readonly TableAddress[],
    constants: readonly bigint[],
    target: number,
    count: number,
  ): void => {
    const given = linearSum(expression) ? constants.flatMap((x) => ctx.core.fr.multiples(x)) : constants;
    withArguments(ctx, expression, tables, given, { target }, (args) => {
      const kinds = tables.map(kindOf);
      const key = `map ${print(expression)}${suffix(kinds)}`;
      ctx.launchModule(key, () => ctx.core.map(expression, kinds), count, work(expression) * COST.product, [args]);
    });
  };

  return {
    prepare: (expression) => ({ expression }),

    map({ expression }, tables, constants, length, into) {
      check.checkArguments(expression, tables.length, constants.length);
      check.checkIndexed(tables);
      check.checkInto(into, length);
      const out = into ?? newFr(length);
      const used = tables.slice(0, tableCount(expression));
      // Integers become elements a stretch at a time: as a whole they would take many times their own memory.
      const step = used.some((t) => t.kind === 'int') ? STRETCH : length;
      for (let start = 0; start < length; start += step) {
        const count = Math.min(step, length - start);
        const parts = used.map((t) => stretch(t, start, count));
        const target = addressOf(out) + start * FR_SIZE;
        withElements(ctx, parts, (elements) => mapTables(expression, elements, constants, target, count));
      }
      return out;
    },

    space: newFr,

    async round(kernel, tables, constants, variables, points, weights) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      check.checkArguments(kernel.expression, tables.length, constants.length);
      const used = tables.slice(0, tableCount(kernel.expression));
      const integers = integersOf(ctx, kernel.expression, used, points);
      const parts = used.map((t) =>
        integers.has(t) ? integerTable(t) : (elementsOf(ctx, t) ?? stretch(t, 0, t.length)),
      );
      return withElements(ctx, parts, (elements) =>
        round(ctx, kernel, elements, constants, variables, points, weights),
      );
    },

    fold(tables, variables, x) {
      check.checkTables(tables, variables);
      check.checkIndexed(tables);
      const half = 2 ** (variables - 1);
      const unit = 2n ** BigInt(ctx.core.fr.w);
      const given = [...ctx.core.fr.multiples(x), Fr.mul(x, unit), unit];
      return ctx.withFr(given, (at) =>
        tables.map((t) => {
          const out = newFr(Math.min(half, t.length));
          if (t.kind === 'indexed') {
            const ends = [stretch(t, 0, out.length), stretch(t, half, out.length)];
            mapTables(foldExpression, ends, [x], out.address, out.length);
            return out;
          }
          if (t.kind === 'int' && magnitude(ctx, t) <= FOLDED) {
            const args = [addressOf(t), t.bytes, t.length, half, at + ctx.core.fr.n * FR_SIZE];
            ctx.launch('foldIntegers', out.length, COST.product, out.address, args);
            return out;
          }
          const elements = elementsOf(ctx, t);
          if (elements !== undefined)
            ctx.launch('fold', out.length, COST.product, out.address, [elements.address, elements.length, half, at]);
          else
            for (let start = 0; start < out.length; start += STRETCH) {
              const count = Math.min(STRETCH, out.length - start);
              const ends = [stretch(t, start, count), stretch(t, half + start, count)];
              const target = out.address + start * FR_SIZE;
              withElements(ctx, ends, (own) => mapTables(foldExpression, own, [x], target, count));
            }
          return out;
        }),
      );
    },
  };
}

/** lo + x (hi - lo) over the tables lo, hi. */
const foldExpression = add(table(0), mul(constant(0), sub(table(1), table(0))));

/** Where a table's entries are, or their positions among those at `entries`. */
interface TableAddress {
  readonly address: number;
  readonly length: number;
  readonly entries?: number;
  readonly split?: boolean;
  /** Of integers that a kernel reads as they are. */
  readonly integers?: 2 | 4 | 8;
}

const kindOf = ({ entries, split, integers }: TableAddress): TableKind => {
  if (integers !== undefined) return INTEGER_KINDS[integers];
  return entries === undefined ? 'fr' : split === true ? 'split' : 'indexed';
};

const INTEGER_KINDS = { 2: 'int16', 4: 'int32', 8: 'int64' } as const;

/** Products of integers that a round takes as they are, and integers that a fold takes. */
const [MULTIPLIED, FOLDED] = [2 ** 50, 2 ** 49];

/** What no entry's magnitude exceeds. */
const magnitude = (ctx: Context, t: IntVector): number =>
  2 ** (significantBits(ctx, t as unknown as WasmIntVector) - 1);

/** The integer tables that a round over a product of tables takes as they are: as many as keep the product of their entries small at all points. */
function integersOf(
  ctx: Context,
  expression: Expression,
  tables: readonly AnyTable[],
  points: readonly SumcheckPoint[],
): ReadonlySet<AnyTable> {
  const out = new Set<AnyTable>();
  const factors = tableFactors(expression);
  if (factors === undefined) return out;
  const growth = Math.max(...points.map((x) => (x === 'inf' ? 2 : Math.abs(x) + Math.abs(1 - x))));
  const sizes = [...new Set(factors.map((k) => tables[k]))].flatMap((t) =>
    t.kind === 'int' ? [{ t, size: growth * magnitude(ctx, t) }] : [],
  );
  let product = 1;
  for (const { t, size } of sizes.sort((a, b) => a.size - b.size)) {
    product *= size ** factors.filter((k) => tables[k] === t).length;
    if (product > MULTIPLIED) break;
    out.add(t);
  }
  return out;
}

function integerTable(t: AnyTable): TableAddress {
  if (t.kind !== 'int') throw new Error('internal error: no table of integers');
  return { address: addressOf(t), length: t.length, integers: t.bytes };
}

/** For the keys of kernels: nothing where all tables hold elements. */
const suffix = (kinds: readonly TableKind[]): string =>
  kinds.every((kind) => kind === 'fr') ? '' : ` of ${kinds.join(' ')}`;

/** Entries `start`, ..., `start + count - 1` of a table, as far as it has them. */
function stretch(t: AnyTable, start: number, count: number): TableAddress & { readonly bytes?: 2 | 4 | 8 } {
  const at = Math.min(start, t.length);
  const length = Math.min(count, t.length - at);
  if (t.kind === 'indexed')
    return { address: addressOf(t.index) + 4 * at, length, entries: addressOf(t.entries), split: t.split };
  const address = addressOf(t) + at * entryBytes(t);
  return t.kind === 'fr' ? { address, length } : { address, length, bytes: t.bytes };
}

/** Stretches with integers among them as field elements, for the time of `body`. */
function withElements<T>(
  ctx: Context,
  parts: readonly (TableAddress & { readonly bytes?: 2 | 4 | 8 })[],
  body: (elements: TableAddress[]) => T,
): T {
  const lifted: number[] = [];
  try {
    return body(
      parts.map(({ bytes, ...own }) => {
        if (bytes === undefined) return own;
        const { address, length } = own;
        const target = ctx.heap.allocate(length * FR_SIZE);
        lifted.push(target);
        ctx.launch('lift', length, COST.product, target, [address, bytes]);
        return { address: target, length };
      }),
    );
  } finally {
    for (const target of lifted) ctx.heap.free(target);
  }
}

/** A table as field elements: those of a few integers are made once, and live as long as the integers; of many there are none. */
function elementsOf(ctx: Context, t: AnyTable): TableAddress | undefined {
  const { length } = t;
  if (t.kind !== 'int') return stretch(t, 0, length);
  if (length > KEPT_LIFTED) return undefined;
  const v = t as unknown as WasmIntVector;
  v.lifted ??= liftWhole(ctx, v);
  return { address: v.lifted.address, length };
}

function liftWhole(ctx: Context, v: WasmIntVector): WasmVector<'fr'> {
  const out = new WasmVector('fr', v.length, ctx.heap.allocate(v.length * FR_SIZE), ctx.heap);
  ctx.launch('lift', v.length, COST.product, out.address, [v.address, v.bytes]);
  return out;
}

/** What evaluating an expression costs, in products. */
const work = (e: Expression): number => Math.max(1, products(e));

/** Lays out the argument block of a program kernel. */
function withArguments<T>(
  ctx: Context,
  expression: Expression,
  tables: readonly TableAddress[],
  constants: readonly bigint[],
  words: Partial<Record<Exclude<keyof typeof ARGUMENTS, 'tables'>, number>>,
  body: (args: number) => T,
): T {
  return ctx.withFr(constants, (at) =>
    ctx.temporary(4 * (ARGUMENTS.tables + TABLE_WORDS * tables.length), (args) => {
      const i32 = ctx.views.i32;
      const named = { ...words, constants: at, one: ctx.core.one };
      for (const [name, value] of Object.entries(named))
        i32[args / 4 + ARGUMENTS[name as keyof typeof ARGUMENTS]] = value;
      for (let t = 0; t < tableCount(expression); t++)
        i32.set(
          [tables[t].address, tables[t].length, tables[t].entries ?? 0],
          args / 4 + ARGUMENTS.tables + TABLE_WORDS * t,
        );
      return body(args);
    }),
  );
}

function round(
  ctx: Context,
  { expression }: Kernel,
  tables: readonly TableAddress[],
  constants: readonly bigint[],
  variables: number,
  points: readonly SumcheckPoint[],
  weights: { readonly outer?: FrVector; readonly inner?: FrVector; readonly innerBits: number } | undefined,
): bigint[] {
  const half = 2 ** (variables - 1);
  let { outer, inner } = weights ?? {};
  let innerBits = weights?.innerBits ?? 0;
  if (inner === undefined && (outer === undefined || innerBits === 0))
    // One weight for each position, or none: a single block.
    [outer, inner, innerBits] = [undefined, outer, variables - 1];
  const longest = Math.max(0, ...tables.slice(0, tableCount(expression)).map((t) => Math.min(half, t.length)));
  const within = outer === undefined ? half : Math.min(half, outer.length * 2 ** innerBits);
  const total = vanishesAtZero(expression) ? Math.min(longest, within) : within;
  const words = {
    half,
    outer: outer === undefined ? 0 : addressOf(outer),
    outerLength: outer?.length ?? 0,
    inner: inner === undefined ? 0 : addressOf(inner),
    innerLength: inner?.length ?? 0,
    innerBits,
  };
  const stride = 2 * FR_SIZE * points.length;
  return withArguments(ctx, expression, tables, constants, words, (args) =>
    ctx.temporary(stride * ctx.pool.threads, (target) => {
      const kinds = tables.map(kindOf);
      const key = `round ${points.join()} ${print(expression)}${suffix(kinds)}`;
      const cost = points.length * (work(expression) * COST.product + COST.wide);
      const parts = ctx.launchModule(
        key,
        () => ctx.core.round(expression, points, kinds),
        total,
        cost,
        [target, args],
        stride,
      );
      const values = ctx.readFr(target, 2 * points.length * parts);
      // Products of integers are not in Montgomery form.
      const by = tables.some((t) => t.integers !== undefined) ? ctx.core.fr.R : 1n;
      return points.map((_, k) => {
        let sum = 0n;
        for (let part = 0; part < parts; part++) {
          const at = 2 * (part * points.length + k);
          sum += values[at] + values[at + 1];
        }
        return toFr(by * sum);
      });
    }),
  );
}
