@group(0) @binding(0) var<uniform> p: array<vec4<u32>, 1024>;

@group(0) @binding(1) var<storage, read_write> arena0: array<vec4<u32>>;

@group(0) @binding(2) var<storage, read_write> atomic_words: array<atomic<u32>>;

fn store(arena: u32, quad: u32, value: vec4<u32>) {
  arena0[quad] = value;
}

var<workgroup> totals: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) local: u32) {
  var before = 0u;
  for (var step = 0u; step < p[0].x; step += 0x400u) {
    let first = step + 16u * local;
    var mine = 0u;
    for (var k = 0u; k < 16u; k += 1u) {
      mine += atomicLoad(&atomic_words[first + k]);
    }
    totals[local] = mine;
    workgroupBarrier();
    for (var distance = 1u; distance < 64u; distance <<= 1u) {
      var other = 0u;
      if local >= distance {
        other = totals[local - distance];
      }
      workgroupBarrier();
      totals[local] += other;
      workgroupBarrier();
    }
    var at = before + totals[local] - mine;
    before += totals[63u];
    for (var k = 0u; k < 4u; k += 1u) {
      let word = first + 4u * k;
      let a = at;
      let b = a + atomicLoad(&atomic_words[word]);
      let c = b + atomicLoad(&atomic_words[word + 1u]);
      let d = c + atomicLoad(&atomic_words[word + 2u]);
      at = d + atomicLoad(&atomic_words[word + 3u]);
      atomicStore(&atomic_words[word], a);
      atomicStore(&atomic_words[word + 1u], b);
      atomicStore(&atomic_words[word + 2u], c);
      atomicStore(&atomic_words[word + 3u], d);
      store(p[1].x, p[1].y + (word >> 2u), vec4<u32>(a, b, c, d));
    }
    workgroupBarrier();
  }
}

