@group(0) @binding(0) var<uniform> p: array<vec4<u32>, 1024>;

@group(0) @binding(1) var<storage, read_write> arena0: array<vec4<u32>>;

fn load(arena: u32, quad: u32) -> vec4<u32> {
  return arena0[quad];
}

fn load_word(arena: u32, at: u32) -> u32 {
  return arena0[at >> 2u][at & 3u];
}

fn store(arena: u32, quad: u32, value: vec4<u32>) {
  arena0[quad] = value;
}

fn thread(group: vec3<u32>, local: u32) -> u32 {
  return (group.x + group.y * 0xffffu) * 64u + local;
}

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

fn fr_add(x: Fr, y: Fr) -> Fr {
  let s0 = x.v0.x + y.v0.x;
  let c0 = u32(s0 < x.v0.x);
  let h1 = x.v0.y + y.v0.y;
  let s1 = h1 + c0;
  let c1 = u32(h1 < x.v0.y) + u32(s1 < h1);
  let h2 = x.v0.z + y.v0.z;
  let s2 = h2 + c1;
  let c2 = u32(h2 < x.v0.z) + u32(s2 < h2);
  let h3 = x.v0.w + y.v0.w;
  let s3 = h3 + c2;
  let c3 = u32(h3 < x.v0.w) + u32(s3 < h3);
  let h4 = x.v1.x + y.v1.x;
  let s4 = h4 + c3;
  let c4 = u32(h4 < x.v1.x) + u32(s4 < h4);
  let h5 = x.v1.y + y.v1.y;
  let s5 = h5 + c4;
  let c5 = u32(h5 < x.v1.y) + u32(s5 < h5);
  let h6 = x.v1.z + y.v1.z;
  let s6 = h6 + c5;
  let c6 = u32(h6 < x.v1.z) + u32(s6 < h6);
  let h7 = x.v1.w + y.v1.w;
  let s7 = h7 + c6;
  let r0 = s0 - 1u;
  let b0 = u32(s0 < 1u);
  let g1 = s1 - 0xffffffffu;
  let r1 = g1 - b0;
  let b1 = u32(s1 < 0xffffffffu) + u32(g1 < b0);
  let g2 = s2 - 0xfffe5bfeu;
  let r2 = g2 - b1;
  let b2 = u32(s2 < 0xfffe5bfeu) + u32(g2 < b1);
  let g3 = s3 - 0x53bda402u;
  let r3 = g3 - b2;
  let b3 = u32(s3 < 0x53bda402u) + u32(g3 < b2);
  let g4 = s4 - 0x9a1d805u;
  let r4 = g4 - b3;
  let b4 = u32(s4 < 0x9a1d805u) + u32(g4 < b3);
  let g5 = s5 - 0x3339d808u;
  let r5 = g5 - b4;
  let b5 = u32(s5 < 0x3339d808u) + u32(g5 < b4);
  let g6 = s6 - 0x299d7d48u;
  let r6 = g6 - b5;
  let b6 = u32(s6 < 0x299d7d48u) + u32(g6 < b5);
  let g7 = s7 - 0x73eda753u;
  let r7 = g7 - b6;
  let b7 = u32(s7 < 0x73eda753u) + u32(g7 < b6);
  let below = b7 != 0u;
  return Fr(vec4<u32>(select(r0, s0, below), select(r1, s1, below), select(r2, s2, below), select(r3, s3, below)), vec4<u32>(select(r4, s4, below), select(r5, s5, below), select(r6, s6, below), select(r7, s7, below)));
}

