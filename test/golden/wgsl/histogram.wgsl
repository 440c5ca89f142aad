@group(0) @binding(0) var<uniform> p: array<vec4<u32>, 1024>;

@group(0) @binding(1) var<storage, read_write> arena0: array<vec4<u32>>;

@group(0) @binding(2) var<storage, read_write> atomic_words: array<atomic<u32>>;

fn load_word(arena: u32, at: u32) -> u32 {
  return arena0[at >> 2u][at & 3u];
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

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = thread(group, local);
  if i >= p[0].x {
    return;
  }
  let v = int2_at(1u, i);
  let low = v.x - p[2].x;
  let high = v.y - p[2].y - u32(v.x < p[2].x);
  if high == 0u && low < p[2].z {
    atomicAdd(&atomic_words[low], 1u);
  } else {
    atomicMax(&atomic_words[p[2].z], 0xffffffffu - i);
  }
}

