/** How kernels reach their data: arguments, arenas, and the entries of vectors. See `device/webgpu/memory/params.ts`. */
import { SPLIT_BITS } from '../expression.ts';
import { u32, type Declaration } from './source.ts';

/** Invocations of a workgroup, everywhere. */
export const WORKGROUP = 64;
/** Workgroups along the first axis of a dispatch, at most; more take a second axis. */
export const GRID = 65535;

/**
 * `p`: the arguments; `load`, `store`: a quad of an arena; `load_word`, `store_word`: a word of it; `thread`: the
 * number of an invocation; `atomic_words`: a buffer of counters, where a kernel has one.
 *
 * WGSL allows a write to a component of a vector to write the whole vector, so a kernel whose invocations write different
 * words of one quad needs arenas of words: `byWords`.
 */
export function accessDeclarations(arenas: number, parameterQuads: number, byWords = false): Declaration[] {
  const numbers = Array.from({ length: arenas }, (_, i) => i);
  const cases = (one: (i: number) => string, rest: string): string =>
    arenas === 1
      ? `  ${one(0)}`
      : `  switch arena {\n${numbers
          .slice(1)
          .map((i) => `    case ${u32(i)}: { ${one(i)} }`)
          .join('\n')}\n    default: { ${rest} }\n  }`;
  const word = (i: number): string => (byWords ? `arena${i}[at]` : `arena${i}[at >> 2u][at & 3u]`);
  const four = [0, 1, 2, 3];
  const loadQuad = (i: number): string =>
    byWords ? `vec4<u32>(${four.map((k) => `arena${i}[4u * quad + ${k}u]`).join(', ')})` : `arena${i}[quad]`;
  const storeQuad = (i: number): string =>
    byWords ? four.map((k) => `arena${i}[4u * quad + ${k}u] = value[${k}];`).join(' ') : `arena${i}[quad] = value;`;
  return [
    {
      name: 'p',
      text: `@group(0) @binding(0) var<uniform> p: array<vec4<u32>, ${parameterQuads}>;`,
    },
    ...numbers.map((i) => ({
      name: `arena${i}`,
      text: `@group(0) @binding(${i + 1}) var<storage, read_write> arena${i}: array<${byWords ? 'u32' : 'vec4<u32>'}>;`,
    })),
    {
      name: 'atomic_words',
      text: `@group(0) @binding(${arenas + 1}) var<storage, read_write> atomic_words: array<atomic<u32>>;`,
    },
    {
      name: 'load',
      text: `fn load(arena: u32, quad: u32) -> vec4<u32> {\n${cases((i) => `return ${loadQuad(i)};`, `return ${loadQuad(0)};`)}\n}`,
    },
    {
      name: 'load_word',
      text: `fn load_word(arena: u32, at: u32) -> u32 {\n${cases((i) => `return ${word(i)};`, `return ${word(0)};`)}\n}`,
    },
    {
      name: 'store',
      text: `fn store(arena: u32, quad: u32, value: vec4<u32>) {\n${cases(storeQuad, storeQuad(0))}\n}`,
    },
    {
      name: 'store_word',
      text: `fn store_word(arena: u32, at: u32, value: u32) {\n${cases((i) => `${word(i)} = value;`, `${word(0)} = value;`)}\n}`,
    },
    {
      name: 'thread',
      text: `fn thread(group: vec3<u32>, local: u32) -> u32 {\n  return (group.x + group.y * ${u32(GRID)}) * ${u32(WORKGROUP)} + local;\n}`,
    },
  ];
}

/** Entries of vectors: `d` is the position of a vector's descriptor in `p`. */
export const vectorDeclarations: readonly Declaration[] = [
  {
    // Arena and first quad of the segment of entry e, and the entry's position in it.
    name: 'place',
    text: `fn place(d: u32, i: u32) -> vec3<u32> {
  let v = p[d];
  let e = v.x + i;
  let s = p[v.z + (e >> v.w)];
  return vec3<u32>(s.x, s.y, e & ((1u << v.w) - 1u));
}`,
  },
  {
    // Beyond the end: zero.
    name: 'fr_at',
    text: `fn fr_at(d: u32, i: u32) -> Fr {
  if i >= p[d].y {
    return fr_zero();
  }
  let at = place(d, i);
  let quad = at.y + 2u * at.z;
  return Fr(load(at.x, quad), load(at.x, quad + 1u));
}`,
  },
  {
    name: 'fr_put',
    text: `fn fr_put(d: u32, i: u32, x: Fr) {
  let at = place(d, i);
  let quad = at.y + 2u * at.z;
  store(at.x, quad, x.v0);
  store(at.x, quad + 1u, x.v1);
}`,
  },
  {
    name: 'fr_arg',
    text: `fn fr_arg(k: u32) -> Fr {
  return Fr(p[k], p[k + 1u]);
}`,
  },
  {
    // Signed entries as two words, two's complement.
    name: 'int2_at',
    text: `fn int2_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + (at.z >> 1u));
  let v = bitcast<i32>(w << (16u * (1u - (at.z & 1u)))) >> 16u;
  return vec2<u32>(bitcast<u32>(v), bitcast<u32>(v >> 31u));
}`,
  },
  {
    name: 'int4_at',
    text: `fn int4_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = load_word(at.x, 4u * at.y + at.z);
  return vec2<u32>(w, bitcast<u32>(bitcast<i32>(w) >> 31u));
}`,
  },
  {
    name: 'int8_at',
    text: `fn int8_at(d: u32, i: u32) -> vec2<u32> {
  let at = place(d, i);
  let w = 4u * at.y + 2u * at.z;
  return vec2<u32>(load_word(at.x, w), load_word(at.x, w + 1u));
}`,
  },
  {
    // The entry of vector e that vector d has the position of; beyond the end: zero.
    name: 'fr_indexed_at',
    text: `fn fr_indexed_at(d: u32, e: u32, i: u32) -> Fr {
  if i >= p[d].y {
    return fr_zero();
  }
  return fr_at(e, int4_at(d, i).x);
}`,
  },
  {
    // The sum of the entries of vector e at both parts of the position in vector d; beyond the end: zero.
    name: 'fr_split_at',
    text: `fn fr_split_at(d: u32, e: u32, i: u32) -> Fr {
  if i >= p[d].y {
    return fr_zero();
  }
  let at = int4_at(d, i).x;
  return fr_add(fr_at(e, at & ${u32(2 ** SPLIT_BITS - 1)}), fr_at(e, ${u32(2 ** SPLIT_BITS)} + (at >> ${u32(SPLIT_BITS)})));
}`,
  },
  {
    // A signed integer as an element of Fr: its absolute value enters Montgomery form, then takes the sign.
    name: 'fr_from_int',
    text: `fn fr_from_int(v: vec2<u32>) -> Fr {
  let negative = (v.y >> 31u) == 1u;
  let flip = select(0u, 0xffffffffu, negative);
  let low = (v.x ^ flip) + select(0u, 1u, negative);
  let high = (v.y ^ flip) + u32(negative && low == 0u);
  let x = fr_enter(Fr(vec4<u32>(low, high, 0u, 0u), vec4<u32>()));
  if negative {
    return fr_sub(fr_zero(), x);
  }
  return x;
}`,
  },
];
