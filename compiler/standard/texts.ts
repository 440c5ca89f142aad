/** The files of `stdlib/`, which `test/stdlib/generate.ts` copies here: edit those. */
export const standardTexts: Readonly<Record<string, string>> = {
  'attention.zkl': `import { exp } from "std/functions"
import { rotate, rotate_interleaved, turn } from "std/rope"

/// Softmax over s <= t, for N sequences of T positions.
///
/// States: m is a maximum that is attained, w the tabulated exponential, r one correctly rounded reciprocal a row and p
/// one rounding an entry: exact statements all, so rows need no tolerance.
/// Costs 3 lookups and 2 columns an entry with s <= t, and a quotient a row. \`attend\` does without p.
///
/// Its derivative rounds nothing: the cotangents of scores are exact, for the caller to round.
block causal_softmax(z[N, H, T, T]) -> p[N, H, T, T] {
  m[n, h, t] = max(s if s <= t) z[n, h, t, s]
  w[n, h, t, s] = if s <= t then exp(round(z[n, h, t, s] - m[n, h, t])) else 0
  a[n, h, t] = sum(s) w[n, h, t, s]
  r[n, h, t] = round<19, 17>(1 / a[n, h, t])
  p[n, h, t, s] = round(w[n, h, t, s] * r[n, h, t])

  derivative(dp) -> dz {
    c[n, h, t] = sum(s) p[n, h, t, s] * dp[n, h, t, s]
    dz[n, h, t, s] = p[n, h, t, s] * (dp[n, h, t, s] - c[n, h, t])
  }
}

/// What causal attention makes of scores z and values v of N sequences of T positions: softmax over s <= t, times v. Head h
/// of H reads head h div (H / G) of v: G divides H, or \`H / G\` is an error. The results stand one below the other, the T of
/// the first sequence first.
///
/// States: m is a maximum that is attained; w is the tabulated exponential; r is one correctly rounded reciprocal a row, of
/// 17 fraction bits, so wrong by at most a / 2^18 of itself, a <= T; o is the exact sum of w · v times r, rounded once.
/// Probabilities are never rounded, nor committed: only w is. Masked entries of z play no part.
/// Costs one lookup and one column an entry of w with s <= t (the lookup also proves that m is an upper bound), a quotient
/// and the proof that m is attained a row, and 3 lookups and 2 columns an entry of o.
///
/// Its derivative rounds r · do, once an entry of o, and takes all else as exact sums of products with that, for the caller to
/// round: scores never are, and masked ones are 0 because w is. Beyond 128 positions r of 17 bits, and r · do of 16, would be
/// wrong by more than gradients are elsewhere: there do is rounded and multiplied by a reciprocal of 24 bits, a second
/// quotient a row.
block attend(z[N, H, T, T], v[N, T, G, K]) -> o[N * T, H * K] {
  m[n, h, t] = max(s if s <= t) z[n, h, t, s]
  w[n, h, t, s] = if s <= t then exp(round(z[n, h, t, s] - m[n, h, t])) else 0
  a[n, h, t] = sum(s) w[n, h, t, s]
  r[n, h, t] = round<19, 17>(1 / a[n, h, t])
  o[i, k] = round(
    r[i div T, k div K, i mod T] * sum(s) w[i div T, k div K, i mod T, s] * v[i div T, s, k div K div (H / G), k mod K]
  )

  derivative(do) -> dz, dv {
    d[i, k] = round(do[i, k])
    q[n, h, t] = if T <= 128 then r[n, h, t] else round<26, 24>(1 / a[n, h, t])
    u[i, k] = round(r[i div T, k div K, i mod T] * do[i, k])
    p[n, h, t, j: K] = if T <= 128 then u[n * T + t, h * K + j] else q[n, h, t] * d[n * T + t, h * K + j]
    c[n, h, t] = sum(j: K) o[n * T + t, h * K + j] * p[n, h, t, j]
    dz[n, h, t, s] = w[n, h, t, s] * (sum(j: K) p[n, h, t, j] * v[n, s, h div (H / G), j] - c[n, h, t])
    dv[n, s, g, j] = sum(t: T, e: H / G) w[n, g * (H / G) + e, t, s] * p[n, g * (H / G) + e, t, j]
  }
}

/// Causal attention with grouped heads, of N sequences of T positions: softmax(q kᵀ / sqrt(K)) v, each sequence by itself.
///
/// States: scores are exact sums rounded once, only those with s <= t; the rest as for \`attend\`.
/// Costs what \`attend\` costs, and a remainder of each score with s <= t: one lookup if K is a power of four, else two and a
/// column, since 1 / sqrt(K) is then a factor of 15 bits.
block attention(q[N, T, H, K], k[N, T, G, K], v[N, T, G, K]) -> o[N * T, H * K] {
  const c = round<16, 15>(1 / sqrt(K))

  z[n, h, t, s] = round(if s <= t then c * sum(j) q[n, t, h, j] * k[n, s, h div (H / G), j] else 0)
  o = attend(z, v)
}

/// Causal attention as GPT-2 has it: queries, keys and values of all heads stand side by side in one projection's result.
///
/// States and costs as \`attention\`; taking the three apart is free.
block fused_attention<H, K>(c[N, T, 3 * H * K]) -> o[N * T, H * K] {
  q[n, t, h: H, j: K] = c[n, t, h * K + j]
  k[n, t, h: H, j: K] = c[n, t, (H + h) * K + j]
  v[n, t, h: H, j: K] = c[n, t, (2 * H + h) * K + j]
  o = attention(q, k, v)
}

/// Causal attention with grouped heads and rotary positions, half-rotated layout.
///
/// States: queries are turned and divided by sqrt(K) in one rounding, keys are turned; scores are exact sums rounded once,
/// only those with s <= t; the rest as for \`attend\`.
/// Costs what \`rope\` and \`attend\` cost, and one lookup of a remainder for each score with s <= t.
block rotary_attention(q[N, T, H, K], k[N, T, G, K], v[N, T, G, K], const base) -> o[N * T, H * K] {
  a = rotate(q, base, K)
  b = rotate(k, base, 1)
  z[n, h, t, s] = round(if s <= t then sum(j) a[n, t, h, j] * b[n, s, h div (H / G), j] else 0)
  o = attend(z, v)
}

/// Causal attention with grouped heads and rotary positions, interleaved layout. States and costs as \`rotary_attention\`.
block interleaved_attention(q[N, T, H, K], k[N, T, G, K], v[N, T, G, K], const base) -> o[N * T, H * K] {
  a = rotate_interleaved(q, base, K)
  b = rotate_interleaved(k, base, 1)
  z[n, h, t, s] = round(if s <= t then sum(j) a[n, t, h, j] * b[n, s, h div (H / G), j] else 0)
  o = attend(z, v)
}

/// Causal attention with grouped heads, queries and keys turned by given angles (\`frequencies\` and its variants), scores
/// divided by sqrt(width): K, or what a model has in its place. States and costs as \`rotary_attention\`.
block turned_attention(q[N, T, H, K], k[N, T, G, K], v[N, T, G, K], f[J], const width) -> o[N * T, H * K] {
  a = turn(q, f, width)
  b = turn(k, f, 1)
  z[n, h, t, s] = round(if s <= t then sum(j) a[n, t, h, j] * b[n, s, h div (H / G), j] else 0)
  o = attend(z, v)
}

/// As \`turned_attention\`, of queries, keys and values that stand side by side in one projection's result, as Phi-3 has them.
/// Taking the three apart is free.
block fused_turned_attention<H, G, K>(c[N, T, (H + 2 * G) * K], f[J], const width) -> o[N * T, H * K] {
  q[n, t, h: H, j: K] = c[n, t, h * K + j]
  k[n, t, h: G, j: K] = c[n, t, (H + h) * K + j]
  v[n, t, h: G, j: K] = c[n, t, (H + G + h) * K + j]
  o = turned_attention(q, k, v, f, width)
}

/// As \`turned_attention\`, of queries, keys and values that stand side by side head by head, as GPT-NeoX has them. Taking the
/// three apart is free.
block headwise_turned_attention<H, K>(c[N, T, 3 * H * K], f[J], const width) -> o[N * T, H * K] {
  q[n, t, h: H, j: K] = c[n, t, 3 * h * K + j]
  k[n, t, h: H, j: K] = c[n, t, (3 * h + 1) * K + j]
  v[n, t, h: H, j: K] = c[n, t, (3 * h + 2) * K + j]
  o = turned_attention(q, k, v, f, width)
}
`,
  'embedding.zkl': `/// Rows of a table by tokens, public or secret. The table is a parameter, so that a tied head can share it.
///
/// States: y[t] is the row of E that tokens[t] names. Sound because a token is proved to be below V.
/// Costs no column; secret tokens cost the lookups of a gather, public ones nothing. The caller rounds the row, once, to
/// the type of the residual stream, after adding what is added to it.
block embedding(E[V, D], tokens[T]: index<V>) -> y[T, D] {
  y[t, d] = E[tokens[t], d]
}

/// A head tied to the embedding: a score for every token, \`y = x Eᵀ\`. An untied one is \`linear<V>(x) at "lm_head"\`.
///
/// States: y is the exact sum of products. Costs one sumcheck term and no column. Its argmax and its entries can be made
/// public as they are, without a rounding.
block head(x[T, D], E[V, D]) -> y[T, V] {
  y[t, v] = sum(d) x[t, d] * E[v, d]
}
`,
  'functions.zkl': `// The type of the argument gives a table its size and resolution: with 16 bits there are 2^16 values, as many as a proof
// commits multiplicities for. Calls with arguments of one type share one table.

/// e^x for x <= 0: what a softmax takes after its row's maximum is subtracted. exp(0) = 1 needs the seventeenth bit.
///
/// States: every value is e^x correctly rounded; below the domain it is that of its lower end.
/// The domain has 2^(B - 1) values: all differences of two scores of B - 1 bits and F fraction bits. Of such scores no
/// difference is ever clamped, and the lookup is all that proves one to be at most 0. An entry is wrong by at most
/// 2^-(F + 1) of itself.
table exp<B, F>(x: fixed<B, F> in [2 ^ -F - 2 ^ (B - 1 - F), 0] saturate) -> fixed<17, 15> = exp(x)

/// The natural logarithm for 1 <= x < 32.
///
/// States: every value is ln x correctly rounded; above the domain it is that of its end.
table log(x: fixed<17, 11> in [1, 31.99951171875] saturate) -> fixed<16, 13> = log(x)

/// x · sigmoid(x) (Elfwing et al., 2017).
///
/// States: every value correctly rounded, for all 2^B arguments; it has two fraction bits more than they do.
table silu<B, F>(x: fixed<B, F>) -> fixed<B + 2, F + 2> = x * (1 + tanh(x / 2)) / 2

/// The tanh form of GELU (Hendrycks and Gimpel, 2016), which is what GPT-2 computes. 0.7978845608 is sqrt(2 / pi).
///
/// States: every value correctly rounded, for all 2^B arguments; it has two fraction bits more than they do.
table gelu<B, F>(x: fixed<B, F>) -> fixed<B + 2, F + 2> = x * (1 + tanh(0.7978845608 * (x + 0.044715 * x ^ 3))) / 2

/// GELU itself, x times the normal distribution's probability below x.
///
/// States: every value correctly rounded, for all 2^B arguments; it has two fraction bits more than they do.
table gelu_erf<B, F>(x: fixed<B, F>) -> fixed<B + 2, F + 2> = x * (1 + erf(x / sqrt(2))) / 2

/// The larger of x and 0.
///
/// States: exactly that, for all 2^B arguments.
table relu<B, F>(x: fixed<B, F>) -> fixed<B, F> = (x + sqrt(x ^ 2)) / 2
`,
  'linear.zkl': `/// A projection as PyTorch stores it, \`y = x Wᵀ\`.
///
/// States: y is the exact sum of products, nothing is rounded. The caller rounds, once, after adding whatever belongs to
/// the same sum. Sound because the sum is a sumcheck over committed tensors.
/// Costs one sumcheck term and no column.
block linear<O>(x[T, I]) -> y[T, O] {
  open W[O, I] from base "weight"

  y[t, o] = sum(i) x[t, i] * W[o, i]
}

/// A projection with a bias, \`y = x Wᵀ + b\`.
///
/// States: y is exact, as for \`linear\`; a bias adds no rounding. Costs two sumcheck terms and no column.
block affine<O>(x[T, I]) -> y[T, O] {
  open W[O, I] from base "weight"
  open b[O] from base "bias"

  y[t, o] = b[o] + sum(i) x[t, i] * W[o, i]
}

/// A projection as GPT-2 stores it, transposed and with a bias, \`y = x W + b\`.
///
/// States: y is exact, as for \`linear\`. Costs two sumcheck terms and no column.
block conv1d<O>(x[T, I]) -> y[T, O] {
  open W[I, O] from base "weight"
  open b[O] from base "bias"

  y[t, o] = b[o] + sum(i) x[t, i] * W[i, o]
}
`,
  'lora.zkl': `/// What a LoRA adapter adds to a projection, \`alpha / R · x Aᵀ Bᵀ\` (Hu et al., 2021). \`a\` says which adapter; several are
/// added, or one taken in another's place, where the projection is rounded:
/// \`q = round(linear<O>(h) + lora<O, R>(h, 8) + lora<O, 4>(h, 16, style)) at "q_proj"\`.
///
/// States: y is exact; \`alpha / R\` only changes its scale. The product x Aᵀ is never rounded and never committed: B's
/// equation opens it as an inner sum. Sound because both products are sumchecks over committed tensors.
/// Costs two sumcheck terms, one level of the proof, and no column.
block lora<O, R>(x[T, I], const alpha, source a = adapter) -> y[T, O] {
  secret A[R, I]: fixed<16, 14> from a "lora_A.weight"
  secret B[O, R]: fixed<16, 14> from a "lora_B.weight"

  u[t, r] = sum(i) x[t, i] * A[r, i]
  y[t, o] = alpha / R * sum(r) u[t, r] * B[o, r]
}
`,
  'loss.zkl': `import { exp, log } from "std/functions"

/// Mean negative log-likelihood of \`target\`, for V < 2^20.
///
/// States: scores are rounded once, and what follows is about the rounded ones: as for a softmax, row by row; ln n is taken
/// as 4 ln n^(1/4), so that one table serves every n with an error of at most 1/500; the loss itself is rounded once.
/// Costs what rounding z costs, one lookup and one column an entry of z, and two roots a row. The logarithm is only proved
/// where the loss is made public: the gradient does not read it.
///
/// Its derivative rounds the share of a row, for cotangents of the loss below 2, and one reciprocal a row, wrong by at most
/// n / 2^25 of itself, n <= V; the cotangents of scores are exact, for the caller to round.
block cross_entropy(z[T, V], target[T]: index<V>) -> loss {
  x[t, v] = round(z[t, v])
  m[t] = max(v) x[t, v]
  w[t, v] = exp(round(x[t, v] - m[t]))
  n[t] = sum(v) w[t, v]
  h[t] = round<26, 15>(sqrt(n[t]))
  g[t] = round<18, 11>(sqrt(h[t]))
  loss = round(sum(t) (4 * log(round(g[t])) + m[t] - x[t, target[t]]) / T)

  derivative(dloss) -> dz {
    a = round<32, 30>(dloss / T)
    r[t] = round<26, 24>(1 / n[t])
    dz[t, v] = a * (w[t, v] * r[t] - [v == target[t]])
  }
}

/// Mean negative log-likelihood of \`target\` over the rows whose mask is 1: prompts and padding have 0. Without such a row the
/// loss is 0, and so is its gradient.
///
/// States and costs as \`cross_entropy\`; rows whose mask is 0 cost as much as the others and play no part.
///
/// Its derivative rounds as that of \`cross_entropy\`, the share of a row once for all rows.
block masked_cross_entropy(z[T, V], target[T]: index<V>, mask[T]: index<2>) -> loss {
  x[t, v] = round(z[t, v])
  m[t] = max(v) x[t, v]
  w[t, v] = exp(round(x[t, v] - m[t]))
  n[t] = sum(v) w[t, v]
  h[t] = round<26, 15>(sqrt(n[t]))
  g[t] = round<18, 11>(sqrt(h[t]))
  l[t] = 4 * log(round(g[t])) + m[t] - x[t, target[t]]
  rows = max(i: 2) (if i == 0 then 1 else sum(t) mask[t])
  loss = round(sum(t) mask[t] * l[t] / rows)

  derivative(dloss) -> dz {
    a = round<32, 30>(dloss / rows)
    r[t] = round<26, 24>(1 / n[t])
    dz[t, v] = a * mask[t] * (w[t, v] * r[t] - [v == target[t]])
  }
}
`,
  'mlp.zkl': `import { linear, conv1d } from "std/linear"
import { silu, gelu } from "std/functions"

/// LLaMA's gated feed-forward layer (Shazeer, 2020): down(silu(gate(x)) * up(x)).
///
/// States: gate and up are rounded once each; their product is exact, and so is the last projection, for the caller to
/// round with the residual.
/// Costs 4 lookups and 3 columns a hidden entry: gate's remainder and its table, up's range and remainder.
block swiglu<F>(x[T, D]) -> y[T, D] {
  g = silu(round(linear<F>(x) at "gate_proj"))
  u = round(linear<F>(x) at "up_proj")
  y = linear<D>(g * u) at "down_proj"
}

/// GPT-2's feed-forward layer: c_proj(gelu(c_fc(x))).
///
/// States: c_fc is rounded once, straight to the table; c_proj is exact, for the caller to round with the residual.
/// Costs 2 lookups and 2 columns a hidden entry.
block mlp<F>(x[T, D]) -> y[T, D] {
  g = gelu(round(conv1d<F>(x) at "c_fc"))
  y = conv1d<D>(g) at "c_proj"
}
`,
  'norm.zkl': `/// Root mean square normalisation (Zhang and Sennrich, 2019).
///
/// States: s is the correctly rounded reciprocal root of a row's mean square, one a row; y is the correctly rounded
/// product. The mean is never rounded by itself, and \`eps\` keeps the root's argument positive.
/// Costs a root a row; 3 lookups and 2 columns an entry of y (the remainder has more than 16 bits).
///
/// Its derivative rounds dy, once an entry, and one number a row, what the row's size itself contributes; dx is exact.
block rmsnorm(x[T, D], const eps) -> y[T, D] {
  open g[D] from base "weight"

  s[t] = round(1 / sqrt(eps + sum(d) x[t, d] * x[t, d] / D))
  y[t, d] = round(x[t, d] * s[t] * g[d])

  derivative(dy) -> dx {
    r[t, d] = round(dy[t, d])
    e[t] = round(s[t] * s[t] * sum(d) r[t, d] * y[t, d] / D)
    dx[t, d] = s[t] * g[d] * r[t, d] - x[t, d] * e[t]
  }
}

/// Layer normalisation (Ba et al., 2016), with gain and bias.
///
/// States: c is D times the exact deviation from the row's mean, which is never rounded nor divided; s is the correctly
/// rounded reciprocal of c's root mean square, so that the factor D cancels, one a row; y is rounded once.
/// Costs a root a row; 3 lookups and 2 columns an entry of y.
///
/// Its derivative rounds as that of \`rmsnorm\`; the mean's part of dx is exact and costs nothing, as c sums to 0.
block layernorm(x[T, D], const eps) -> y[T, D] {
  open g[D] from base "weight"
  open b[D] from base "bias"

  c[t, d] = D * x[t, d] - sum(i) x[t, i]
  s[t] = round(1 / sqrt(D * D * eps + sum(d) c[t, d] * c[t, d] / D))
  y[t, d] = round(c[t, d] * s[t] * g[d] + b[d])

  derivative(dy) -> dx {
    r[t, d] = round(dy[t, d])
    e[t] = round(s[t] * s[t] * sum(d) r[t, d] * (y[t, d] - b[d]) / D)
    dx[t, d] = D * (s[t] * g[d] * r[t, d] - c[t, d] * e[t]) - s[t] * sum(i) g[i] * r[t, i]
  }
}

/// Root mean square normalisation with the gain 1 + g, as Gemma stores it.
///
/// States: s as in \`rmsnorm\`; y is the exact product, for the caller to round, alone or with the residual.
/// Costs a root a row, and no column an entry: \`round(y)\` costs what \`rmsnorm\` does.
///
/// Its derivative rounds as that of \`rmsnorm\`.
block centred_rmsnorm(x[T, D], const eps) -> y[T, D] {
  open g[D] from base "weight"

  s[t] = round(1 / sqrt(eps + sum(d) x[t, d] * x[t, d] / D))
  y[t, d] = x[t, d] * s[t] * (1 + g[d])

  derivative(dy) -> dx {
    r[t, d] = round(dy[t, d])
    e[t] = round(s[t] * s[t] * sum(d) r[t, d] * y[t, d] / D)
    dx[t, d] = s[t] * (1 + g[d]) * r[t, d] - x[t, d] * e[t]
  }
}
`,
  'optimizers.zkl': `// An optimizer is read for every trained weight, in that weight's shape and type. It is given the weight, its gradient, the
// number of the step from 1, and if it takes a fourth tensor the norm of all gradients, \`fixed<32, 20>\`. A prime is a value
// after the step. States are as fine as the gradient is: \`fixed<32, F + 31 - B>\` holds twice what \`fixed<B, F>\` does.
//
// A constant argument may mention the input \`step\`, which counts from 0: \`rate = 1e-3 * (step + 1) / 100\` grows linearly over
// 100 steps, \`rate = round<32, 30>(1e-3 * (1 + cos(3.14159265 * step / 1000)) / 2)\` falls along a cosine. Such numbers are
// tabulated over the steps and cost nothing.

/// Gradient descent on a master copy of 28 fraction bits; the weight is its rounding to the weight's own type, so that steps
/// smaller than a unit of the weight add up.
///
/// States: the new master is the old one less rate times gradient, rounded once; the rate has 30 fraction bits and is below 2.
/// Costs about 7 lookups and 5 columns an entry: those of two roundings, to 32 and to 16 bits.
optimizer sgd(w, g, step, const rate) {
  state master: fixed<32, 28> = w

  public r = round<32, 30>(rate)

  master' = round(master - r * g)
  w' = round(master')
}

/// Gradient descent with momentum (Polyak, 1964; as PyTorch has it, without dampening): m is \`mu\` times itself plus the
/// gradient.
///
/// States: as \`sgd\`; m is rounded once. It holds 16 times what the gradient's type does, 12 bits finer: as much as it may come
/// to for a \`mu\` of up to 0.9375; with a larger one, a step in which it does not fit is an error that names it.
/// Costs about 11 lookups and 7 columns an entry; a \`mu\` that is a fraction of a power of two, 0.875, saves a lookup.
optimizer momentum(w, g: fixed<B, F>, step, const rate, const mu) {
  state master: fixed<32, 28> = w
  state m: fixed<32, F + 28 - B> = 0

  public r = round<32, 30>(rate)

  m' = round(mu * m + g)
  master' = round(master - r * m')
  w' = round(master')
}

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019), both moments corrected for their bias.
///
/// States: m and s, the root of the second moment, are rounded once each; so are the step u, whose size never comes near the
/// 128 that its type holds, and the new master. It is the root that is kept, not the moment, as its range is half as wide in
/// bits. s falls by what \`beta2\` says down to about 1 / (1 - beta2) of its units, 2^-20 of what the gradient's type holds, and
/// no further; \`eps\` is rounded to the resolution that c2 · s' has, 2^-32 of what the gradient's type holds, and must not be 0
/// there. \`beta1\` is below 0.99997, so that the correction of the first step fits.
/// Costs about 33 lookups and 25 columns an entry; betas and a decay that are fractions of a power of two, 0.875, 1 - 2 ^ -10
/// and 2 ^ -7, save 4 and 2 of them.
optimizer adamw(w, g: fixed<B, F>, step, const rate, const beta1, const beta2, const eps, const decay) {
  state master: fixed<32, 28> = w
  state m: fixed<32, F + 31 - B> = 0
  state s: fixed<32, F + 31 - B> = 0

  const e = round<64, F + 47 - B>(eps)
  public c1 = round<32, 16>(1 / (1 - beta1 ^ step))
  public c2 = round<32, 16>(1 / sqrt(1 - beta2 ^ step))
  public r = round<32, 30>(rate)

  m' = round(beta1 * m + (1 - beta1) * g)
  s' = round(sqrt(beta2 * s * s + (1 - beta2) * g * g))
  u = round<24, 16>(c1 * m' / (c2 * s' + e))
  master' = round(master - r * (u + decay * master))
  w' = round(master')
}

/// By what all gradients are multiplied so that their norm is at most \`limit\`: 1, or limit / norm. Rounded once, to 24 fraction
/// bits. Costs a quotient for each trained tensor.
block clipping(norm, const limit) -> f {
  largest = max(i: 2) (if i == 0 then norm else limit)
  f = round<26, 24>(limit / largest)
}

/// As \`momentum\`, of gradients whose norm over all trained weights is held at most \`limit\` (Pascanu et al., 2013). With a \`mu\` of
/// 0 it is gradient descent.
///
/// States and costs as \`momentum\`; the norm has 20 fraction bits, and a clipped gradient is exact.
optimizer clipped_momentum(w, g: fixed<B, F>, step, norm, const rate, const mu, const limit) {
  state master: fixed<32, 28> = w
  state m: fixed<32, F + 28 - B> = 0

  public r = round<32, 30>(rate)

  f = clipping(norm, limit)
  m' = round(mu * m + f * g)
  master' = round(master - r * m')
  w' = round(master')
}

/// As \`adamw\`, of gradients whose norm over all trained weights is held at most \`limit\`.
///
/// States: as \`adamw\`; the norm has 20 fraction bits, and a clipped gradient is exact.
/// Costs 2 lookups and 2 columns an entry more than \`adamw\`.
optimizer clipped_adamw(
  w,
  g: fixed<B, F>,
  step,
  norm,
  const rate,
  const beta1,
  const beta2,
  const eps,
  const decay,
  const limit
) {
  state master: fixed<32, 28> = w
  state m: fixed<32, F + 31 - B> = 0
  state s: fixed<32, F + 31 - B> = 0

  const e = round<64, F + 47 - B>(eps)
  public c1 = round<32, 16>(1 / (1 - beta1 ^ step))
  public c2 = round<32, 16>(1 / sqrt(1 - beta2 ^ step))
  public r = round<32, 30>(rate)

  f = clipping(norm, limit)
  m' = round(beta1 * m + (1 - beta1) * f * g)
  s' = round(sqrt(beta2 * s * s + (1 - beta2) * f * f * g * g))
  u = round<24, 16>(c1 * m' / (c2 * s' + e))
  master' = round(master - r * (u + decay * master))
  w' = round(master')
}
`,
  'rope.zkl': `/// Rotary positions, half-rotated layout (Su et al., 2021; as Hugging Face stores LLaMA): entries j and j + K / 2 are a
/// pair. N sequences of T positions, each from position 0.
///
/// States: y is q turned by constants that prover and verifier compute alike, correctly rounded cosines and sines; y is
/// rounded once. Costs 2 lookups and one column an entry.
block rope(q[N, T, H, K], const base) -> y[N, T, H, K] {
  y = rotate(q, base, 1)
}

/// Rotary positions, interleaved layout (as the original LLaMA and GPT-J store them): entries 2 j and 2 j + 1 are a pair.
///
/// States and costs as \`rope\`.
block rope_interleaved(q[N, T, H, K], const base) -> y[N, T, H, K] {
  y = rotate_interleaved(q, base, 1)
}

/// As \`rope\`, divided by sqrt(width) in the same rounding: K is what queries need before they meet keys.
block rotate(q[N, T, H, K], const base, const width) -> y[N, T, H, K] {
  const C[t: T, j: K / 2] = round<16, 14>(cos(t * base ^ (-2 * j / K)) / sqrt(width))
  const S[t: T, j: K / 2] = round<16, 14>(sin(t * base ^ (-2 * j / K)) / sqrt(width))

  y[n, t, h, j] = round(
    if j < K / 2 then q[n, t, h, j] * C[t, j] - q[n, t, h, j + K / 2] * S[t, j]
    else q[n, t, h, j] * C[t, j - K / 2] + q[n, t, h, j - K / 2] * S[t, j - K / 2]
  )
}

/// As \`rope_interleaved\`, divided by sqrt(width) in the same rounding.
block rotate_interleaved(q[N, T, H, K], const base, const width) -> y[N, T, H, K] {
  const C[t: T, j: K / 2] = round<16, 14>(cos(t * base ^ (-2 * j / K)) / sqrt(width))
  const S[t: T, j: K / 2] = round<16, 14>(sin(t * base ^ (-2 * j / K)) / sqrt(width))

  y[n, t, h, j] = round(
    if j mod 2 == 0 then q[n, t, h, j] * C[t, j div 2] - q[n, t, h, j + 1] * S[t, j div 2]
    else q[n, t, h, j] * C[t, j div 2] + q[n, t, h, j - 1] * S[t, j div 2]
  )
}

/// Rotary angles a position, f[j] = base^(-j / J) / factor: \`factor\` is 1, or what linear scaling divides positions by.
/// A constant, for \`turn\`: 46 fraction bits hold an angle of 2^17 positions to 2^-30. Costs nothing.
block frequencies<J>(const base, const factor) -> f[J] {
  const f[j: J] = round<48, 46>(base ^ (-j / J) / factor)
}

/// Rotary angles as Llama 3.1 scales them: those of wavelengths beyond \`length / low\` are divided by \`factor\`, those below
/// \`length / high\` are kept, and between lies a mean (huggingface/transformers, \`modeling_rope_utils.py\`). A constant, as
/// \`frequencies\`. |s| is sqrt(s^2), and (|s| - |s - 1| + 1) / 2 is s held in [0, 1].
block llama3_frequencies<J>(const base, const factor, const low, const high, const length) -> f[J] {
  const s[j: J] = round<48, 30>((length * base ^ (-j / J) / 6.283185307179586 - low) / (high - low))
  const m[j: J] = (sqrt(s[j] ^ 2) - sqrt((s[j] - 1) ^ 2) + 1) / 2
  const f[j: J] = round<48, 46>(base ^ (-j / J) * (m[j] + (1 - m[j]) / factor))
}

/// Rotary angles as YaRN scales them (Peng et al., 2023): up to \`low\` they are kept, from \`high\` on divided by \`factor\`, and
/// between lies a mean. A constant, as \`frequencies\`.
block yarn_frequencies<J>(const base, const factor, const low, const high) -> f[J] {
  const m[j: J] = (sqrt(((j - low) / (high - low)) ^ 2) - sqrt(((j - high) / (high - low)) ^ 2) + 1) / 2
  const f[j: J] = round<48, 46>(base ^ (-j / J) * (1 - m[j] + m[j] / factor))
}

/// As \`rotate\`, by given angles a position: the first 2 J entries of a head are turned, entries j and j + J by f[j], and
/// those after them are kept. All are divided by sqrt(width) in the same rounding. f is a constant.
///
/// States and costs as \`rope\`.
block turn(q[N, T, H, K], f[J], const width) -> y[N, T, H, K] {
  const C[t: T, j: J] = round<16, 14>(cos(t * f[j]) / sqrt(width))
  const S[t: T, j: J] = round<16, 14>(sin(t * f[j]) / sqrt(width))
  const c = round<16, 14>(1 / sqrt(width))

  y[n, t, h, j] = round(
    if j < J then q[n, t, h, j] * C[t, j] - q[n, t, h, j + J] * S[t, j]
    else if j < 2 * J then q[n, t, h, j] * C[t, j - J] + q[n, t, h, j - J] * S[t, j - J]
    else c * q[n, t, h, j]
  )
}
`,
  'std.zkl': `// The standard library: what \`import { ... } from "std"\` finds. Each block says what it states, why that is sound and what
// it costs.
//
// Costs are per entry of the named tensor, in lookups and committed columns, which is what a proof's time goes into:
// - an exact equation (sums, products, views) costs neither: it is a term of a batched sumcheck;
// - a \`round\` that drops s fraction bits costs 1 + ceil(s / 16) lookups (the value's range, its remainder in limbs of 16
//   bits) and ceil(s / 16) columns. s is known from the scales: x times W rounded to y drops frac(x) + frac(W) - frac(y);
// - a table costs one lookup and one column, and the \`round\` above it saves the lookup of its range;
// - a quotient or root costs about 5 lookups and 3 columns: blocks take one a row, never one an entry.
// Where a scale is no power of two (a division by 3, \`alpha / R\` with R = 6) the remainder's range is no power of two
// either, which costs one lookup more: blocks avoid it.
//
// A residual needs no block: \`a = round(x + linear<D>(o))\` rounds the projection and the sum once.
import { linear, affine, conv1d } from "std/linear"
import { lora } from "std/lora"
import { embedding, head } from "std/embedding"
import { rmsnorm, centred_rmsnorm, layernorm } from "std/norm"
import {
  rope,
  rope_interleaved,
  rotate,
  rotate_interleaved,
  turn,
  frequencies,
  llama3_frequencies,
  yarn_frequencies
} from "std/rope"
import {
  attention,
  fused_attention,
  rotary_attention,
  interleaved_attention,
  turned_attention,
  fused_turned_attention,
  headwise_turned_attention,
  attend,
  causal_softmax
} from "std/attention"
import { exp, log, silu, gelu, gelu_erf, relu } from "std/functions"
import { swiglu, mlp } from "std/mlp"
import { cross_entropy, masked_cross_entropy } from "std/loss"
import { sgd, momentum, adamw, clipping, clipped_momentum, clipped_adamw } from "std/optimizers"
`,
};