fn fr_sub(x: Fr, y: Fr) -> Fr {
  let d0 = x.v0.x - y.v0.x;
  let b0 = u32(x.v0.x < y.v0.x);
  let g1 = x.v0.y - y.v0.y;
  let d1 = g1 - b0;
  let b1 = u32(x.v0.y < y.v0.y) + u32(g1 < b0);
  let g2 = x.v0.z - y.v0.z;
  let d2 = g2 - b1;
  let b2 = u32(x.v0.z < y.v0.z) + u32(g2 < b1);
  let g3 = x.v0.w - y.v0.w;
  let d3 = g3 - b2;
  let b3 = u32(x.v0.w < y.v0.w) + u32(g3 < b2);
  let g4 = x.v1.x - y.v1.x;
  let d4 = g4 - b3;
  let b4 = u32(x.v1.x < y.v1.x) + u32(g4 < b3);
  let g5 = x.v1.y - y.v1.y;
  let d5 = g5 - b4;
  let b5 = u32(x.v1.y < y.v1.y) + u32(g5 < b4);
  let g6 = x.v1.z - y.v1.z;
  let d6 = g6 - b5;
  let b6 = u32(x.v1.z < y.v1.z) + u32(g6 < b5);
  let g7 = x.v1.w - y.v1.w;
  let d7 = g7 - b6;
  let b7 = u32(x.v1.w < y.v1.w) + u32(g7 < b6);
  let borrow = 0u - b7;
  let r0 = d0 + (1u & borrow);
  let c0 = u32(r0 < d0);
  let h1 = d1 + (0xffffffffu & borrow);
  let r1 = h1 + c0;
  let c1 = u32(h1 < d1) + u32(r1 < h1);
  let h2 = d2 + (0xfffe5bfeu & borrow);
  let r2 = h2 + c1;
  let c2 = u32(h2 < d2) + u32(r2 < h2);
  let h3 = d3 + (0x53bda402u & borrow);
  let r3 = h3 + c2;
  let c3 = u32(h3 < d3) + u32(r3 < h3);
  let h4 = d4 + (0x9a1d805u & borrow);
  let r4 = h4 + c3;
  let c4 = u32(h4 < d4) + u32(r4 < h4);
  let h5 = d5 + (0x3339d808u & borrow);
  let r5 = h5 + c4;
  let c5 = u32(h5 < d5) + u32(r5 < h5);
  let h6 = d6 + (0x299d7d48u & borrow);
  let r6 = h6 + c5;
  let c6 = u32(h6 < d6) + u32(r6 < h6);
  let h7 = d7 + (0x73eda753u & borrow);
  let r7 = h7 + c6;
  return Fr(vec4<u32>(r0, r1, r2, r3), vec4<u32>(r4, r5, r6, r7));
}

fn fr_fit(x: Fr) -> Fr {
  let s0 = x.v0.x;
  let s1 = x.v0.y;
  let s2 = x.v0.z;
  let s3 = x.v0.w;
  let s4 = x.v1.x;
  let s5 = x.v1.y;
  let s6 = x.v1.z;
  let s7 = x.v1.w;
  let r0 = s0 - 1u;
  let b0 = u32(s0 < 1u);
  let g1 = s1 - 0xffffffffu;
  let r1 = g1 - b0;
  let b1 = u32(s1 < 0xffffffffu) + u32(g1 < b0);
  let g2 = s2 - 0xfffe5bfeu;
  let r2 = g2 - b1;
  let b2 = u32(s2 < 0xfffe5bfeu) + u32(g2 < b1);
  let g3 = s3 - 0x53bda402u;
  let r3 = g3 - b2;
  let b3 = u32(s3 < 0x53bda402u) + u32(g3 < b2);
  let g4 = s4 - 0x9a1d805u;
  let r4 = g4 - b3;
  let b4 = u32(s4 < 0x9a1d805u) + u32(g4 < b3);
  let g5 = s5 - 0x3339d808u;
  let r5 = g5 - b4;
  let b5 = u32(s5 < 0x3339d808u) + u32(g5 < b4);
  let g6 = s6 - 0x299d7d48u;
  let r6 = g6 - b5;
  let b6 = u32(s6 < 0x299d7d48u) + u32(g6 < b5);
  let g7 = s7 - 0x73eda753u;
  let r7 = g7 - b6;
  let b7 = u32(s7 < 0x73eda753u) + u32(g7 < b6);
  let below = b7 != 0u;
  return Fr(vec4<u32>(select(r0, s0, below), select(r1, s1, below), select(r2, s2, below), select(r3, s3, below)), vec4<u32>(select(r4, s4, below), select(r5, s5, below), select(r6, s6, below), select(r7, s7, below)));
}

