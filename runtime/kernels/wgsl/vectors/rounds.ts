/**
 * Kernels that add up: sumcheck rounds of an expression, inner products, plain sums. Invocations take every
 * `threads`-th entry, workgroups add up what their invocations have, and `sum` adds up the workgroups.
 */
import type { SumcheckPoint } from '../../expression.ts';
import { leading, print, type Expression } from '../../expression.ts';
import { WORKGROUP } from '../access.ts';
import { inputs, suffix, type KernelText } from './elementwise.ts';
import { printValue, Statements, valueAt, type Operand, type TableType } from './expression.ts';
import type { WgslField } from '../field/field.ts';
import { indent, u32, type Declaration } from '../source.ts';

/** Adds up `mine` over a workgroup; invocation 0 has the sum. All invocations have to call it. */
const workgroupSum: readonly Declaration[] = [
  { name: 'sums', text: `var<workgroup> sums: array<Fr, ${WORKGROUP}>;` },
  {
    name: 'workgroup_sum',
    text: `fn workgroup_sum(local: u32, mine: Fr) -> Fr {
  workgroupBarrier();
  sums[local] = mine;
  workgroupBarrier();
  for (var step = ${u32(WORKGROUP / 2)}; step > 0u; step >>= 1u) {
    if local < step {
      sums[local] = fr_add(sums[local], sums[local + step]);
    }
    workgroupBarrier();
  }
  return sums[0];
}`,
  },
];

/** An entry point in which every invocation runs to the end. */
const whole = (body: readonly string[]): string =>
  [
    `@compute @workgroup_size(${WORKGROUP})`,
    'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {',
    indent(body),
    '}',
  ].join('\n');

const GROUP = 'let group_number = (thread(group, local) - local) / ' + u32(WORKGROUP) + ';';

/** Sums of each point over the entries of a workgroup: vector 1 [point * p[0].z + workgroup]. */
const putSums = (points: number): string[] => [
  GROUP,
  ...Array.from({ length: points }, (_, k) => [
    `let sum${k} = workgroup_sum(local, s${k});`,
    `if local == 0u {`,
    `  fr_put(1u, ${k === 0 ? '' : `${u32(k)} * p[0].z + `}group_number, sum${k});`,
    '}',
  ]).flat(),
];

/**
 * Quads of a round's arguments: p[0] = half, entries, workgroups, innerBits; vector 1 the sums; vectors 2 and 3 the
 * outer and inner weights; p[4].xy = whether there are outer and inner weights; then constants and tables.
 */
export const ROUND_HEADER = 5;

export function round(
  field: WgslField,
  expression: Expression,
  types: readonly TableType[],
  points: readonly SumcheckPoint[],
  weighted: boolean,
): KernelText {
  return {
    name: `round ${points.join()}${weighted ? ' weighted' : ''} ${print(expression)}${suffix(types)}`,
    source: () => {
      const out = new Statements();
      const { constants, tables } = inputs(expression, ROUND_HEADER, types);
      const c = constants.map((_, k): Operand => ({ kind: 'fr', name: `c${k}` }));
      const ends = tables.map((d, k) => {
        const lo = out.entry(d, types[k], 'j');
        // At 0 alone the upper half is not read.
        return [lo, points.every((x) => x === 0) ? lo : out.entry(d, types[k], 'j + p[0].x')] as const;
      });
      const weight: Operand | undefined = weighted ? { kind: 'fr', name: out.let('weight_at(j)') } : undefined;
      const at = points.map((x) => ends.map(([lo, hi]) => valueAt(out, field, lo, hi, x)));
      // Points with one and the same expression share its text: a loop chooses what goes in and where it is added.
      for (const { expression: e, members } of byExpression(expression, points)) {
        const own = members.map((k) => at[k]);
        const chosen = members.length === 1 ? own[0] : choose(out, own);
        const value = printValue(out, e, chosen, c);
        const term = out.element(weight === undefined ? value : out.product(weight, value));
        const sums = members.map((k) => `s${k} = fr_add(s${k}, ${term});`);
        out.close(members.length === 1 ? sums : [`switch k {`, ...cases(sums), '}', '}']);
      }
      const body = [
        ...constants.map((q, k) => `let c${k} = fr_arg(${u32(q)});`),
        ...points.map((_, k) => `var s${k} = fr_zero();`),
        `for (var j = thread(group, local); j < p[0].y; j += p[0].z * ${u32(WORKGROUP)}) {`,
        indent(out.lines),
        '}',
        ...putSums(points.length),
      ];
      return { library: [...workgroupSum, weightAt], entry: whole(body) };
    },
  };
}

