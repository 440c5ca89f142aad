@group(0) @binding(0) var<uniform> p: array<vec4<u32>, 1024>;

@group(0) @binding(1) var<storage, read_write> arena0: array<u32>;

fn load_word(arena: u32, at: u32) -> u32 {
  return arena0[at];
}

fn store_word(arena: u32, at: u32, value: u32) {
  arena0[at] = value;
}

fn thread(group: vec3<u32>, local: u32) -> u32 {
  return (group.x + group.y * 0xffffu) * 64u + local;
}

fn place(d: u32, i: u32) -> vec3<u32> {
  let v = p[d];
  let e = v.x + i;
  let s = p[v.z + (e >> v.w)];
  return vec3<u32>(s.x, s.y, e & ((1u << v.w) - 1u));
}

fn int2_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + (at.z >> 1u));
  let v = bitcast<i32>(w << (16u * (1u - (at.z & 1u)))) >> 16u;
  return vec2<u32>(bitcast<u32>(v), bitcast<u32>(v >> 31u));
}

fn int4_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + at.z);
  return vec2<u32>(w, bitcast<u32>(bitcast<i32>(w) >> 31u));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = thread(group, local);
  if i >= p[0].x {
    return;
  }
  let even = 2u * i;
  let odd = even + 1u;
  var value_even = vec2<u32>();
  var value_odd = vec2<u32>();
  let from_even = int4_at(3u, even);
  if even < p[0].y && from_even.y == 0u {
    value_even = int2_at(2u, from_even.x);
  }
  let from_odd = int4_at(3u, odd);
  if odd < p[0].y && from_odd.y == 0u {
    value_odd = int2_at(2u, from_odd.x);
  }
  let at = place(1u, 2u * i);
  store_word(at.x, 4u * at.y + (at.z >> 1u), (value_even.x & 0xffffu) | (value_odd.x << 16u));
}

