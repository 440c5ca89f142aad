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

struct Fq {
  v0: vec4<u32>,
  v1: vec4<u32>,
  v2: vec4<u32>,
}

fn fq_add(x: Fq, y: Fq) -> Fq {
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
  let c7 = u32(h7 < x.v1.w) + u32(s7 < h7);
  let h8 = x.v2.x + y.v2.x;
  let s8 = h8 + c7;
  let c8 = u32(h8 < x.v2.x) + u32(s8 < h8);
  let h9 = x.v2.y + y.v2.y;
  let s9 = h9 + c8;
  let c9 = u32(h9 < x.v2.y) + u32(s9 < h9);
  let h10 = x.v2.z + y.v2.z;
  let s10 = h10 + c9;
  let c10 = u32(h10 < x.v2.z) + u32(s10 < h10);
  let h11 = x.v2.w + y.v2.w;
  let s11 = h11 + c10;
  let r0 = s0 - 0xffffaaabu;
  let b0 = u32(s0 < 0xffffaaabu);
  let g1 = s1 - 0xb9feffffu;
  let r1 = g1 - b0;
  let b1 = u32(s1 < 0xb9feffffu) + u32(g1 < b0);
  let g2 = s2 - 0xb153ffffu;
  let r2 = g2 - b1;
  let b2 = u32(s2 < 0xb153ffffu) + u32(g2 < b1);
  let g3 = s3 - 0x1eabfffeu;
  let r3 = g3 - b2;
  let b3 = u32(s3 < 0x1eabfffeu) + u32(g3 < b2);
  let g4 = s4 - 0xf6b0f624u;
  let r4 = g4 - b3;
  let b4 = u32(s4 < 0xf6b0f624u) + u32(g4 < b3);
  let g5 = s5 - 0x6730d2a0u;
  let r5 = g5 - b4;
  let b5 = u32(s5 < 0x6730d2a0u) + u32(g5 < b4);
  let g6 = s6 - 0xf38512bfu;
  let r6 = g6 - b5;
  let b6 = u32(s6 < 0xf38512bfu) + u32(g6 < b5);
  let g7 = s7 - 0x64774b84u;
  let r7 = g7 - b6;
  let b7 = u32(s7 < 0x64774b84u) + u32(g7 < b6);
  let g8 = s8 - 0x434bacd7u;
  let r8 = g8 - b7;
  let b8 = u32(s8 < 0x434bacd7u) + u32(g8 < b7);
  let g9 = s9 - 0x4b1ba7b6u;
  let r9 = g9 - b8;
  let b9 = u32(s9 < 0x4b1ba7b6u) + u32(g9 < b8);
  let g10 = s10 - 0x397fe69au;
  let r10 = g10 - b9;
  let b10 = u32(s10 < 0x397fe69au) + u32(g10 < b9);
  let g11 = s11 - 0x1a0111eau;
  let r11 = g11 - b10;
  let b11 = u32(s11 < 0x1a0111eau) + u32(g11 < b10);
  let below = b11 != 0u;
  return Fq(vec4<u32>(select(r0, s0, below), select(r1, s1, below), select(r2, s2, below), select(r3, s3, below)), vec4<u32>(select(r4, s4, below), select(r5, s5, below), select(r6, s6, below), select(r7, s7, below)), vec4<u32>(select(r8, s8, below), select(r9, s9, below), select(r10, s10, below), select(r11, s11, below)));
}

