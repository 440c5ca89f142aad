/** The blocks of the standard library, proved at random shapes: the kit's whole check on each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertGadget } from '../kit/check.ts';
import { testDevice } from '../kit/devices.ts';
import { checkText, resolveImport } from '../compiler/standard.ts';

const device = await testDevice();

const length = fc.constantFrom(1, 2, 3, 4, 5, 6);
const heads = fc.constantFrom([1, 1], [2, 1], [2, 2], [3, 1], [3, 3], [4, 2]);

interface Shape {
  readonly T: number;
  readonly D: number;
  readonly O: number;
  readonly H: number;
  readonly G: number;
  readonly R: number;
}

const shapes = fc
  .record({ T: length, D: length, O: length, heads, R: length })
  .map(({ heads: [H, G], ...s }): Shape => ({ ...s, H, G }));

const model = (names: string, { T, D, O, H, G, R }: Shape, body: string): string => `
  import { ${names} } from "std"
  model m { dim T = ${T}, D = ${D}, O = ${O}, H = ${H}, G = ${G}, R = ${R}, K = 2, V = 5
    ${body} }`;

const x = 'secret x[T, D]: fixed<16, 10>';
const scores = `secret q[T, H, K]: fixed<8, 4>
    secret k[T, G, K]: fixed<8, 4>
    secret v[T, G, K]: fixed<8, 4>`;

const blocks: Record<string, (s: Shape) => string> = {
  rmsnorm: (s) => model('rmsnorm', s, `${x}\n y = rmsnorm(x, 1e-2) at "n"\n public out[t, d] = y[t, d]`),
  layernorm: (s) => model('layernorm', s, `${x}\n y = layernorm(x, 1e-2) at "n"\n public out[t, d] = y[t, d]`),
  'linear with two adapters': (s) =>
    model(
      'linear, lora',
      s,
      `source style
      ${x}
      y = round(linear<O>(x) + lora<O, R>(x, 8) + lora<O, 2>(x, 4, style)) at "p"
      public out[t, o] = y[t, o]`,
    ),
  conv1d: (s) => model('conv1d', s, `${x}\n y = round(conv1d<O>(x)) at "p"\n public out[t, o] = y[t, o]`),
  rope: (s) => model('rope', s, `secret q[T, H, K]: fixed<8, 4>\n y = rope(q, 100)\n public out[t, h, k] = y[t, h, k]`),
  rope_interleaved: (s) =>
    model(
      'rope_interleaved',
      s,
      `secret q[T, H, K]: fixed<8, 4>\n y = rope_interleaved(q, 100)\n public out[t, h, k] = y[t, h, k]`,
    ),
  attention: (s) => model('attention', s, `${scores}\n o = attention(q, k, v)\n public out[t, i] = o[t, i]`),
  rotary_attention: (s) =>
    model('rotary_attention', s, `${scores}\n o = rotary_attention(q, k, v, 100)\n public out[t, i] = o[t, i]`),
  swiglu: (s) => model('swiglu', s, `${x}\n y = round(swiglu<O>(x) at "m")\n public out[t, d] = y[t, d]`),
  'gelu, silu and relu': (s) =>
    model(
      'gelu, gelu_erf, silu, relu',
      s,
      `${x}
      a = gelu(round(x))
      b = gelu_erf(round(x))
      c = silu(round(x))
      d = relu(round(x))
      public out[t, i] = a[t, i] + b[t, i] + c[t, i] + d[t, i]`,
    ),
  'embedding, tied head and the next token': (s) =>
    model(
      'rmsnorm',
      s,
      `secret tokens[T]: index<V>
      open E[V, D] from base "embed"
      x[t, d] = round(E[tokens[t], d])
      y = rmsnorm(x, 1e-2) at "n"
      logits[t, v] = sum(d) y[t, d] * E[v, d]
      public next = argmax(v) logits[T - 1, v]`,
    ),
};

describe('blocks of the standard library', () => {
  test.each(Object.entries(blocks))('%s', async (_, text) => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const source = text(shape);
        const { uncalibrated } = checkText(source, { forProof: false });
        const calibration = Object.fromEntries(uncalibrated.map(({ key }) => [key, { bits: 16, frac: 6 }]));
        const options = { devices: [device], resolveImport, calibration, statements: 1, samples: 1 };
        expect((await assertGadget(source, options)).ok).toBe(true);
      }),
      { seed: 11, numRuns: 2 },
    );
  });
});
