/** The blocks and tables of the standard library as parts of programs to prove: one alone, or several in one model. */
import fc from 'fast-check';
import type { FixedType } from '../../compiler/check/index.ts';
import { checkText } from '../compiler/standard.ts';

export interface Shape {
  /** Sequences, positions of one, entries of one, entries of a result, rank. */
  readonly N: number;
  readonly T: number;
  readonly D: number;
  readonly O: number;
  readonly R: number;
  /** Heads, groups of them, tokens. */
  readonly H: number;
  readonly G: number;
  readonly V: number;
}

const length = fc.constantFrom(1, 2, 3, 4, 5, 6, 7);
const heads = fc.constantFrom([1, 1], [2, 1], [2, 2], [3, 1], [3, 3], [4, 2]);

export const shapes: fc.Arbitrary<Shape> = fc
  .record({ N: fc.constantFrom(1, 2, 3), T: length, D: length, O: length, R: length, V: length, heads })
  .map(({ heads: [H, G], ...s }) => ({ ...s, H, G }));

/** Statements of a model that use blocks, all names beginning with `p`. */
interface Part {
  readonly imports: readonly string[];
  statements(p: string, shape: Shape): string;
}

const x = (p: string, { T, D }: Shape): string => `secret ${p}x[${T}, ${D}]: fixed<12, 6>`;
/** Queries, keys and values; a head has two entries. */
const qkv = (p: string, { N, T, H, G }: Shape): string =>
  [`q[${N}, ${T}, ${H}, 2]`, `k[${N}, ${T}, ${G}, 2]`, `v[${N}, ${T}, ${G}, 2]`]
    .map((t) => `secret ${p}${t}: fixed<8, 4>`)
    .join('\n');
const result = (p: string, indices: string, of: string): string =>
  `${p}y = ${of}\npublic ${p}out[${indices}] = ${p}y[${indices}]`;

/** A block of one argument x, its result as it is or rounded. */
const ofX = (name: string, call: (p: string, s: Shape) => string): Part => ({
  imports: [name],
  statements: (p, s) => `${x(p, s)}\n${result(p, 't, d', `${call(p, s)} at "${p}"`)}`,
});
const turned = (name: string, more = ''): Part => ({
  imports: [name],
  statements: (p, { N, T, H }) =>
    `secret ${p}q[${N}, ${T}, ${H}, 2]: fixed<8, 4>\n${result(p, 'n, t, h, k', `${name}(${p}q, 100${more})`)}`,
});
const attending = (name: string, more = ''): Part => ({
  imports: [name],
  statements: (p, s) => `${qkv(p, s)}\n${result(p, 't, i', `${name}(${p}q, ${p}k, ${p}v${more})`)}`,
});
const scores = (p: string, { N, T, H }: Shape): string => `secret ${p}z[${N}, ${H}, ${T}, ${T}]: fixed<8, 4>`;