/** Points by the expression that is taken there: at infinity, the leading terms. */
function byExpression(
  expression: Expression,
  points: readonly SumcheckPoint[],
): { readonly expression: Expression; readonly members: number[] }[] {
  const out: { readonly expression: Expression; readonly members: number[] }[] = [];
  for (const [k, x] of points.entries()) {
    const e = x === 'inf' ? leading(expression) : expression;
    const same = out.find((group) => print(group.expression) === print(e));
    if (same) same.members.push(k);
    else out.push({ expression: e, members: [k] });
  }
  return out;
}

const cases = (bodies: readonly string[]): string[] =>
  bodies.map((body, k) => `  ${k === bodies.length - 1 ? 'default' : `case ${u32(k)}`}: { ${body} }`);

/** Opens a loop over `k`, in which each table has its value in `values[k]`. */
function choose(out: Statements, values: readonly (readonly Operand[])[]): Operand[] {
  const tables = values[0].map((_, i) => values.map((v) => v[i]));
  const chosen = tables.map((own, i): Operand => {
    const bound = Math.max(...own.map((v) => (v.kind === 'small' ? v.bound : Infinity)));
    return bound < Infinity ? { kind: 'small', name: `x${i}`, bound } : { kind: 'fr', name: `x${i}` };
  });
  const assigned = values.map((own) =>
    own.map((v, i) => `x${i} = ${chosen[i].kind === 'fr' ? out.element(v) : v.name};`).join(' '),
  );
  out.open([
    `for (var k = 0u; k < ${u32(values.length)}; k += 1u) {`,
    ...chosen.map(({ kind, name }) => `var ${name}: ${kind === 'fr' ? 'Fr' : 'i32'};`),
    'switch k {',
    ...cases(assigned),
    '}',
  ]);
  return chosen;
}

/** outer[j >> innerBits] * inner[the low bits]; one of them may be missing. */
const weightAt: Declaration = {
  name: 'weight_at',
  text: `fn weight_at(j: u32) -> Fr {
  let k = j & ((1u << p[0].w) - 1u);
  if p[4].x == 0u {
    return fr_at(3u, k);
  }
  let outer = fr_at(2u, j >> p[0].w);
  if p[4].y == 0u {
    return outer;
  }
  return fr_mul(outer, fr_at(3u, k));
}`,
};

/** Sums of the products of vectors 2 and 3 over j < p[0].y, one for each of p[0].z workgroups, in vector 1. */
export const inner: KernelText = {
  name: 'inner product',
  source: () => ({
    library: workgroupSum,
    entry: whole([
      'var s0 = fr_zero();',
      `for (var j = thread(group, local); j < p[0].y; j += p[0].z * ${u32(WORKGROUP)}) {`,
      '  s0 = fr_add(s0, fr_mul(fr_at(2u, j), fr_at(3u, j)));',
      '}',
      ...putSums(1),
    ]),
  }),
};

/** Vector 1 [k] = the sum of p[0].y entries of vector 2 from k * p[0].y on, one workgroup for each k < p[0].x. */
export const sum: KernelText = {
  name: 'sum',
  source: () => ({
    library: workgroupSum,
    entry: whole([
      GROUP,
      'var mine = fr_zero();',
      'if group_number < p[0].x {',
      `  for (var j = local; j < p[0].y; j += ${u32(WORKGROUP)}) {`,
      '    mine = fr_add(mine, fr_at(2u, group_number * p[0].y + j));',
      '  }',
      '}',
      'let total = workgroup_sum(local, mine);',
      'if local == 0u && group_number < p[0].x {',
      '  fr_put(1u, group_number, total);',
      '}',
    ]),
  }),
};
