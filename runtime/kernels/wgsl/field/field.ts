/**
 * A prime field in WGSL: elements are Montgomery representatives in [0, p), packed into 32-bit words, as `struct`s of
 * `vec4<u32>`; limbs exist inside products only. Whatever the limb width, the functions have the same names and give
 * the same field elements; only the Montgomery factor differs (`LimbPlan.R`).
 *
 * Every intermediate is a named scalar and every loop over words or limbs of one factor is unrolled: arrays with a run-time
 * index would be kept in memory instead of registers.
 */
import { planLimbs, type LimbPlan, type LimbWidth } from './limbs.ts';
import { indent, u32, type Declaration } from '../source.ts';

export interface WgslField {
  /** Prefix of functions: `fr`, `fq`. */
  readonly name: string;
  /** The struct's name: `Fr`, `Fq`. */
  readonly type: string;
  readonly plan: LimbPlan;
  /** 32-bit words of an element: 8 or 12. */
  readonly words: number;
  readonly declarations: readonly Declaration[];
  /** A constant in Montgomery form as an expression. */
  literal(value: bigint): string;
}

/** The fields' names, e.g. `word('x', 5)` is `x.v1.y`. */
export const word = (element: string, i: number): string => `${element}.v${i >> 2}.${'xyzw'[i & 3]}`;

/**
 * A product's text: every row written out, or one row in a loop. The loop's text is a twentieth as long, which decides how
 * long shaders compile, as compilers inline every product; what it costs at run time depends on the adapter.
 */
export type Rows = 'unrolled' | 'rolled';

export interface FieldVariant {
  readonly width: LimbWidth;
  readonly rows: Rows;
}

export function wgslField(name: 'fr' | 'fq', modulus: bigint, { width, rows }: FieldVariant): WgslField {
  const plan = planLimbs(modulus, width);
  const type = name === 'fr' ? 'Fr' : 'Fq';
  const words = 4 * Math.ceil(modulus.toString(2).length / 128);
  const p = wordsOf(modulus, words);
  const field = { name, type, plan, rows, words, p };
  return {
    ...field,
    literal: (value) => construct(field, wordsOf((value * plan.R) % modulus, words).map(u32)),
    declarations: [
      {
        name: type,
        text: `struct ${type} {\n${indent(Array.from({ length: words / 4 }, (_, i) => `v${i}: vec4<u32>,`))}\n}`,
      },
      func(field, 'add', ['x', 'y'], [...addition(field), ...reduceOnce(field, 's')]),
      func(field, 'sub', ['x', 'y'], subtraction(field)),
      // x - p where x >= p: brings words below 2 p into range.
      func(field, 'fit', ['x'], [...p.map((_, i) => `let s${i} = ${word('x', i)};`), ...reduceOnce(field, 's')]),
      func(field, 'mul', ['x', 'y'], product(field)),
      { name: `${name}_is_zero`, text: isZero(field) },
      {
        name: `${name}_zero`,
        text: `fn ${name}_zero() -> ${type} {\n  return ${construct(
          field,
          p.map(() => '0u'),
        )};\n}`,
      },
      {
        name: `${name}_one`,
        text: `fn ${name}_one() -> ${type} {\n  return ${construct(field, wordsOf(plan.R % modulus, words).map(u32))};\n}`,
      },
      {
        // Montgomery form of a canonical value, and back.
        name: `${name}_enter`,
        text: `fn ${name}_enter(x: ${type}) -> ${type} {\n  return ${name}_mul(x, ${construct(field, wordsOf((plan.R * plan.R) % modulus, words).map(u32))});\n}`,
      },
      {
        name: `${name}_leave`,
        text: `fn ${name}_leave(x: ${type}) -> ${type} {\n  return ${name}_mul(x, ${construct(field, wordsOf(1n, words).map(u32))});\n}`,
      },
    ],
  };
}

type Shape = Pick<WgslField, 'name' | 'type' | 'plan' | 'words'> & {
  readonly p: readonly bigint[];
  readonly rows: Rows;
};

export const wordsOf = (value: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => (value >> BigInt(32 * i)) & 0xffffffffn);

