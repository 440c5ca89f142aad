/** Kernels with one invocation for each entry of their output. In all of them p[0].x is the number of entries. */
import { constantCount, print, tableCount, type Expression } from '../../expression.ts';
import { Statements, printValue, type Operand, type TableAt, type TableType } from './expression.ts';
import { indent, u32, type Declaration } from '../source.ts';
import { WORKGROUP } from '../access.ts';

export interface KernelText {
  readonly name: string;
  /** Whether invocations write different words of one quad; see `accessDeclarations`. */
  readonly byWords?: boolean;
  source(): { readonly library: readonly Declaration[]; readonly entry: string };
}

/** An entry point whose body has `i`, the number of the invocation, and runs for i < p[0].x only. */
export const forEach = (body: readonly string[], atomics: readonly string[] = []): string =>
  [
    `@compute @workgroup_size(${WORKGROUP})`,
    'fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {',
    '  let i = thread(group, local);',
    '  if i >= p[0].x {',
    '    return;',
    '  }',
    indent([...atomics, ...body]),
    '}',
  ].join('\n');

const simple = (name: string, body: readonly string[]): KernelText => ({
  name,
  source: () => ({ library: [], entry: forEach(body) }),
});

/** Vector 1 in place, to or from Montgomery form. */
export const enter = simple('enter', ['fr_put(1u, i, fr_enter(fr_at(1u, i)));']);
/** Vector 1 = vector 2 without Montgomery form. */
export const leave = simple('leave', ['fr_put(1u, i, fr_leave(fr_at(2u, i)));']);

export type IntBytes = 2 | 4 | 8;

/** Vector 1 = vector 2 as field elements. */
export const lift = (bytes: IntBytes): KernelText =>
  simple(`lift int${8 * bytes}`, [`fr_put(1u, i, fr_from_int(int${bytes}_at(2u, i)));`]);

/** Vector 1 = entries of vector 2 at the positions in vector 3, 0 where they are negative. */
export const gatherFr = simple('gather', [
  'let at = int4_at(3u, i);',
  'if at.y != 0u {',
  '  fr_put(1u, i, fr_zero());',
  '} else {',
  '  fr_put(1u, i, fr_at(2u, at.x));',
  '}',
]);

/** As `gatherFr` for integers; an invocation makes one word of the output, whose entries number p[0].y. */
export function gatherInt(bytes: IntBytes): KernelText {
  const pick = (entry: string): string[] => [
    `let from_${entry} = int4_at(3u, ${entry});`,
    `if ${entry} < p[0].y && from_${entry}.y == 0u {`,
    `  value_${entry} = int${bytes}_at(2u, from_${entry}.x);`,
    '}',
  ];
  const put = (value: string): string[] => [
    // Words of an output segment follow each other, whatever the width of entries.
    `let at = place(1u, ${bytes === 2 ? '2u * i' : bytes === 4 ? 'i' : 'i >> 1u'});`,
    `store_word(at.x, 4u * at.y + ${bytes === 2 ? '(at.z >> 1u)' : bytes === 4 ? 'at.z' : '2u * at.z + (i & 1u)'}, ${value});`,
  ];
  const body =
    bytes === 2
      ? [
          'let even = 2u * i;',
          'let odd = even + 1u;',
          'var value_even = vec2<u32>();',
          'var value_odd = vec2<u32>();',
          ...pick('even'),
          ...pick('odd'),
          ...put('(value_even.x & 0xffffu) | (value_odd.x << 16u)'),
        ]
      : [
          `let e = ${bytes === 4 ? 'i' : 'i >> 1u'};`,
          'var value_e = vec2<u32>();',
          ...pick('e'),
          ...put(bytes === 4 ? 'value_e.x' : 'select(value_e.x, value_e.y, (i & 1u) == 1u)'),
        ];
  return { ...simple(`gather int${8 * bytes}`, body), byWords: true };
}

/** Vector 1 = products of an entry of vector 2 (i >> p[0].y) and of vector 3 (the low bits). */
export const outerProduct = simple('outer product', [
  'fr_put(1u, i, fr_mul(fr_at(2u, i >> p[0].y), fr_at(3u, i & ((1u << p[0].y) - 1u))));',
]);

/**
 * Vector 1 [j] = lo + x (hi - lo): lo = vector 2 [j], hi = vector 2 [j + p[0].y]; x is at p[3], the elements of an indexed
 * table are vector 5.
 */
export const fold = (type: TableType): KernelText => ({
  name: `fold${suffix([type])}`,
  source: () => {
    const out = new Statements();
    const at = { d: 2, entries: 5 };
    const lo = out.entry(at, type, 'i');
    const slope = out.sum('sub', out.entry(at, type, 'i + p[0].y'), lo);
    const value = out.sum('add', lo, out.product({ kind: 'fr', name: out.let('fr_arg(3u)') }, slope));
    return { library: [], entry: forEach([...out.lines, `fr_put(1u, i, ${out.element(value)});`]) };
  },
});

/** For the names of kernels: nothing where all tables hold field elements. */
export const suffix = (types: readonly TableType[]): string =>
  types.every((t) => t === 'fr')
    ? ''
    : ` of ${types.map((t) => (typeof t === 'string' ? t : `int${8 * t}`)).join(' ')}`;

/** Quads of the arguments before the constants of a `map` or `round` kernel: counts, output. */
export const MAP_HEADER = 2;

/** What a map does with a value: puts it, puts its negative, or adds it to (subtracts it from) what is there. */
export type Into = 'set' | 'negated' | 'add' | 'subtract';

/** Vector 1 = the expression at entry i. Constants follow from p[2] on, then tables. */
export const map = (expression: Expression, types: readonly TableType[], into: Into = 'set'): KernelText => ({
  name: `map ${into} ${print(expression)}${suffix(types)}`,
  source: () => {
    const out = new Statements();
    const { tables, constants } = inputs(expression, MAP_HEADER, types);
    const t = tables.map((d, k) => out.entry(d, types[k], 'i'));
    const c = constants.map((k): Operand => ({ kind: 'fr', name: out.let(`fr_arg(${u32(k)})`) }));
    const value = out.element(printValue(out, expression, t, c));
    const result = {
      set: value,
      negated: `fr_sub(fr_zero(), ${value})`,
      add: `fr_add(fr_at(1u, i), ${value})`,
      subtract: `fr_sub(fr_at(1u, i), ${value})`,
    }[into];
    return { library: [], entry: forEach([...out.lines, `fr_put(1u, i, ${result});`]) };
  },
});

/** Where an expression's constants and tables stand in the arguments; an indexed table takes two places. */
export function inputs(
  e: Expression,
  header: number,
  types: readonly TableType[],
): { constants: number[]; tables: TableAt[] } {
  const [constants, tables] = [constantCount(e), tableCount(e)];
  let next = header + 2 * constants;
  return {
    constants: Array.from({ length: constants }, (_, k) => header + 2 * k),
    tables: Array.from({ length: tables }, (_, k) => {
      const d = next;
      next += types[k] === 'indexed' || types[k] === 'split' ? 2 : 1;
      return { d, entries: d + 1 };
    }),
  };
}
