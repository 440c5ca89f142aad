/**
 * Decoder models in plain floating point, straight from their papers and as Hugging Face computes them: what an imported
 * program has to agree with. Nothing of this project is used.
 */

type Weights = (name: string) => ArrayLike<number>;
type Matrix = number[][];

/** What adapters add to the projection of a name: rows of x to rows of the update. */
export type Adapt = (name: string, x: Matrix) => Matrix | undefined;

const rows = (values: ArrayLike<number>, columns: number): Matrix =>
  Array.from({ length: values.length / columns }, (_, i) =>
    Array.from({ length: columns }, (__, j) => values[i * columns + j]),
  );
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, k) => sum + v * b[k], 0);
const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((v, j) => v + b[i][j]));
export const timesTransposed = (x: Matrix, W: Matrix): Matrix => x.map((row) => W.map((w) => dot(row, w)));
const transpose = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

const silu = (v: number): number => v / (1 + Math.exp(-v));
const geluTanh = (v: number): number => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)));

/** softmax(q kᵀ / sqrt(K)) v over s <= t, for one head. */
function head(q: Matrix, k: Matrix, v: Matrix): Matrix {
  return q.map((row, t) => {
    const scores = k.slice(0, t + 1).map((key) => Math.exp(dot(row, key) / Math.sqrt(row.length)));
    const total = scores.reduce((a, b) => a + b, 0);
    return v[0].map((_, j) => scores.reduce((sum, w, s) => sum + (w / total) * v[s][j], 0));
  });
}

const part = (x: Matrix, from: number, length: number): Matrix => x.map((row) => row.slice(from, from + length));
const join = (parts: Matrix[]): Matrix => parts[0].map((_, t) => parts.flatMap((p) => p[t]));

interface LlamaShape {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  readonly tie_word_embeddings: boolean;
}

/** Logits by position. */
export function llamaForward(
  c: LlamaShape,
  weights: Weights,
  has: (name: string) => boolean,
  tokens: readonly number[],
  adapt: Adapt,
): Matrix {
  const { hidden_size: D, num_attention_heads: H, num_key_value_heads: G, head_dim: K } = c;
  const linear = (name: string, x: Matrix): Matrix => {
    let y = timesTransposed(x, rows(weights(`${name}.weight`), x[0].length));
    if (has(`${name}.bias`)) y = y.map((row) => row.map((v, j) => v + weights(`${name}.bias`)[j]));
    const update = adapt(name, x);
    return update ? add(y, update) : y;
  };
  const norm = (name: string, x: Matrix): Matrix =>
    x.map((row) => {
      const s = 1 / Math.sqrt(dot(row, row) / D + c.rms_norm_eps);
      return row.map((v, d) => v * s * weights(`${name}.weight`)[d]);
    });
  const rotate = (x: Matrix): Matrix =>
    x.map((row, t) =>
      row.map((v, j) => {
        const angle = t * c.rope_theta ** ((-2 * (j % (K / 2))) / K);
        const other = j < K / 2 ? -row[j + K / 2] : row[j - K / 2];
        return v * Math.cos(angle) + other * Math.sin(angle);
      }),
    );
  const E = rows(weights('model.embed_tokens.weight'), D);
  let x = tokens.map((t) => E[t]);
  for (let l = 0; l < c.num_hidden_layers; l++) {
    const layer = `model.layers.${l}`;
    const h = norm(`${layer}.input_layernorm`, x);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(`${layer}.self_attn.${name}_proj`, h));
    const heads = Array.from({ length: H }, (_, i) => {
      const g = Math.floor(i / (H / G));
      return head(rotate(part(q, i * K, K)), rotate(part(k, g * K, K)), part(v, g * K, K));
    });
    x = add(x, linear(`${layer}.self_attn.o_proj`, join(heads)));
    const n = norm(`${layer}.post_attention_layernorm`, x);
    const [gate, up] = ['gate', 'up'].map((name) => linear(`${layer}.mlp.${name}_proj`, n));
    const inner = gate.map((row, t) => row.map((z, f) => silu(z) * up[t][f]));
    x = add(x, linear(`${layer}.mlp.down_proj`, inner));
  }
  const y = norm('model.norm', x);
  const logits = timesTransposed(y, c.tie_word_embeddings ? E : rows(weights('lm_head.weight'), D));
  const update = adapt('lm_head', y);
  return update ? add(logits, update) : logits;
}

interface Gpt2Shape {
  readonly n_embd: number;
  readonly n_layer: number;
  readonly n_head: number;
  readonly layer_norm_epsilon: number;
}

/** Logits by position. */
export function gpt2Forward(c: Gpt2Shape, weights: Weights, tokens: readonly number[], adapt: Adapt): Matrix {
  const { n_embd: D, n_head: H } = c;
  const K = D / H;
  const conv = (name: string, x: Matrix): Matrix => {
    const bias = weights(`${name}.bias`);
    const y = timesTransposed(x, transpose(rows(weights(`${name}.weight`), bias.length))).map((row) =>
      row.map((v, j) => v + bias[j]),
    );
    const update = adapt(name, x);
    return update ? add(y, update) : y;
  };
  const norm = (name: string, x: Matrix): Matrix =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / D;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / D;
      const s = 1 / Math.sqrt(variance + c.layer_norm_epsilon);
      return row.map((v, d) => (v - mean) * s * weights(`${name}.weight`)[d] + weights(`${name}.bias`)[d]);
    });
  const [E, P] = ['wte', 'wpe'].map((name) => rows(weights(`transformer.${name}.weight`), D));
  let x = tokens.map((token, t) => E[token].map((v, d) => v + P[t][d]));
  for (let l = 0; l < c.n_layer; l++) {
    const layer = `transformer.h.${l}`;
    const qkv = conv(`${layer}.attn.c_attn`, norm(`${layer}.ln_1`, x));
    const heads = Array.from({ length: H }, (_, i) =>
      head(part(qkv, i * K, K), part(qkv, D + i * K, K), part(qkv, 2 * D + i * K, K)),
    );
    x = add(x, conv(`${layer}.attn.c_proj`, join(heads)));
    const inner = conv(`${layer}.mlp.c_fc`, norm(`${layer}.ln_2`, x)).map((row) => row.map(geluTanh));
    x = add(x, conv(`${layer}.mlp.c_proj`, inner));
  }
  return timesTransposed(norm('transformer.ln_f', x), E);
}
