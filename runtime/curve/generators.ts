/**
 * Commitment generators: G_0, G_1, ... and the blinding generator H, by hash-to-curve (RFC 9380, suite BLS12381G1_XMD:SHA-256_SSWU_RO_)
 * from fixed tags, so nobody knows a relation between them and no set-up is trusted. G_i hashes the eight bytes of i, big-endian.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/curves/utils.js';
import { AFFINE_BYTES } from './params.ts';
import { toAffineBytes } from './spec.ts';

const SUITE = 'BLS12381G1_XMD:SHA-256_SSWU_RO_';
export const GENERATOR_TAG = `ZKL-V01-GENERATOR-with-${SUITE}`;
export const BLINDING_TAG = `ZKL-V01-BLINDING-with-${SUITE}`;

/** Where generators are kept between runs. Entries need not be trusted: what is loaded is compared with a digest in the code. */
export interface GeneratorCache {
  load(name: string): Promise<Uint8Array | undefined>;
  store(name: string, bytes: Uint8Array): Promise<void>;
  /** Hears, now and then, how many of the generators that are not cached have been hashed: of thousands it takes seconds. */
  hashing?(made: number, of: number): void;
}

/** G_index as 96 bytes. */
export function hashGenerator(index: number): Uint8Array {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigUint64(0, BigInt(index));
  return toAffineBytes(bls12_381.G1.hashToCurve(message, { DST: GENERATOR_TAG }));
}

let blinding: Uint8Array | undefined;

/** H as 96 bytes. */
export function blindingGenerator(): Uint8Array {
  blinding ??= toAffineBytes(bls12_381.G1.hashToCurve(new Uint8Array(), { DST: BLINDING_TAG }));
  return blinding;
}

/**
 * SHA-256 of the first 2^k + 1 generators, 96 bytes each, for the sizes that are cached: proofs with 2^k columns use one
 * generator more. They only guard the cache: what they are digests of follows from `hashGenerator`.
 */
const DIGESTS: ReadonlyMap<number, string> = new Map([
  [65, '2b4ba38c3ec4074b5fce4c96df8952894342051ea86bf87502ae6d727215a654'],
  [129, '887175d65869325b04614013d80605b78614d77de7974ab0e95619321356780f'],
  [257, '02adc5d46271ed232d35e8c71d99dd8c00aedada1f7f6e51559d3ce725d9bf35'],
  [513, '6d5d03833c36297c1b859b5630272f1e33cf1ae31cd48502433daa3d9183de5b'],
  [1025, 'a23ba0b6fb710574eef825cbf480cd67f6ec847936d29b602ef8008ba0c211a6'],
  [2049, 'a2f3cd56c3f46d46f7f9721d4ff62e4baa6a9f50515ecf32bbfdeb30d4c118f5'],
  [4097, 'd6f03316d3dad95b5eb36c9b4346ffedd999d463e56b4ac4498c3e76497d9abe'],
  [8193, 'b717011b76d26ce0b5c4ba55e8d68360f50ef67bd7a70eb634ca7d755f788cfe'],
]);

let known = new Uint8Array();

/** The first `count` generators, 96 bytes each (x, y big-endian). About 2.5 ms per generator that is not cached. */
export async function generatorBytes(count: number, cache?: GeneratorCache): Promise<Uint8Array> {
  let have = known;
  if (count * AFFINE_BYTES > have.length) {
    const size = roundUp(count);
    const name = `generators-${size}-${bytesToHex(sha256(new TextEncoder().encode(GENERATOR_TAG))).slice(0, 16)}`;
    const digest = DIGESTS.get(size);
    const cached = digest === undefined ? undefined : await cache?.load(name);
    if (cached !== undefined && cached.length === size * AFFINE_BYTES && bytesToHex(sha256(cached)) === digest) {
      have = new Uint8Array(cached);
      learn(have);
    } else {
      have = await extend(known, digest === undefined ? count : size, cache);
      learn(have);
      if (digest !== undefined) await cache?.store(name, have.subarray(0, size * AFFINE_BYTES));
    }
  }
  return have.subarray(0, count * AFFINE_BYTES);
}

/** Several calls may be at it, for several devices: what is known never becomes less. */
function learn(bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length > known.length) known = bytes;
}

/** Between two turns of the event loop that others get: signals, a page's input. */
const TURN_MILLISECONDS = 50;

async function extend(
  start: Uint8Array<ArrayBuffer>,
  count: number,
  cache?: GeneratorCache,
): Promise<Uint8Array<ArrayBuffer>> {
  if (start.length >= count * AFFINE_BYTES) return start;
  const bytes = new Uint8Array(count * AFFINE_BYTES);
  bytes.set(start);
  const first = start.length / AFFINE_BYTES;
  let turn = performance.now();
  for (let i = first; i < count; i++) {
    bytes.set(hashGenerator(i), i * AFFINE_BYTES);
    if (performance.now() - turn < TURN_MILLISECONDS) continue;
    cache?.hashing?.(i + 1 - first, count - first);
    await new Promise((resolve) => setTimeout(resolve, 0));
    turn = performance.now();
  }
  return bytes;
}

/** The smallest cached size that holds `count`. */
const roundUp = (count: number): number => Math.max(65, 2 ** Math.ceil(Math.log2(Math.max(count - 1, 1))) + 1);