fn fr_mul(x: Fr, y: Fr) -> Fr {
  let y0 = y.v0.x & 0x1fffu;
  let y1 = (y.v0.x >> 13u) & 0x1fffu;
  let y2 = ((y.v0.x >> 26u) | (y.v0.y << 6u)) & 0x1fffu;
  let y3 = (y.v0.y >> 7u) & 0x1fffu;
  let y4 = ((y.v0.y >> 20u) | (y.v0.z << 12u)) & 0x1fffu;
  let y5 = (y.v0.z >> 1u) & 0x1fffu;
  let y6 = (y.v0.z >> 14u) & 0x1fffu;
  let y7 = ((y.v0.z >> 27u) | (y.v0.w << 5u)) & 0x1fffu;
  let y8 = (y.v0.w >> 8u) & 0x1fffu;
  let y9 = ((y.v0.w >> 21u) | (y.v1.x << 11u)) & 0x1fffu;
  let y10 = (y.v1.x >> 2u) & 0x1fffu;
  let y11 = (y.v1.x >> 15u) & 0x1fffu;
  let y12 = ((y.v1.x >> 28u) | (y.v1.y << 4u)) & 0x1fffu;
  let y13 = (y.v1.y >> 9u) & 0x1fffu;
  let y14 = ((y.v1.y >> 22u) | (y.v1.z << 10u)) & 0x1fffu;
  let y15 = (y.v1.z >> 3u) & 0x1fffu;
  let y16 = (y.v1.z >> 16u) & 0x1fffu;
  let y17 = ((y.v1.z >> 29u) | (y.v1.w << 3u)) & 0x1fffu;
  let y18 = (y.v1.w >> 10u) & 0x1fffu;
  let y19 = (y.v1.w >> 23u);
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
  var t9 = 0u;
  var t10 = 0u;
  var t11 = 0u;
  var t12 = 0u;
  var t13 = 0u;
  var t14 = 0u;
  var t15 = 0u;
  var t16 = 0u;
  var t17 = 0u;
  var t18 = 0u;
  var t19 = 0u;
  for (var row = 0u; row < 20u; row += 1u) {
    let x = x0 & 0x1fffu;
  let a = t0 + x * y0;
  let q = (0u - a) & 0x1fffu;
  let k = (a + q * 1u) >> 13u;
  t0 = t1 + x * y1 + k;
  t1 = t2 + x * y2 + q * 0x1fc0u;
  t2 = t3 + x * y3 + q * 0x1fffu;
  t3 = t4 + x * y4 + q * 0xfffu;
  t4 = t5 + x * y5 + q * 0xdffu;
  t5 = t6 + x * y6 + q * 0x1ff9u;
  t6 = t7 + x * y7 + q * 95u;
  t7 = t8 + x * y8 + q * 0x1da4u;
  t8 = t9 + x * y9 + q * 0xa9du;
  t9 = t10 + x * y10 + q * 0x1601u;
  t10 = t11 + x * y11 + q * 0x1343u;
  t11 = t12 + x * y12 + q * 128u;
  t12 = t13 + x * y13 + q * 0x1cecu;
  t13 = t14 + x * y14 + q * 204u;
  t14 = t15 + x * y15 + q * 0xfa9u;
  t15 = t16 + x * y16 + q * 0x99du;
  t16 = t17 + x * y17 + q * 0x1a99u;
  t17 = t18 + x * y18 + q * 0x1b69u;
  t18 = t19 + x * y19 + q * 231u;
  t19 = 0u;
  x0 = (x0 >> 13u) | (x1 << 19u);
  x1 = (x1 >> 13u) | (x2 << 19u);
  x2 = (x2 >> 13u) | (x3 << 19u);
  x3 = (x3 >> 13u) | (x4 << 19u);
  x4 = (x4 >> 13u) | (x5 << 19u);
  x5 = (x5 >> 13u) | (x6 << 19u);
  x6 = (x6 >> 13u) | (x7 << 19u);
  x7 = x7 >> 13u;
  }
  t1 += t0 >> 13u;
  t0 &= 0x1fffu;
  t2 += t1 >> 13u;
  t1 &= 0x1fffu;
  t3 += t2 >> 13u;
  t2 &= 0x1fffu;
  t4 += t3 >> 13u;
  t3 &= 0x1fffu;
  t5 += t4 >> 13u;
  t4 &= 0x1fffu;
  t6 += t5 >> 13u;
  t5 &= 0x1fffu;
  t7 += t6 >> 13u;
  t6 &= 0x1fffu;
  t8 += t7 >> 13u;
  t7 &= 0x1fffu;
  t9 += t8 >> 13u;
  t8 &= 0x1fffu;
  t10 += t9 >> 13u;
  t9 &= 0x1fffu;
  t11 += t10 >> 13u;
  t10 &= 0x1fffu;
  t12 += t11 >> 13u;
  t11 &= 0x1fffu;
  t13 += t12 >> 13u;
  t12 &= 0x1fffu;
  t14 += t13 >> 13u;
  t13 &= 0x1fffu;
  t15 += t14 >> 13u;
  t14 &= 0x1fffu;
  t16 += t15 >> 13u;
  t15 &= 0x1fffu;
  t17 += t16 >> 13u;
  t16 &= 0x1fffu;
  t18 += t17 >> 13u;
  t17 &= 0x1fffu;
  t19 += t18 >> 13u;
  t18 &= 0x1fffu;
  let s0 = t0 | (t1 << 13u) | (t2 << 26u);
  let s1 = (t2 >> 6u) | (t3 << 7u) | (t4 << 20u);
  let s2 = (t4 >> 12u) | (t5 << 1u) | (t6 << 14u) | (t7 << 27u);
  let s3 = (t7 >> 5u) | (t8 << 8u) | (t9 << 21u);
  let s4 = (t9 >> 11u) | (t10 << 2u) | (t11 << 15u) | (t12 << 28u);
  let s5 = (t12 >> 4u) | (t13 << 9u) | (t14 << 22u);
  let s6 = (t14 >> 10u) | (t15 << 3u) | (t16 << 16u) | (t17 << 29u);
  let s7 = (t17 >> 3u) | (t18 << 10u) | (t19 << 23u);
  let r0 = s0 - 1u;
  let b0 = u32(s0 < 1u);
  let g1 = s1 - 0xffffffffu;
  let r1 = g1 - b0;
  let b1 = u32(s1 < 0xffffffffu) + u32(g1 < b0);
  let g2 = s2 - 0xfffe5bfeu;
  let r2 = g2 - b1;
  let b2 = u32(s2 < 0xfffe5bfeu) + u32(g2 < b1);
  let g3 = s3 - 0x53bda402u;
  let r3 = g3 - b2;
  let b3 = u32(s3 < 0x53bda402u) + u32(g3 < b2);
  let g4 = s4 - 0x9a1d805u;
  let r4 = g4 - b3;
  let b4 = u32(s4 < 0x9a1d805u) + u32(g4 < b3);
  let g5 = s5 - 0x3339d808u;
  let r5 = g5 - b4;
  let b5 = u32(s5 < 0x3339d808u) + u32(g5 < b4);
  let g6 = s6 - 0x299d7d48u;
  let r6 = g6 - b5;
  let b6 = u32(s6 < 0x299d7d48u) + u32(g6 < b5);
  let g7 = s7 - 0x73eda753u;
  let r7 = g7 - b6;
  let b7 = u32(s7 < 0x73eda753u) + u32(g7 < b6);
  let below = b7 != 0u;
  return Fr(vec4<u32>(select(r0, s0, below), select(r1, s1, below), select(r2, s2, below), select(r3, s3, below)), vec4<u32>(select(r4, s4, below), select(r5, s5, below), select(r6, s6, below), select(r7, s7, below)));
}

