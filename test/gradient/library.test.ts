/** Whole models of the library's blocks, against central differences. */
import { expect, test } from 'vitest';
import { differentiate, drawn, worstDifference } from './differences.ts';

const LLAMA = `
import { rmsnorm, linear, lora, rotary_attention, swiglu, head, masked_cross_entropy } from "std"
model llama {
  dim N = 2, T = 3, V = 7, D = 4, F = 6, H = 2, G = 1, L = 2, R = 2, K = D / H
  const eps = 1e-2, base = 10000, alpha = 8
  secret tokens[N * T]: index<V>
  secret target[N * T]: index<V>
  secret mask[N * T]: index<2>
  open E[V, D]: fixed<16, 12> from base "E"
  x[t, d] = round(E[tokens[t], d])
  repeat l: L at "layers.{l}" {
    h = rmsnorm(x, eps) at "input_layernorm"
    q = round(linear<H * K>(h) + lora<H * K, R>(h, alpha)) at "q_proj"
    k = round(linear<G * K>(h) + lora<G * K, R>(h, alpha)) at "k_proj"
    v = round(linear<G * K>(h) + lora<G * K, R>(h, alpha)) at "v_proj"
    o = rotary_attention(q as [N, T, H, K], k as [N, T, G, K], v as [N, T, G, K], base)
    a = round(x + linear<D>(o) at "o_proj")
    n = rmsnorm(a, eps) at "post"
    x' = round(a + swiglu<F>(n) at "mlp")
  }
  y = rmsnorm(x, eps) at "norm"
  logits = head(y, E)
  loss = masked_cross_entropy(logits, target, mask)
}
`;

const GPT2 = `
import { layernorm, conv1d, lora, fused_attention, mlp, head, masked_cross_entropy } from "std"
model gpt2 {
  dim N = 2, T = 3, V = 7, D = 4, F = 6, H = 2, L = 2, R = 2, K = D / H
  const eps = 1e-2, alpha = 4
  secret tokens[N * T]: index<V>
  secret target[N * T]: index<V>
  secret mask[N * T]: index<2>
  open E[V, D]: fixed<16, 12> from base "wte"
  open P[T, D]: fixed<16, 12> from base "wpe"
  x[t: N * T, d] = round(E[tokens[t], d] + P[t mod T, d])
  repeat l: L at "h.{l}" {
    n = layernorm(x, eps) at "ln_1"
    c = round(conv1d<3 * H * K>(n) + lora<3 * H * K, R>(n, alpha)) at "c_attn"
    o = fused_attention<H, K>(c as [N, T, 3 * H * K])
    a = round(x + conv1d<D>(o) at "c_proj")
    m = layernorm(a, eps) at "ln_2"
    x' = round(a + mlp<F>(m) at "mlp")
  }
  y = layernorm(x, eps) at "ln_f"
  logits = head(y, E)
  loss = masked_cross_entropy(logits, target, mask)
}
`;

test.each(Object.entries({ LLAMA, GPT2 }))('%s', (_, text) => {
  expect(worstDifference(differentiate(text), drawn(777))).toBeLessThan(1e-6);
});
