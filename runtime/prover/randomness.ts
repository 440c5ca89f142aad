/**
 * The prover's randomness: an expandable hash (BLAKE3 in XOF mode) of fresh entropy, the statement and a digest of the
 * witness. A pad can therefore never serve two different messages: with repeated entropy, different inputs give
 * different pads, and identical inputs the identical proof.
 */
import { blake3 } from '@noble/hashes/blake3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { domainTag } from '../../compiler/bundle/version.ts';
import { bytesScalar } from '../protocol/transcript.ts';
import { r } from '../protocol/scalar.ts';

/** 32 bytes of the platform's cryptographic randomness. */
export const freshEntropy = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32));

export class Randomness {
  readonly #stream: { xof(length: number): Uint8Array };

  /** `parts` are hashed with their lengths. @throws RangeError if the entropy is not 32 bytes. */
  constructor(purpose: string, entropy: Uint8Array, ...parts: readonly Uint8Array[]) {
    if (entropy.length !== 32) throw new RangeError(`entropy must be 32 bytes, got ${entropy.length}`);
    const h = blake3.create({ context: domainTag(purpose) });
    for (const part of [entropy, ...parts]) {
      const length = new Uint8Array(8);
      new DataView(length.buffer).setBigUint64(0, BigInt(part.length), true);
      h.update(concatBytes(length, part));
    }
    this.#stream = h;
  }

  bytes(length: number): Uint8Array {
    return this.#stream.xof(length);
  }

  scalar(): bigint {
    return this.scalars(1)[0];
  }

  /** Each uniform in [0, r) up to 2^-257: 512 bits reduced. */
  scalars(count: number): bigint[] {
    const b = this.bytes(64 * count);
    return Array.from({ length: count }, (_, i) => {
      const hi = bytesScalar(b.subarray(64 * i + 32, 64 * i + 64));
      return ((hi << 256n) | bytesScalar(b.subarray(64 * i, 64 * i + 32))) % r;
    });
  }
}
