fn mac(a: u32, b: u32, c: u32, d: u32) -> vec2<u32> {
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
}

struct Fr {
  v0: vec4<u32>,
  v1: vec4<u32>,
}

fn fr_mul(x: Fr, y: Fr) -> Fr {
  let y0 = y.v0.x;
  let y1 = y.v0.y;
  let y2 = y.v0.z;
  let y3 = y.v0.w;
  let y4 = y.v1.x;
  let y5 = y.v1.y;
  let y6 = y.v1.z;
  let y7 = y.v1.w;
  var x0 = x.v0.x;
  var x1 = x.v0.y;
  var x2 = x.v0.z;
  var x3 = x.v0.w;
  var x4 = x.v1.x;
  var x5 = x.v1.y;
  var x6 = x.v1.z;
  var x7 = x.v1.w;
  var t0 = 0u;
  var t1 = 0u;
  var t2 = 0u;
  var t3 = 0u;
  var t4 = 0u;
  var t5 = 0u;
  var t6 = 0u;
  var t7 = 0u;
  var t8 = 0u;
  var c = vec2<u32>();
  for (var row = 0u; row < 8u; row += 1u) {
    let x = x0;
  c = vec2<u32>();
  c = mac(x, y0, t0, c.y);
  t0 = c.x;
  c = mac(x, y1, t1, c.y);
  t1 = c.x;
  c = mac(x, y2, t2, c.y);
  t2 = c.x;
  c = mac(x, y3, t3, c.y);
  t3 = c.x;
  c = mac(x, y4, t4, c.y);
  t4 = c.x;
  c = mac(x, y5, t5, c.y);
  t5 = c.x;
  c = mac(x, y6, t6, c.y);
  t6 = c.x;
  c = mac(x, y7, t7, c.y);
  t7 = c.x;
  let o = t8 + c.y;
  let q = 0u - t0;
  c = mac(q, 1u, t0, 0u);
  c = mac(q, 0xffffffffu, t1, c.y);
  t0 = c.x;
  c = mac(q, 0xfffe5bfeu, t2, c.y);
  t1 = c.x;
  c = mac(q, 0x53bda402u, t3, c.y);
  t2 = c.x;
  c = mac(q, 0x9a1d805u, t4, c.y);
  t3 = c.x;
  c = mac(q, 0x3339d808u, t5, c.y);
  t4 = c.x;
  c = mac(q, 0x299d7d48u, t6, c.y);
  t5 = c.x;
  c = mac(q, 0x73eda753u, t7, c.y);
  t6 = c.x;
  t7 = o + c.y;
  t8 = u32(t7 < c.y);
  x0 = x1;
  x1 = x2;
  x2 = x3;
  x3 = x4;
  x4 = x5;
  x5 = x6;
  x6 = x7;
  }
  let r0 = t0 - 1u;
  let b0 = u32(t0 < 1u);
  let g1 = t1 - 0xffffffffu;
  let r1 = g1 - b0;
  let b1 = u32(t1 < 0xffffffffu) + u32(g1 < b0);
  let g2 = t2 - 0xfffe5bfeu;
  let r2 = g2 - b1;
  let b2 = u32(t2 < 0xfffe5bfeu) + u32(g2 < b1);
  let g3 = t3 - 0x53bda402u;
  let r3 = g3 - b2;
  let b3 = u32(t3 < 0x53bda402u) + u32(g3 < b2);
  let g4 = t4 - 0x9a1d805u;
  let r4 = g4 - b3;
  let b4 = u32(t4 < 0x9a1d805u) + u32(g4 < b3);
  let g5 = t5 - 0x3339d808u;
  let r5 = g5 - b4;
  let b5 = u32(t5 < 0x3339d808u) + u32(g5 < b4);
  let g6 = t6 - 0x299d7d48u;
  let r6 = g6 - b5;
  let b6 = u32(t6 < 0x299d7d48u) + u32(g6 < b5);
  let g7 = t7 - 0x73eda753u;
  let r7 = g7 - b6;
  let b7 = u32(t7 < 0x73eda753u) + u32(g7 < b6);
  let below = b7 != 0u;
  return Fr(vec4<u32>(select(r0, t0, below), select(r1, t1, below), select(r2, t2, below), select(r3, t3, below)), vec4<u32>(select(r4, t4, below), select(r5, t5, below), select(r6, t6, below), select(r7, t7, below)));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = thread(group, local);
  if i >= p[0].x {
    return;
  }
  let z = fr_mul(x, y);
}

