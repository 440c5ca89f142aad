/**
 * The Fiat-Shamir transcript: a SHA-256 chain. Every absorbed item carries a label and its length, so that two different
 * sequences never hash the same bytes; a challenge depends on all that was absorbed before it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { r } from './scalar.ts';

const domain = utf8ToBytes('zkl/1 transcript');

export class Transcript {
  #state = sha256(domain);
  #pending: Uint8Array[] = [];

  absorb(label: string, data: Uint8Array): void {
    const name = utf8ToBytes(label);
    const header = new Uint8Array(8);
    const view = new DataView(header.buffer);
    view.setUint32(0, name.length, true);
    view.setUint32(4, data.length, true);
    this.#pending.push(header, name, data);
  }

  absorbScalar(label: string, value: bigint): void {
    this.absorb(label, scalarBytes(value));
  }

  /** A challenge in [0, r), uniform up to 2^-257: 512 bits reduced. */
  challenge(label: string): bigint {
    this.absorb('challenge', utf8ToBytes(label));
    this.#state = sha256(concatBytes(this.#state, ...this.#pending));
    this.#pending = [];
    const lo = sha256(concatBytes(this.#state, Uint8Array.of(0)));
    const hi = sha256(concatBytes(this.#state, Uint8Array.of(1)));
    return ((bytesScalar(hi) << 256n) | bytesScalar(lo)) % r;
  }

  challenges(label: string, count: number): bigint[] {
    return Array.from({ length: count }, () => this.challenge(label));
  }
}

/** 32 bytes, little-endian. */
export function scalarBytes(value: bigint): Uint8Array {
  const out = new Uint8Array(32);
  const view = new DataView(out.buffer);
  for (let i = 0; i < 4; i++) view.setBigUint64(8 * i, (value >> BigInt(64 * i)) & 0xffffffffffffffffn, true);
  return out;
}

/** The integer in [0, 2^256) that 32 little-endian bytes stand for; the caller checks that it is below r where it must be. */
export function bytesScalar(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let v = 0n;
  for (let i = 3; i >= 0; i--) v = (v << 64n) | view.getBigUint64(8 * i, true);
  return v;
}
