/**
 * Which text of a field product is fastest depends on the adapter: measured once, and remembered. NVIDIA's take 15-bit
 * limbs best where it was measured, Apple's 13-bit ones.
 */
import { FQ_MODULUS, FR_MODULUS } from '../../field/params.ts';
import { WORKGROUP } from '../../kernels/wgsl/access.ts';
import { forEach } from '../../kernels/wgsl/vectors/elementwise.ts';
import { inverse } from '../../field/spec.ts';
import { wgslField, wordsOf, type FieldVariant, type WgslField } from '../../kernels/wgsl/field/field.ts';
import { LIMB_WIDTHS, type LimbWidth } from '../../kernels/wgsl/field/limbs.ts';
import { isSoftware } from './adapters.ts';
import { GpuError, ON_CPU } from './errors.ts';
import { Gpu } from './gpu.ts';
import type { KernelSource } from './pipelines.ts';
import { MIB } from './limits.ts';
import { Params } from './memory/params.ts';

export interface Variants {
  readonly fr: FieldVariant;
  readonly fq: FieldVariant;
}

/** Where results are kept between runs, by adapter and version of the generators. */
export interface VariantCache {
  load(key: string): Promise<string | undefined>;
  store(key: string, value: string): Promise<void>;
}

/** What compiles fastest: for adapters that compute on the CPU, where compilers take longer than most proofs. */
export const QUICK_TO_COMPILE: Variants = {
  fr: { width: 13, rows: 'rolled' },
  fq: { width: 13, rows: 'rolled' },
};

const CANDIDATES: readonly FieldVariant[] = [
  { width: 13, rows: 'unrolled' },
  { width: 13, rows: 'rolled' },
  { width: 15, rows: 'unrolled' },
  { width: 32, rows: 'unrolled' },
];

/** Changes with the generators, so that old results are not taken for new ones. */
const VERSION = 'v1';

export interface Measured {
  readonly variant: FieldVariant;
  /** Nanoseconds for a product, with the adapter full of them. */
  readonly nanoseconds: number;
}

/** The fastest variants of an adapter, from the cache or measured on `device`. */
export async function chooseVariants(
  device: GPUDevice,
  info: GPUAdapterInfo,
  cache: VariantCache | undefined,
): Promise<Variants> {
  if (isSoftware(info)) return QUICK_TO_COMPILE;
  const key = [VERSION, info.vendor, info.architecture, info.device, info.description].join(' ');
  const remembered = parse(await cache?.load(key));
  if (remembered) return remembered;
  const best = async (field: 'fr' | 'fq'): Promise<FieldVariant> =>
    (await measureVariants(device, field)).reduce((a, b) => (b.nanoseconds < a.nanoseconds ? b : a)).variant;
  const variants = { fr: await best('fr'), fq: await best('fq') };
  await cache?.store(key, print(variants));
  return variants;
}

/** Times a chain of products in each of many invocations, on every candidate that works. */
export async function measureVariants(
  device: GPUDevice,
  field: 'fr' | 'fq',
  candidates: readonly FieldVariant[] = CANDIDATES,
  milliseconds = 4,
): Promise<Measured[]> {
  const out: Measured[] = [];
  for (const variant of candidates) {
    const other: FieldVariant = { width: 13, rows: 'rolled' };
    const fr = wgslField('fr', FR_MODULUS, field === 'fr' ? variant : other);
    const fq = wgslField('fq', FQ_MODULUS, field === 'fq' ? variant : other);
    const gpu = new Gpu(device, { fr, fq }, { arena: 64 * MIB, arenas: 1, budget: 4 * MIB });
    try {
      const nanoseconds = await timeOf(gpu, field, milliseconds);
      if (nanoseconds !== undefined) out.push({ variant, nanoseconds });
    } catch (error) {
      // A driver that refuses one text may take another.
      if (!(error instanceof GpuError) || error.kind !== 'shader') throw error;
    } finally {
      gpu.release();
    }
  }
  if (out.length === 0)
    throw new GpuError('shader', `this adapter computes no ${field} product rightly, in any form`, ON_CPU);
  return out;
}

const CHAIN = 64;
/** Least and most invocations. */
const [FEW, MANY] = [2 ** 10, 2 ** 18];

/** Undefined where the products are wrong. */
async function timeOf(gpu: Gpu, field: 'fr' | 'fq', milliseconds: number): Promise<number | undefined> {
  const { words } = gpu[field];
  const block = gpu.allocate(64 * 4 * words);
  const kernel = chain(field, words / 4);
  const run = async (threads: number): Promise<number> => {
    const since = performance.now();
    gpu.dispatch(kernel, new Params(gpu.fr).quad(threads, block.arena, block.quad, CHAIN).finish(), threads);
    await gpu.read(block, 0, 4);
    return performance.now() - since;
  };
  await run(WORKGROUP);
  if (!isRight(gpu[field], await gpu.read(block, 0, 64 * 4 * words))) return undefined;
  let threads = FEW;
  let time = await run(threads);
  while (time < milliseconds && threads < MANY) time = await run((threads *= 4));
  const times = [time, await run(threads), await run(threads)];
  return (Math.min(...times) * 1e6) / (threads * CHAIN);
}

/** Whether the 64 results of a first run are what bigints give. */
function isRight({ plan, words }: WgslField, bytes: Uint8Array): boolean {
  const { R, modulus } = plan;
  const factor = inverse(R, modulus);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let i = 0; i < WORKGROUP; i++) {
    const one = R % modulus;
    const y = one - (one & 0xffffffffn) + BigInt(i + 1);
    let x = y;
    for (let k = 0; k < CHAIN; k++) x = (((x * y) % modulus) * factor) % modulus;
    if (!wordsOf(x, words).every((w, k) => view.getUint32(4 * (words * i + k), true) === Number(w))) return false;
  }
  return true;
}

/** p[0] = invocations, arena, quad, products of each. Results go to 64 places, so that none can be left out. */
const chain = (field: 'fr' | 'fq', quads: number): KernelSource => ({
  name: `${field} products`,
  source: () => ({
    library: [],
    entry: forEach([
      `var x = ${field}_one();`,
      'x.v0.x = i + 1u;',
      'let y = x;',
      `for (var k = 0u; k < p[0].w; k += 1u) {`,
      `  x = ${field}_mul(x, y);`,
      '}',
      ...Array.from({ length: quads }, (_, q) => `store(p[0].y, p[0].z + ${quads}u * (i & 63u) + ${q}u, x.v${q});`),
    ]),
  }),
});

const print = ({ fr, fq }: Variants): string => [fr, fq].map((v) => `${v.width} ${v.rows}`).join(', ');

function parse(text: string | undefined): Variants | undefined {
  const parts = text?.split(', ').map((part): FieldVariant | undefined => {
    const [width, rows] = part.split(' ');
    const isVariant = LIMB_WIDTHS.includes(Number(width) as LimbWidth) && (rows === 'rolled' || rows === 'unrolled');
    return isVariant ? { width: Number(width) as LimbWidth, rows: rows } : undefined;
  });
  if (parts?.length !== 2 || !parts[0] || !parts[1]) return undefined;
  return { fr: parts[0], fq: parts[1] };
}