fn fq_sub(x: Fq, y: Fq) -> Fq {
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
  let g8 = x.v2.x - y.v2.x;
  let d8 = g8 - b7;
  let b8 = u32(x.v2.x < y.v2.x) + u32(g8 < b7);
  let g9 = x.v2.y - y.v2.y;
  let d9 = g9 - b8;
  let b9 = u32(x.v2.y < y.v2.y) + u32(g9 < b8);
  let g10 = x.v2.z - y.v2.z;
  let d10 = g10 - b9;
  let b10 = u32(x.v2.z < y.v2.z) + u32(g10 < b9);
  let g11 = x.v2.w - y.v2.w;
  let d11 = g11 - b10;
  let b11 = u32(x.v2.w < y.v2.w) + u32(g11 < b10);
  let borrow = 0u - b11;
  let r0 = d0 + (0xffffaaabu & borrow);
  let c0 = u32(r0 < d0);
  let h1 = d1 + (0xb9feffffu & borrow);
  let r1 = h1 + c0;
  let c1 = u32(h1 < d1) + u32(r1 < h1);
  let h2 = d2 + (0xb153ffffu & borrow);
  let r2 = h2 + c1;
  let c2 = u32(h2 < d2) + u32(r2 < h2);
  let h3 = d3 + (0x1eabfffeu & borrow);
  let r3 = h3 + c2;
  let c3 = u32(h3 < d3) + u32(r3 < h3);
  let h4 = d4 + (0xf6b0f624u & borrow);
  let r4 = h4 + c3;
  let c4 = u32(h4 < d4) + u32(r4 < h4);
  let h5 = d5 + (0x6730d2a0u & borrow);
  let r5 = h5 + c4;
  let c5 = u32(h5 < d5) + u32(r5 < h5);
  let h6 = d6 + (0xf38512bfu & borrow);
  let r6 = h6 + c5;
  let c6 = u32(h6 < d6) + u32(r6 < h6);
  let h7 = d7 + (0x64774b84u & borrow);
  let r7 = h7 + c6;
  let c7 = u32(h7 < d7) + u32(r7 < h7);
  let h8 = d8 + (0x434bacd7u & borrow);
  let r8 = h8 + c7;
  let c8 = u32(h8 < d8) + u32(r8 < h8);
  let h9 = d9 + (0x4b1ba7b6u & borrow);
  let r9 = h9 + c8;
  let c9 = u32(h9 < d9) + u32(r9 < h9);
  let h10 = d10 + (0x397fe69au & borrow);
  let r10 = h10 + c9;
  let c10 = u32(h10 < d10) + u32(r10 < h10);
  let h11 = d11 + (0x1a0111eau & borrow);
  let r11 = h11 + c10;
  return Fq(vec4<u32>(r0, r1, r2, r3), vec4<u32>(r4, r5, r6, r7), vec4<u32>(r8, r9, r10, r11));
}