fn fr_zero() -> Fr {
  return Fr(vec4<u32>(0u, 0u, 0u, 0u), vec4<u32>(0u, 0u, 0u, 0u));
}

fn place(d: u32, i: u32) -> vec3<u32> {
  let v = p[d];
  let e = v.x + i;
  let s = p[v.z + (e >> v.w)];
  return vec3<u32>(s.x, s.y, e & ((1u << v.w) - 1u));
}

fn fr_at(d: u32, i: u32) -> Fr {
  if i >= p[d].y {
    return fr_zero();
  }
  let at = place(d, i);
  let quad = at.y + 2u * at.z;
  return Fr(load(at.x, quad), load(at.x, quad + 1u));
}

fn fr_put(d: u32, i: u32, x: Fr) {
  let at = place(d, i);
  let quad = at.y + 2u * at.z;
  store(at.x, quad, x.v0);
  store(at.x, quad + 1u, x.v1);
}

fn fr_arg(k: u32) -> Fr {
  return Fr(p[k], p[k + 1u]);
}

fn int2_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + (at.z >> 1u));
  let v = bitcast<i32>(w << (16u * (1u - (at.z & 1u)))) >> 16u;
  return vec2<u32>(bitcast<u32>(v), bitcast<u32>(v >> 31u));
}