const construct = ({ type, words }: Pick<Shape, 'type' | 'words'>, values: readonly string[]): string =>
  `${type}(${Array.from({ length: words / 4 }, (_, i) => `vec4<u32>(${values.slice(4 * i, 4 * i + 4).join(', ')})`).join(', ')})`;

function func(field: Shape, op: string, params: readonly string[], body: readonly string[]): Declaration {
  const { name, type } = field;
  const list = params.map((x) => `${x}: ${type}`).join(', ');
  return { name: `${name}_${op}`, text: `fn ${name}_${op}(${list}) -> ${type} {\n${indent(body)}\n}` };
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** s0.. = x + y; the sum of two elements does not overflow the words. */
function addition({ words }: Shape): string[] {
  const lines: string[] = [];
  for (const i of range(words)) {
    const [a, b] = [word('x', i), word('y', i)];
    if (i === 0) lines.push(`let s0 = ${a} + ${b};`, `let c0 = u32(s0 < ${a});`);
    else {
      lines.push(`let h${i} = ${a} + ${b};`, `let s${i} = h${i} + c${i - 1};`);
      if (i < words - 1) lines.push(`let c${i} = u32(h${i} < ${a}) + u32(s${i} < h${i});`);
    }
  }
  return lines;
}

/** Returns s - p if that is not negative, else s. */
function reduceOnce(field: Shape, s: string): string[] {
  const { words, p } = field;
  const lines: string[] = [];
  for (const i of range(words)) {
    const m = u32(p[i]);
    if (i === 0) lines.push(`let r0 = ${s}0 - ${m};`, `let b0 = u32(${s}0 < ${m});`);
    else
      lines.push(
        `let g${i} = ${s}${i} - ${m};`,
        `let r${i} = g${i} - b${i - 1};`,
        `let b${i} = u32(${s}${i} < ${m}) + u32(g${i} < b${i - 1});`,
      );
  }
  const pick = range(words).map((i) => `select(r${i}, ${s}${i}, below)`);
  lines.push(`let below = b${words - 1} != 0u;`, `return ${construct(field, pick)};`);
  return lines;
}

/** x - y, plus p where that is negative. */
function subtraction(field: Shape): string[] {
  const { words, p } = field;
  const lines: string[] = [];
  for (const i of range(words)) {
    const [a, b] = [word('x', i), word('y', i)];
    if (i === 0) lines.push(`let d0 = ${a} - ${b};`, `let b0 = u32(${a} < ${b});`);
    else
      lines.push(
        `let g${i} = ${a} - ${b};`,
        `let d${i} = g${i} - b${i - 1};`,
        `let b${i} = u32(${a} < ${b}) + u32(g${i} < b${i - 1});`,
      );
  }
  lines.push(`let borrow = 0u - b${words - 1};`);
  for (const i of range(words)) {
    const m = `(${u32(p[i])} & borrow)`;
    if (i === 0) lines.push(`let r0 = d0 + ${m};`, `let c0 = u32(r0 < d0);`);
    else {
      lines.push(`let h${i} = d${i} + ${m};`, `let r${i} = h${i} + c${i - 1};`);
      if (i < words - 1) lines.push(`let c${i} = u32(h${i} < d${i}) + u32(r${i} < h${i});`);
    }
  }
  lines.push(
    `return ${construct(
      field,
      range(words).map((i) => `r${i}`),
    )};`,
  );
  return lines;
}

function isZero({ name, type, words }: Shape): string {
  const all = range(words / 4)
    .map((i) => `x.v${i}`)
    .join(' | ');
  return `fn ${name}_is_zero(x: ${type}) -> bool {\n  return all((${all}) == vec4<u32>());\n}`;
}

function product(field: Shape): string[] {
  if (field.rows === 'rolled') return field.plan.width === 32 ? rolledWideProduct(field) : rolledProduct(field);
  return field.plan.width === 32 ? wideProduct(field) : deferredProduct(field);
}

/** Limb k of an element in words, as an expression. */
export function limbOf(element: string, words: number, width: number, k: number): string {
  const bit = k * width;
  const [i, s] = [bit >> 5, bit & 31];
  const mask = u32(2 ** width - 1);
  const low = s === 0 ? word(element, i) : `(${word(element, i)} >> ${s}u)`;
  if (s + width <= 32) return s + width === 32 ? low : `${low} & ${mask}`;
  return i + 1 < words ? `(${low} | (${word(element, i + 1)} << ${32 - s}u)) & ${mask}` : low;
}

/** Rows of limb products, the quotient's multiple of p added with each; carries as rarely as the plan allows. */
function deferredProduct(field: Shape): string[] {
  const { words, plan } = field;
  const { width, count, limbs, mu, period } = plan;
  const mask = u32(2 ** width - 1);
  const lines: string[] = [];
  for (const k of range(count)) if (k * width < 32 * words) lines.push(`let y${k} = ${limbOf('y', words, width, k)};`);
  const used = range(count).filter((k) => k * width < 32 * words);
  lines.push(...range(count).map((j) => `var t${j} = 0u;`));
  for (const i of range(count)) {
    const x = used.includes(i) ? limbOf('x', words, width, i) : '0u';
    lines.push(`let x${i} = ${x};`);
    const term = (j: number): string => (used.includes(j) ? `x${i} * y${j}` : '0u');
    const low = `t0 + ${term(0)}`;
    lines.push(`let a${i} = ${low};`);
    // p = 1 mod 2^32 in Fr: the digit is then a negation.
    const digit = mu === (1n << BigInt(width)) - 1n ? `(0u - a${i})` : `(a${i} * ${u32(mu)})`;
    lines.push(`let q${i} = ${digit} & ${mask};`);
    lines.push(`let k${i} = (a${i} + q${i} * ${u32(limbs[0])}) >> ${width}u;`);
    for (const j of range(count).slice(1)) {
      const own = limbs[j] === 0n ? '' : ` + q${i} * ${u32(limbs[j])}`;
      lines.push(`t${j - 1} = t${j} + ${term(j)}${own}${j === 1 ? ` + k${i}` : ''};`);
    }
    lines.push(`t${count - 1} = 0u;`);
    if ((i + 1) % period === 0 || i === count - 1)
      for (const j of range(count - 1)) lines.push(`t${j + 1} += t${j} >> ${width}u;`, `t${j} &= ${mask};`);
  }
  for (const i of range(words)) lines.push(`let s${i} = ${packWord(i, width, count)};`);
  return [...lines, ...reduceOnce(field, 's')];
}

/** As `deferredProduct`, one row in a loop: x is shifted along, so that its next limb is always the lowest. */
function rolledProduct(field: Shape): string[] {
  const { words, plan } = field;
  const { width, count, limbs, mu, period } = plan;
  const mask = u32(2 ** width - 1);
  const used = range(count).filter((k) => k * width < 32 * words);
  const term = (j: number): string => (used.includes(j) ? ` + x * y${j}` : '');
  const digit = mu === (1n << BigInt(width)) - 1n ? '(0u - a)' : `(a * ${u32(mu)})`;
  const row = [
    `let x = x0 & ${mask};`,
    `let a = t0${term(0)};`,
    `let q = ${digit} & ${mask};`,
    `let k = (a + q * ${u32(limbs[0])}) >> ${width}u;`,
    ...range(count)
      .slice(1)
      .map((j) => {
        const own = limbs[j] === 0n ? '' : ` + q * ${u32(limbs[j])}`;
        return `t${j - 1} = t${j}${term(j)}${own}${j === 1 ? ' + k' : ''};`;
      }),
    `t${count - 1} = 0u;`,
    ...range(words).map((i) =>
      i + 1 < words ? `x${i} = (x${i} >> ${width}u) | (x${i + 1} << ${32 - width}u);` : `x${i} = x${i} >> ${width}u;`,
    ),
  ];
  const carry = range(count - 1).flatMap((j) => [`t${j + 1} += t${j} >> ${width}u;`, `t${j} &= ${mask};`]);
  if (period < count) row.push(`if (row + 1u) % ${u32(period)} == 0u {`, ...carry.map((line) => `  ${line}`), '}');
  return [
    ...used.map((k) => `let y${k} = ${limbOf('y', words, width, k)};`),
    ...range(words).map((i) => `var x${i} = ${word('x', i)};`),
    ...range(count).map((j) => `var t${j} = 0u;`),
    `for (var row = 0u; row < ${u32(count)}; row += 1u) {`,
    indent(row),
    '}',
    ...carry,
    ...range(words).map((i) => `let s${i} = ${packWord(i, width, count)};`),
    ...reduceOnce(field, 's'),
  ];
}

/** Word i of the limbs t0, t1, ... of an element, each below 2^width; `limb` is their name without the number. */
export function packWord(i: number, width: number, count: number, limb = 't'): string {
  const parts: string[] = [];
  for (const k of range(count)) {
    const shift = k * width - 32 * i;
    if (shift > 31 || shift <= -width) continue;
    const name = `${limb}${k}`;
    parts.push(shift === 0 ? name : shift > 0 ? `(${name} << ${shift}u)` : `(${name} >> ${-shift}u)`);
  }
  return parts.join(' | ') || '0u';
}

/** 32-bit limbs, coarsely integrated operand scanning; each product of words from four of 16-bit halves. */
function wideProduct(field: Shape): string[] {
  const { words, plan, p } = field;
  const lines: string[] = [];
  for (const j of range(words)) lines.push(`let y${j} = ${word('y', j)};`);
  lines.push(...range(words + 1).map((j) => `var t${j} = 0u;`), 'var c = vec2<u32>();');
  for (const i of range(words)) {
    lines.push(`let x${i} = ${word('x', i)};`, 'c = vec2<u32>();');
    for (const j of range(words)) lines.push(`c = mac(x${i}, y${j}, t${j}, c.y);`, `t${j} = c.x;`);
    lines.push(`let o${i} = t${words} + c.y;`);
    const digit = plan.mu === (1n << 32n) - 1n ? '0u - t0' : `t0 * ${u32(plan.mu)}`;
    lines.push(`let q${i} = ${digit};`, `c = mac(q${i}, ${u32(p[0])}, t0, 0u);`);
    for (const j of range(words).slice(1)) lines.push(`c = mac(q${i}, ${u32(p[j])}, t${j}, c.y);`, `t${j - 1} = c.x;`);
    lines.push(`t${words - 1} = o${i} + c.y;`, `t${words} = u32(t${words - 1} < c.y);`);
  }
  return [...lines, ...reduceOnce(field, 't')];
}

/** As `wideProduct`, one row in a loop. */
function rolledWideProduct(field: Shape): string[] {
  const { words, plan, p } = field;
  const row = ['let x = x0;', 'c = vec2<u32>();'];
  for (const j of range(words)) row.push(`c = mac(x, y${j}, t${j}, c.y);`, `t${j} = c.x;`);
  row.push(
    `let o = t${words} + c.y;`,
    `let q = ${plan.mu === (1n << 32n) - 1n ? '0u - t0' : `t0 * ${u32(plan.mu)}`};`,
    `c = mac(q, ${u32(p[0])}, t0, 0u);`,
  );
  for (const j of range(words).slice(1)) row.push(`c = mac(q, ${u32(p[j])}, t${j}, c.y);`, `t${j - 1} = c.x;`);
  row.push(`t${words - 1} = o + c.y;`, `t${words} = u32(t${words - 1} < c.y);`);
  row.push(...range(words - 1).map((i) => `x${i} = x${i + 1};`));
  return [
    ...range(words).map((j) => `let y${j} = ${word('y', j)};`),
    ...range(words).map((i) => `var x${i} = ${word('x', i)};`),
    ...range(words + 1).map((j) => `var t${j} = 0u;`),
    'var c = vec2<u32>();',
    `for (var row = 0u; row < ${u32(words)}; row += 1u) {`,
    indent(row),
    '}',
    ...reduceOnce(field, 't'),
  ];
}

/** a * b + c + d in two words: it cannot overflow, as (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1. */
export const mac: Declaration = {
  name: 'mac',
  text: `fn mac(a: u32, b: u32, c: u32, d: u32) -> vec2<u32> {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let low = a0 * b0;
  let m0 = a1 * b0 + (low >> 16u);
  let m1 = a0 * b1 + (m0 & 0xffffu);
  let lo = (m1 << 16u) | (low & 0xffffu);
  let hi = a1 * b1 + (m0 >> 16u) + (m1 >> 16u);
  let s = lo + c;
  let r = s + d;
  return vec2<u32>(r, hi + u32(s < lo) + u32(r < s));
}`,
};
