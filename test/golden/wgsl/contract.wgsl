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

fn place(d: u32, i: u32) -> vec3<u32> {
  let v = p[d];
  let e = v.x + i;
  let s = p[v.z + (e >> v.w)];
  return vec3<u32>(s.x, s.y, e & ((1u << v.w) - 1u));
}

fn fr_put(d: u32, i: u32, x: Fr) {
  let at = place(d, i);
  let quad = at.y + 2u * at.z;
  store(at.x, quad, x.v0);
  store(at.x, quad + 1u, x.v1);
}

fn int2_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + (at.z >> 1u));
  let v = bitcast<i32>(w << (16u * (1u - (at.z & 1u)))) >> 16u;
  return vec2<u32>(bitcast<u32>(v), bitcast<u32>(v >> 31u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = thread(group, local);
  if i >= p[0].x {
    return;
  }
  let out = i % p[0].y;
  let share = i / p[0].y;
  let first = (out / p[3].y) * p[3].x * p[3].y + out % p[3].y;
  var a0 = 0u;
  var a1 = 0u;
  var a2 = 0u;
  var a3 = 0u;
  var a4 = 0u;
  var a5 = 0u;
  var a6 = 0u;
  var a7 = 0u;
  var a8 = 0u;
  var a9 = 0u;
  var a10 = 0u;
  var a11 = 0u;
  var a12 = 0u;
  var a13 = 0u;
  var a14 = 0u;
  var a15 = 0u;
  var a16 = 0u;
  var a17 = 0u;
  var a18 = 0u;
  var a19 = 0u;
  var a20 = 0u;
  var a21 = 0u;
  var a22 = 0u;
  var a23 = 0u;
  var terms = 0u;
  for (var d = share; d < p[3].x; d += p[0].z) {
    let value = int2_at(2u, first + d * p[3].y);
    let v = ((value.x >> 0u) & 0xffffu) ^ 0x8000u;
    let quad = p[4].y + 5u * d;
    let w0 = load(p[4].x, quad + 0u);
    a0 += v * w0.x;
    a1 += v * w0.y;
    a2 += v * w0.z;
    a3 += v * w0.w;
    let w1 = load(p[4].x, quad + 1u);
    a4 += v * w1.x;
    a5 += v * w1.y;
    a6 += v * w1.z;
    a7 += v * w1.w;
    let w2 = load(p[4].x, quad + 2u);
    a8 += v * w2.x;
    a9 += v * w2.y;
    a10 += v * w2.z;
    a11 += v * w2.w;
    let w3 = load(p[4].x, quad + 3u);
    a12 += v * w3.x;
    a13 += v * w3.y;
    a14 += v * w3.z;
    a15 += v * w3.w;
    let w4 = load(p[4].x, quad + 4u);
    a16 += v * w4.x;
    a17 += v * w4.y;
    a18 += v * w4.z;
    a19 += v * w4.w;
    terms += 1u;
    if terms == 8u {
      terms = 0u;
      a1 += a0 >> 13u; a0 &= 0x1fffu;
      a2 += a1 >> 13u; a1 &= 0x1fffu;
      a3 += a2 >> 13u; a2 &= 0x1fffu;
      a4 += a3 >> 13u; a3 &= 0x1fffu;
      a5 += a4 >> 13u; a4 &= 0x1fffu;
      a6 += a5 >> 13u; a5 &= 0x1fffu;
      a7 += a6 >> 13u; a6 &= 0x1fffu;
      a8 += a7 >> 13u; a7 &= 0x1fffu;
      a9 += a8 >> 13u; a8 &= 0x1fffu;
      a10 += a9 >> 13u; a9 &= 0x1fffu;
      a11 += a10 >> 13u; a10 &= 0x1fffu;
      a12 += a11 >> 13u; a11 &= 0x1fffu;
      a13 += a12 >> 13u; a12 &= 0x1fffu;
      a14 += a13 >> 13u; a13 &= 0x1fffu;
      a15 += a14 >> 13u; a14 &= 0x1fffu;
      a16 += a15 >> 13u; a15 &= 0x1fffu;
      a17 += a16 >> 13u; a16 &= 0x1fffu;
      a18 += a17 >> 13u; a17 &= 0x1fffu;
      a19 += a18 >> 13u; a18 &= 0x1fffu;
      a20 += a19 >> 13u; a19 &= 0x1fffu;
      a21 += a20 >> 13u; a20 &= 0x1fffu;
      a22 += a21 >> 13u; a21 &= 0x1fffu;
      a23 += a22 >> 13u; a22 &= 0x1fffu;
    }
  }
  a1 += a0 >> 13u; a0 &= 0x1fffu;
  a2 += a1 >> 13u; a1 &= 0x1fffu;
  a3 += a2 >> 13u; a2 &= 0x1fffu;
  a4 += a3 >> 13u; a3 &= 0x1fffu;
  a5 += a4 >> 13u; a4 &= 0x1fffu;
  a6 += a5 >> 13u; a5 &= 0x1fffu;
  a7 += a6 >> 13u; a6 &= 0x1fffu;
  a8 += a7 >> 13u; a7 &= 0x1fffu;
  a9 += a8 >> 13u; a8 &= 0x1fffu;
  a10 += a9 >> 13u; a9 &= 0x1fffu;
  a11 += a10 >> 13u; a10 &= 0x1fffu;
  a12 += a11 >> 13u; a11 &= 0x1fffu;
  a13 += a12 >> 13u; a12 &= 0x1fffu;
  a14 += a13 >> 13u; a13 &= 0x1fffu;
  a15 += a14 >> 13u; a14 &= 0x1fffu;
  a16 += a15 >> 13u; a15 &= 0x1fffu;
  a17 += a16 >> 13u; a16 &= 0x1fffu;
  a18 += a17 >> 13u; a17 &= 0x1fffu;
  a19 += a18 >> 13u; a18 &= 0x1fffu;
  a20 += a19 >> 13u; a19 &= 0x1fffu;
  a21 += a20 >> 13u; a20 &= 0x1fffu;
  a22 += a21 >> 13u; a21 &= 0x1fffu;
  a23 += a22 >> 13u; a22 &= 0x1fffu;
  let low = fr_fit(fr_fit(Fr(vec4<u32>(a0 | (a1 << 13u) | (a2 << 26u), (a2 >> 6u) | (a3 << 7u) | (a4 << 20u), (a4 >> 12u) | (a5 << 1u) | (a6 << 14u) | (a7 << 27u), (a7 >> 5u) | (a8 << 8u) | (a9 << 21u)), vec4<u32>((a9 >> 11u) | (a10 << 2u) | (a11 << 15u) | (a12 << 28u), (a12 >> 4u) | (a13 << 9u) | (a14 << 22u), (a14 >> 10u) | (a15 << 3u) | (a16 << 16u) | (a17 << 29u), (a17 >> 3u) | (a18 << 10u) | (a19 << 23u)))));
  let high = Fr(vec4<u32>((a19 >> 9u) | (a20 << 4u) | (a21 << 17u) | (a22 << 30u), (a22 >> 2u) | (a23 << 11u), 0u, 0u), vec4<u32>());
  let s = fr_add(low, fr_mul(high, Fr(vec4<u32>(0x3f29c6cfu, 0x999e9910u, 0x7927663du, 0x631138b5u), vec4<u32>(0x1ba1c0edu, 0x29f7715fu, 0xcc0273c8u, 0x9ff646u))));
  fr_put(1u, share * p[0].y + out, s);
}