/** All that can be proved: not yet what trains. */
export const blocks: Readonly<Record<string, Part>> = {
  linear: ofX('linear', (p, { O }) => `round(linear<${O}>(${p}x))`),
  affine: ofX('affine', (p, { O }) => `round(affine<${O}>(${p}x))`),
  conv1d: ofX('conv1d', (p, { O }) => `round(conv1d<${O}>(${p}x))`),
  'two adapters': {
    imports: ['linear', 'lora'],
    statements: (p, s) => `source ${p}style
      ${x(p, s)}
      ${p}y = round(linear<${s.O}>(${p}x) + lora<${s.O}, ${s.R}>(${p}x, 8) + lora<${s.O}, 2>(${p}x, 4, ${p}style)) at "${p}"
      public ${p}out[t, o] = ${p}y[t, o]`,
  },
  rmsnorm: ofX('rmsnorm', (p) => `rmsnorm(${p}x, 1e-2)`),
  centred_rmsnorm: ofX('centred_rmsnorm', (p) => `round(centred_rmsnorm(${p}x, 1e-2))`),
  layernorm: ofX('layernorm', (p) => `layernorm(${p}x, 1e-2)`),
  rope: turned('rope'),
  rope_interleaved: turned('rope_interleaved'),
  rotate: turned('rotate', ', 2'),
  rotate_interleaved: turned('rotate_interleaved', ', 2'),
  'turn, a part of each head': {
    imports: ['turn', 'llama3_frequencies'],
    statements: (p, { N, T, H }) =>
      `secret ${p}q[${N}, ${T}, ${H}, 3]: fixed<8, 4>\n${result(p, 'n, t, h, k', `turn(${p}q, llama3_frequencies<1>(100, 8, 1, 4, 32), 3)`)}`,
  },
  attention: attending('attention'),
  // And with it `turned_attention`; `headwise_turned_attention` only takes apart otherwise.
  fused_turned_attention: {
    imports: ['fused_turned_attention', 'yarn_frequencies'],
    statements: (p, { N, T, H, G }) =>
      `secret ${p}c[${N}, ${T}, ${2 * (H + 2 * G)}]: fixed<8, 4>
      ${result(p, 't, i', `fused_turned_attention<${H}, ${G}, 2>(${p}c, yarn_frequencies<1>(100, 4, 0, 1), 2)`)}`,
  },
  rotary_attention: attending('rotary_attention', ', 100'),
  interleaved_attention: attending('interleaved_attention', ', 100'),
  fused_attention: {
    imports: ['fused_attention'],
    statements: (p, { N, T, H }) =>
      `secret ${p}c[${N}, ${T}, ${6 * H}]: fixed<8, 4>\n${result(p, 't, i', `fused_attention<${H}, 2>(${p}c)`)}`,
  },
  attend: {
    imports: ['attend'],
    statements: (p, s) =>
      `${scores(p, s)}\nsecret ${p}v[${s.N}, ${s.T}, ${s.G}, 2]: fixed<8, 4>\n${result(p, 't, i', `attend(${p}z, ${p}v)`)}`,
  },
  causal_softmax: {
    imports: ['causal_softmax'],
    statements: (p, s) => `${scores(p, s)}\n${result(p, 'n, h, t, s', `causal_softmax(${p}z)`)}`,
  },
  swiglu: ofX('swiglu', (p, { O }) => `round(swiglu<${O}>(${p}x))`),
  mlp: ofX('mlp', (p, { O }) => `round(mlp<${O}>(${p}x))`),
  'gelu, gelu_erf, silu and relu': {
    imports: ['gelu', 'gelu_erf', 'silu', 'relu'],
    statements: (p, s) => `${x(p, s)}
      ${p}a = gelu(round(${p}x))
      ${p}b = gelu_erf(round(${p}x))
      ${p}c = silu(round(${p}x))
      ${p}d = relu(round(${p}x))
      public ${p}out[t, i] = ${p}a[t, i] + ${p}b[t, i] + ${p}c[t, i] + ${p}d[t, i]`,
  },
  cross_entropy: {
    imports: ['cross_entropy'],
    statements: (p, { T, V }) => `secret ${p}z[${T}, ${V}]: fixed<12, 6>
      secret ${p}target[${T}]: index<${V}>
      public ${p}loss = cross_entropy(${p}z, ${p}target)`,
  },
  masked_cross_entropy: {
    imports: ['masked_cross_entropy'],
    statements: (p, { T, V }) => `secret ${p}z[${T}, ${V}]: fixed<12, 6>
      secret ${p}target[${T}]: index<${V}>
      secret ${p}mask[${T}]: index<2>
      public ${p}loss = masked_cross_entropy(${p}z, ${p}target, ${p}mask)`,
  },
  clipping: {
    imports: ['clipping'],
    statements: (p, { T }) => `secret ${p}n: fixed<14, 8>\npublic ${p}f = clipping(${p}n, ${T} / 4)`,
  },
  'exp and log': {
    imports: ['exp', 'log'],
    statements: (p, s) => `${x(p, s)}
      ${p}e = exp(round<10, 4>(-1 * ${p}x * ${p}x))
      ${p}l = log(round(1 + ${p}e))
      public ${p}out[t, i] = ${p}e[t, i] + ${p}l[t, i]`,
  },
  'embedding, tied head and the next token': {
    imports: ['embedding', 'head'],
    statements: (p, { T, V, D }) => `secret ${p}tokens[${T}]: index<${V}>
      open ${p}E[${V}, ${D}] from base "${p}embed"
      ${p}r = embedding(${p}E, ${p}tokens)
      ${p}h = round(${p}r)
      ${p}logits = head(${p}h, ${p}E)
      public ${p}next = argmax(v: ${V}) ${p}logits[${T - 1}, v]`,
  },
};

/** A model of blocks side by side, each with its own inputs and public results. */
export function modelOf(names: readonly string[], shape: Shape): string {
  const imports = new Set(names.flatMap((name) => blocks[name].imports));
  const statements = names.map((name, k) => blocks[name].statements(`b${k}`, shape));
  return `import { ${[...imports].join(', ')} } from "std"\nmodel m {\n${statements.join('\n')}\n}`;
}

/** One type for everything in a text that has none. */
export function calibrationOf(text: string, type: FixedType): Readonly<Record<string, FixedType>> {
  const { uncalibrated } = checkText(text, { forProof: false });
  return Object.fromEntries(uncalibrated.map(({ key }) => [key, type]));
}
