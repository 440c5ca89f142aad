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
 * SHA-256 of the first 2^k generators, 96 bytes each, for the powers of two that are cached. A test recomputes them.
 */
const DIGESTS: ReadonlyMap<number, string> = new Map([
  [64, '781d916e4c6b64d98cde0df98ffa34702f9da822b8af6d6e5605b20f40b97bd0'],
  [128, 'a5e4db889799c34496d63c6c8d6ba99a9c800765f7aa085a4411754745b8409d'],
  [256, '2c853f77d3ad7c7beb7fd74a6929481fceef2b4595d16cb41316d58a9f2171ca'],
  [512, 'be11316045269380c4a9c141ed006f5bb460552d61c68765d01f2c0441c20b0b'],
  [1024, 'c385c36866e6ae700468977105d045033b4173f1bf55282188ef7bf847ec57da'],
  [2048, 'ac3cd8c389d70edaaa732848368be4ea77d38f78f607447698a1654b14ef02a7'],
  [4096, '21b4f1a24cfb7242260ffea5b98f47e7f4bdd25fb49e7695510ef8b9c4243744'],
  [8192, '19201f0148bcffb638fc262317efb2e1492da79081f0c63003f67e3c7b1361c3'],
]);

let known = new Uint8Array();

/** The first `count` generators, 96 bytes each (x, y big-endian). About 2.5 ms per generator that is not cached. */
export async function generatorBytes(count: number, cache?: GeneratorCache): Promise<Uint8Array> {
  if (count * AFFINE_BYTES > known.length) {
    const size = roundUp(count);
    const name = `generators-${size}-${bytesToHex(sha256(new TextEncoder().encode(GENERATOR_TAG))).slice(0, 16)}`;
    const digest = DIGESTS.get(size);
    const cached = digest === undefined ? undefined : await cache?.load(name);
    if (cached !== undefined && cached.length === size * AFFINE_BYTES && bytesToHex(sha256(cached)) === digest) {
      known = new Uint8Array(cached);
    } else {
      known = extend(known, digest === undefined ? count : size);
      if (digest !== undefined) await cache?.store(name, known);
    }
  }
  return known.subarray(0, count * AFFINE_BYTES);
}

function extend(start: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * AFFINE_BYTES);
  bytes.set(start);
  for (let i = start.length / AFFINE_BYTES; i < count; i++) bytes.set(hashGenerator(i), i * AFFINE_BYTES);
  return bytes;
}

/** The smallest cached size that holds `count`. */
const roundUp = (count: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(count, 1))));