fn fr_times(x: Fr, v: i32) -> Fr {
  let m = u32(abs(v));
  let top = (x.v1.z >> 31u) | (x.v1.w << 1u);
  let g = mac(top, 0x8d54253bu, 0u, 0u);
  let fraction = (g.y << 1u) | (g.x >> 31u);
  let q = mac(fraction, m, 0u, 0u).y;
  let d0 = bitcast<i32>((x.v0.x & 0x1fffu) * m) - bitcast<i32>(q * 1u);
  let t0 = bitcast<u32>(d0) & 0x1fffu;
  let d1 = bitcast<i32>(((x.v0.x >> 13u) & 0x1fffu) * m) - bitcast<i32>(q * 0u) + (d0 >> 13u);
  let t1 = bitcast<u32>(d1) & 0x1fffu;
  let d2 = bitcast<i32>((((x.v0.x >> 26u) | (x.v0.y << 6u)) & 0x1fffu) * m) - bitcast<i32>(q * 0x1fc0u) + (d1 >> 13u);
  let t2 = bitcast<u32>(d2) & 0x1fffu;
  let d3 = bitcast<i32>(((x.v0.y >> 7u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1fffu) + (d2 >> 13u);
  let t3 = bitcast<u32>(d3) & 0x1fffu;
  let d4 = bitcast<i32>((((x.v0.y >> 20u) | (x.v0.z << 12u)) & 0x1fffu) * m) - bitcast<i32>(q * 0xfffu) + (d3 >> 13u);
  let t4 = bitcast<u32>(d4) & 0x1fffu;
  let d5 = bitcast<i32>(((x.v0.z >> 1u) & 0x1fffu) * m) - bitcast<i32>(q * 0xdffu) + (d4 >> 13u);
  let t5 = bitcast<u32>(d5) & 0x1fffu;
  let d6 = bitcast<i32>(((x.v0.z >> 14u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1ff9u) + (d5 >> 13u);
  let t6 = bitcast<u32>(d6) & 0x1fffu;
  let d7 = bitcast<i32>((((x.v0.z >> 27u) | (x.v0.w << 5u)) & 0x1fffu) * m) - bitcast<i32>(q * 95u) + (d6 >> 13u);
  let t7 = bitcast<u32>(d7) & 0x1fffu;
  let d8 = bitcast<i32>(((x.v0.w >> 8u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1da4u) + (d7 >> 13u);
  let t8 = bitcast<u32>(d8) & 0x1fffu;
  let d9 = bitcast<i32>((((x.v0.w >> 21u) | (x.v1.x << 11u)) & 0x1fffu) * m) - bitcast<i32>(q * 0xa9du) + (d8 >> 13u);
  let t9 = bitcast<u32>(d9) & 0x1fffu;
  let d10 = bitcast<i32>(((x.v1.x >> 2u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1601u) + (d9 >> 13u);
  let t10 = bitcast<u32>(d10) & 0x1fffu;
  let d11 = bitcast<i32>(((x.v1.x >> 15u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1343u) + (d10 >> 13u);
  let t11 = bitcast<u32>(d11) & 0x1fffu;
  let d12 = bitcast<i32>((((x.v1.x >> 28u) | (x.v1.y << 4u)) & 0x1fffu) * m) - bitcast<i32>(q * 128u) + (d11 >> 13u);
  let t12 = bitcast<u32>(d12) & 0x1fffu;
  let d13 = bitcast<i32>(((x.v1.y >> 9u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1cecu) + (d12 >> 13u);
  let t13 = bitcast<u32>(d13) & 0x1fffu;
  let d14 = bitcast<i32>((((x.v1.y >> 22u) | (x.v1.z << 10u)) & 0x1fffu) * m) - bitcast<i32>(q * 204u) + (d13 >> 13u);
  let t14 = bitcast<u32>(d14) & 0x1fffu;
  let d15 = bitcast<i32>(((x.v1.z >> 3u) & 0x1fffu) * m) - bitcast<i32>(q * 0xfa9u) + (d14 >> 13u);
  let t15 = bitcast<u32>(d15) & 0x1fffu;
  let d16 = bitcast<i32>(((x.v1.z >> 16u) & 0x1fffu) * m) - bitcast<i32>(q * 0x99du) + (d15 >> 13u);
  let t16 = bitcast<u32>(d16) & 0x1fffu;
  let d17 = bitcast<i32>((((x.v1.z >> 29u) | (x.v1.w << 3u)) & 0x1fffu) * m) - bitcast<i32>(q * 0x1a99u) + (d16 >> 13u);
  let t17 = bitcast<u32>(d17) & 0x1fffu;
  let d18 = bitcast<i32>(((x.v1.w >> 10u) & 0x1fffu) * m) - bitcast<i32>(q * 0x1b69u) + (d17 >> 13u);
  let t18 = bitcast<u32>(d18) & 0x1fffu;
  let d19 = bitcast<i32>(((x.v1.w >> 23u)) * m) - bitcast<i32>(q * 231u) + (d18 >> 13u);
  let t19 = bitcast<u32>(d19) & 0x1fffu;
  let r = fr_fit(Fr(vec4<u32>(t0 | (t1 << 13u) | (t2 << 26u), (t2 >> 6u) | (t3 << 7u) | (t4 << 20u), (t4 >> 12u) | (t5 << 1u) | (t6 << 14u) | (t7 << 27u), (t7 >> 5u) | (t8 << 8u) | (t9 << 21u)), vec4<u32>((t9 >> 11u) | (t10 << 2u) | (t11 << 15u) | (t12 << 28u), (t12 >> 4u) | (t13 << 9u) | (t14 << 22u), (t14 >> 10u) | (t15 << 3u) | (t16 << 16u) | (t17 << 29u), (t17 >> 3u) | (t18 << 10u) | (t19 << 23u))));
  if v < 0 {
    return fr_sub(fr_zero(), r);
  }
  return r;
}

fn small_at(d: u32, i: u32) -> i32 {
  if i >= p[d].y {
    return 0;
  }
  return bitcast<i32>(int2_at(d, i).x);
}

var<workgroup> sums: array<Fr, 64>;

fn workgroup_sum(local: u32, mine: Fr) -> Fr {
  workgroupBarrier();
  sums[local] = mine;
  workgroupBarrier();
  for (var step = 32u; step > 0u; step >>= 1u) {
    if local < step {
      sums[local] = fr_add(sums[local], sums[local + step]);
    }
    workgroupBarrier();
  }
  return sums[0];
}

fn weight_at(j: u32) -> Fr {
  let k = j & ((1u << p[0].w) - 1u);
  if p[4].x == 0u {
    return fr_at(3u, k);
  }
  let outer = fr_at(2u, j >> p[0].w);
  if p[4].y == 0u {
    return outer;
  }
  return fr_mul(outer, fr_at(3u, k));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let c0 = fr_arg(5u);
  var s0 = fr_zero();
  var s1 = fr_zero();
  for (var j = thread(group, local); j < p[0].y; j += p[0].z * 64u) {
    let v0 = small_at(7u, j);
  let v1 = small_at(7u, j + p[0].x);
  let v2 = fr_at(8u, j);
  let v3 = fr_at(8u, j + p[0].x);
  let v4 = fr_at(9u, j);
  let v5 = fr_at(9u, j + p[0].x);
  let v6 = fr_at(10u, j);
  let v7 = fr_at(10u, j + p[0].x);
  let v8 = weight_at(j);
  let v9 = v1 - v0;
  let v10 = fr_sub(v3, v2);
  let v11 = fr_sub(v5, v4);
  let v12 = fr_sub(v7, v6);
  for (var k = 0u; k < 2u; k += 1u) {
  var x0: i32;
  var x1: Fr;
  var x2: Fr;
  var x3: Fr;
  switch k {
    case 0u: { x0 = v0; x1 = v2; x2 = v4; x3 = v6; }
    default: { x0 = v9; x1 = v10; x2 = v11; x3 = v12; }
  }
  let v13 = fr_times(x3, x0);
  let v14 = fr_mul(c0, x3);
  let v15 = fr_add(x1, v14);
  let v16 = fr_mul(x2, v15);
  let v17 = fr_add(v13, v16);
  let v18 = fr_mul(v8, v17);
  switch k {
    case 0u: { s0 = fr_add(s0, v18); }
    default: { s1 = fr_add(s1, v18); }
  }
  }
  }
  let group_number = (thread(group, local) - local) / 64u;
  let sum0 = workgroup_sum(local, s0);
  if local == 0u {
    fr_put(1u, group_number, sum0);
  }
  let sum1 = workgroup_sum(local, s1);
  if local == 0u {
    fr_put(1u, 1u * p[0].z + group_number, sum1);
  }
}