fn fq_mul(x: Fq, y: Fq) -> Fq {
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
  let y19 = ((y.v1.w >> 23u) | (y.v2.x << 9u)) & 0x1fffu;
  let y20 = (y.v2.x >> 4u) & 0x1fffu;
  let y21 = (y.v2.x >> 17u) & 0x1fffu;
  let y22 = ((y.v2.x >> 30u) | (y.v2.y << 2u)) & 0x1fffu;
  let y23 = (y.v2.y >> 11u) & 0x1fffu;
  let y24 = ((y.v2.y >> 24u) | (y.v2.z << 8u)) & 0x1fffu;
  let y25 = (y.v2.z >> 5u) & 0x1fffu;
  let y26 = (y.v2.z >> 18u) & 0x1fffu;
  let y27 = ((y.v2.z >> 31u) | (y.v2.w << 1u)) & 0x1fffu;
  let y28 = (y.v2.w >> 12u) & 0x1fffu;
  let y29 = (y.v2.w >> 25u);
  var x0 = x.v0.x;
  var x1 = x.v0.y;
  var x2 = x.v0.z;
  var x3 = x.v0.w;
  var x4 = x.v1.x;
  var x5 = x.v1.y;
  var x6 = x.v1.z;
  var x7 = x.v1.w;
  var x8 = x.v2.x;
  var x9 = x.v2.y;
  var x10 = x.v2.z;
  var x11 = x.v2.w;
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
  var t20 = 0u;
  var t21 = 0u;
  var t22 = 0u;
  var t23 = 0u;
  var t24 = 0u;
  var t25 = 0u;
  var t26 = 0u;
  var t27 = 0u;
  var t28 = 0u;
  var t29 = 0u;
  for (var row = 0u; row < 30u; row += 1u) {
    let x = x0 & 0x1fffu;
  let a = t0 + x * y0;
  let q = (a * 0x1ffdu) & 0x1fffu;
  let k = (a + q * 0xaabu) >> 13u;
  t0 = t1 + x * y1 + q * 0x1ffdu + k;
  t1 = t2 + x * y2 + q * 0x1fffu;
  t2 = t3 + x * y3 + q * 0x1dffu;
  t3 = t4 + x * y4 + q * 0x1b9fu;
  t4 = t5 + x * y5 + q * 0x1fffu;
  t5 = t6 + x * y6 + q * 0x54fu;
  t6 = t7 + x * y7 + q * 0x1fd6u;
  t7 = t8 + x * y8 + q * 0xbffu;
  t8 = t9 + x * y9 + q * 245u;
  t9 = t10 + x * y10 + q * 0x1d89u;
  t10 = t11 + x * y11 + q * 0xd61u;
  t11 = t12 + x * y12 + q * 0xa0fu;
  t12 = t13 + x * y13 + q * 0x1869u;
  t13 = t14 + x * y14 + q * 0x1d9cu;
  t14 = t15 + x * y15 + q * 599u;
  t15 = t16 + x * y16 + q * 0x1385u;
  t16 = t17 + x * y17 + q * 0x1c27u;
  t17 = t18 + x * y18 + q * 0x1dd2u;
  t18 = t19 + x * y19 + q * 0xec8u;
  t19 = t20 + x * y20 + q * 0x1acdu;
  t20 = t21 + x * y21 + q * 421u;
  t21 = t22 + x * y22 + q * 0x1ed9u;
  t22 = t23 + x * y23 + q * 884u;
  t23 = t24 + x * y24 + q * 0x1a4bu;
  t24 = t25 + x * y25 + q * 0x1f34u;
  t25 = t26 + x * y26 + q * 0xe5fu;
  t26 = t27 + x * y27 + q * 980u;
  t27 = t28 + x * y28 + q * 17u;
  t28 = t29 + x * y29 + q * 13u;
  t29 = 0u;
  x0 = (x0 >> 13u) | (x1 << 19u);
  x1 = (x1 >> 13u) | (x2 << 19u);
  x2 = (x2 >> 13u) | (x3 << 19u);
  x3 = (x3 >> 13u) | (x4 << 19u);
  x4 = (x4 >> 13u) | (x5 << 19u);
  x5 = (x5 >> 13u) | (x6 << 19u);
  x6 = (x6 >> 13u) | (x7 << 19u);
  x7 = (x7 >> 13u) | (x8 << 19u);
  x8 = (x8 >> 13u) | (x9 << 19u);
  x9 = (x9 >> 13u) | (x10 << 19u);
  x10 = (x10 >> 13u) | (x11 << 19u);
  x11 = x11 >> 13u;
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
  t20 += t19 >> 13u;
  t19 &= 0x1fffu;
  t21 += t20 >> 13u;
  t20 &= 0x1fffu;
  t22 += t21 >> 13u;
  t21 &= 0x1fffu;
  t23 += t22 >> 13u;
  t22 &= 0x1fffu;
  t24 += t23 >> 13u;
  t23 &= 0x1fffu;
  t25 += t24 >> 13u;
  t24 &= 0x1fffu;
  t26 += t25 >> 13u;
  t25 &= 0x1fffu;
  t27 += t26 >> 13u;
  t26 &= 0x1fffu;
  t28 += t27 >> 13u;
  t27 &= 0x1fffu;
  t29 += t28 >> 13u;
  t28 &= 0x1fffu;
  let s0 = t0 | (t1 << 13u) | (t2 << 26u);
  let s1 = (t2 >> 6u) | (t3 << 7u) | (t4 << 20u);
  let s2 = (t4 >> 12u) | (t5 << 1u) | (t6 << 14u) | (t7 << 27u);
  let s3 = (t7 >> 5u) | (t8 << 8u) | (t9 << 21u);
  let s4 = (t9 >> 11u) | (t10 << 2u) | (t11 << 15u) | (t12 << 28u);
  let s5 = (t12 >> 4u) | (t13 << 9u) | (t14 << 22u);
  let s6 = (t14 >> 10u) | (t15 << 3u) | (t16 << 16u) | (t17 << 29u);
  let s7 = (t17 >> 3u) | (t18 << 10u) | (t19 << 23u);
  let s8 = (t19 >> 9u) | (t20 << 4u) | (t21 << 17u) | (t22 << 30u);
  let s9 = (t22 >> 2u) | (t23 << 11u) | (t24 << 24u);
  let s10 = (t24 >> 8u) | (t25 << 5u) | (t26 << 18u) | (t27 << 31u);
  let s11 = (t27 >> 1u) | (t28 << 12u) | (t29 << 25u);
  let r0 = s0 - 0xffffaaabu;
  let b0 = u32(s0 < 0xffffaaabu);
  let g1 = s1 - 0xb9feffffu;
  let r1 = g1 - b0;
  let b1 = u32(s1 < 0xb9feffffu) + u32(g1 < b0);
  let g2 = s2 - 0xb153ffffu;
  let r2 = g2 - b1;
  let b2 = u32(s2 < 0xb153ffffu) + u32(g2 < b1);
  let g3 = s3 - 0x1eabfffeu;
  let r3 = g3 - b2;
  let b3 = u32(s3 < 0x1eabfffeu) + u32(g3 < b2);
  let g4 = s4 - 0xf6b0f624u;
  let r4 = g4 - b3;
  let b4 = u32(s4 < 0xf6b0f624u) + u32(g4 < b3);
  let g5 = s5 - 0x6730d2a0u;
  let r5 = g5 - b4;
  let b5 = u32(s5 < 0x6730d2a0u) + u32(g5 < b4);
  let g6 = s6 - 0xf38512bfu;
  let r6 = g6 - b5;
  let b6 = u32(s6 < 0xf38512bfu) + u32(g6 < b5);
  let g7 = s7 - 0x64774b84u;
  let r7 = g7 - b6;
  let b7 = u32(s7 < 0x64774b84u) + u32(g7 < b6);
  let g8 = s8 - 0x434bacd7u;
  let r8 = g8 - b7;
  let b8 = u32(s8 < 0x434bacd7u) + u32(g8 < b7);
  let g9 = s9 - 0x4b1ba7b6u;
  let r9 = g9 - b8;
  let b9 = u32(s9 < 0x4b1ba7b6u) + u32(g9 < b8);
  let g10 = s10 - 0x397fe69au;
  let r10 = g10 - b9;
  let b10 = u32(s10 < 0x397fe69au) + u32(g10 < b9);
  let g11 = s11 - 0x1a0111eau;
  let r11 = g11 - b10;
  let b11 = u32(s11 < 0x1a0111eau) + u32(g11 < b10);
  let below = b11 != 0u;
  return Fq(vec4<u32>(select(r0, s0, below), select(r1, s1, below), select(r2, s2, below), select(r3, s3, below)), vec4<u32>(select(r4, s4, below), select(r5, s5, below), select(r6, s6, below), select(r7, s7, below)), vec4<u32>(select(r8, s8, below), select(r9, s9, below), select(r10, s10, below), select(r11, s11, below)));
}

fn fq_is_zero(x: Fq) -> bool {
  return all((x.v0 | x.v1 | x.v2) == vec4<u32>());
}

fn fq_zero() -> Fq {
  return Fq(vec4<u32>(0u, 0u, 0u, 0u), vec4<u32>(0u, 0u, 0u, 0u), vec4<u32>(0u, 0u, 0u, 0u));
}

fn fq_one() -> Fq {
  return Fq(vec4<u32>(0xd1ff2eu, 0x46760000u, 0x9b4800acu, 0x84b80337u), vec4<u32>(0xe882431cu, 0xdd9a7e0u, 0xb683dcf8u, 0xc26c26d0u), vec4<u32>(0x63c4a5eeu, 0x29f14576u, 0x7f3e804bu, 0x15de996u));
}

struct G1 {
  x: Fq,
  y: Fq,
  z: Fq,
}

struct G1Affine {
  x: Fq,
  y: Fq,
}

fn g1_infinity() -> G1 {
  return G1(fq_zero(), fq_one(), fq_zero());
}

fn g1_add_affine(a: G1, b: G1Affine) -> G1 {
  var s0 = a.x; var s1 = b.x; var s2 = a.y; var s3 = fq_add(a.x, a.y);
  var t0 = a.z; var t1 = b.y; var t2 = b.y; var t3 = fq_add(b.x, b.y);
  var u0: Fq; var u1: Fq; var u2: Fq;
  var v0: Fq; var v1: Fq; var v2: Fq;
  for (var step = 0u; step < 6u; step += 1u) {
    let u = fq_mul(s0, s1);
    var v = v2;
    if step != 2u {
      v = fq_mul(t0, t1);
    }
    if step < 3u {
      u0 = u1; u1 = u2; u2 = u;
      v0 = v1; v1 = v2; v2 = v;
      s0 = s2; s2 = s3;
      s1 = t2; t2 = t3;
      t1 = b.x;
      if step == 2u {
        let bz_2 = fq_add(a.z, a.z);
        let bz_4 = fq_add(bz_2, bz_2);
        let bz = fq_add(bz_4, fq_add(bz_4, bz_4));
        let xz_2 = fq_add(fq_add(v1, a.x), fq_add(v1, a.x));
        let xz_4 = fq_add(xz_2, xz_2);
        let xz = fq_add(xz_4, fq_add(xz_4, xz_4));
        let xx = fq_add(u0, fq_add(u0, u0));
        let xy = fq_sub(u2, fq_add(u0, u1));
        let yz = fq_add(v0, a.y);
        let plus = fq_add(u1, bz); let minus = fq_sub(u1, bz);
        s0 = xy; s1 = minus; s2 = plus; s3 = yz;
        t0 = fq_sub(fq_zero(), yz); t1 = xz; t2 = xx; t3 = xy;
      }
    } else {
      u0 = u1; u1 = u2; u2 = fq_add(u, v);
      s0 = s1; s1 = s2; s2 = s3;
      t0 = t1; t1 = t2; t2 = t3;
    }
  }
  return G1(u0, u1, u2);
}

fn fq_load(arena: u32, quad: u32) -> Fq {
  return Fq(load(arena, quad), load(arena, quad + 1u), load(arena, quad + 2u));
}

fn fq_store(arena: u32, quad: u32, x: Fq) {
  store(arena, quad, x.v0);
  store(arena, quad + 1u, x.v1);
  store(arena, quad + 2u, x.v2);
}

fn g1_store(arena: u32, quad: u32, a: G1) {
  fq_store(arena, quad, a.x);
  fq_store(arena, quad + 3u, a.y);
  fq_store(arena, quad + 6u, a.z);
}

fn start_of(bucket: u32) -> u32 {
  return load_word(p[1].x, 4u * p[1].y + bucket);
}

fn bucket_of(at: u32, first: u32, limit: u32) -> u32 {
  var low = first;
  var step = 1u;
  while step < limit - low && start_of(low + step) <= at {
    low += step;
    step <<= 1u;
  }
  var high = low + min(step, limit - low);
  while high - low > 1u {
    let middle = (low + high) >> 1u;
    if start_of(middle) <= at {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

fn point_of(reference: u32) -> G1Affine {
  let base = p[5u + ((reference >> 26u) & 31u)];
  let quad = base.y + 6u * (reference & 0x3ffffffu);
  let y = fq_load(base.x, quad + 3u);
  if (reference >> 31u) == 1u {
    return G1Affine(fq_load(base.x, quad), fq_sub(fq_zero(), y));
  }
  return G1Affine(fq_load(base.x, quad), y);
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = thread(group, local);
  if i >= p[0].x {
    return;
  }
  let slice = p[0].y + i;
  let buckets = p[0].w;
  let start = slice << p[0].z;
  let total = start_of(buckets);
  if start >= total {
    store(p[3].x, p[3].y + slice, vec4<u32>(0u, start, start, 0u));
    return;
  }
  let to = min(start + (1u << p[0].z), total);
  var bucket = bucket_of(start, 0u, buckets);
  var begin = start_of(bucket);
  var end = start_of(bucket + 1u);
  store(p[3].x, p[3].y + slice, vec4<u32>(bucket, begin, end, 0u));
  var sum = g1_infinity();
  for (var at = start; at < to; at += 1u) {
    let point = point_of(load_word(p[1].z, 4u * p[1].w + at));
    if !(fq_is_zero(point.x) && fq_is_zero(point.y)) {
      sum = g1_add_affine(sum, point);
    }
    let next = at + 1u;
    if next == end || next == to {
      var result = vec2<u32>(p[2].z, p[2].w + 18u * slice);
      if begin >= start {
        if end <= to {
          result = vec2<u32>(p[2].x, p[2].y + 9u * bucket);
        } else {
          result.y += 9u;
        }
      }
      g1_store(result.x, result.y, sum);
      if next < to {
        bucket = bucket_of(next, bucket + 1u, buckets);
        begin = next;
        end = start_of(bucket + 1u);
        sum = g1_infinity();
      }
    }
  }
}

