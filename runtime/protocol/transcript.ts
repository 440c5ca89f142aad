/**
 * The Fiat-Shamir transcript: a SHA-256 chain. Every absorbed item carries a label and its length, so that two different
 * sequences never hash the same bytes; a challenge depends on all that was absorbed before it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { domainTag } from '../../compiler/bundle/version.ts';
import { r } from './scalar.ts';

const domain = domainTag('transcript');
const STATE_BYTES = 32;

const encoded = new Map<string, Uint8Array>();

/** Labels repeat by the hundred. */
function labelBytes(label: string): Uint8Array {
  let bytes = encoded.get(label);
  if (!bytes) {
    bytes = utf8ToBytes(label);
    encoded.set(label, bytes);
  }
  return bytes;
}

export class Transcript {
  /** The chained state, then everything absorbed since. */
  #buffer = new Uint8Array(1024);
  #length = STATE_BYTES;

  constructor() {
    this.#buffer.set(sha256(domain));
  }

  absorb(label: string, data: Uint8Array): void {
    const name = labelBytes(label);
    this.#reserve(8 + name.length + data.length);
    this.#writeLength(name.length);
    this.#writeLength(data.length);
    this.#buffer.set(name, this.#length);
    this.#buffer.set(data, this.#length + name.length);
    this.#length += name.length + data.length;
  }

  absorbScalar(label: string, value: bigint): void {
    this.absorb(label, scalarBytes(value));
  }

  /** A challenge in [0, r), uniform up to 2^-257: 512 bits reduced. */
  challenge(label: string): bigint {
    this.absorb('challenge', labelBytes(label));
    const state = sha256(this.#buffer.subarray(0, this.#length));
    this.#buffer.set(state);
    this.#length = STATE_BYTES + 1;
    this.#buffer[STATE_BYTES] = 0;
    const lo = sha256(this.#buffer.subarray(0, this.#length));
    this.#buffer[STATE_BYTES] = 1;
    const hi = sha256(this.#buffer.subarray(0, this.#length));
    this.#length = STATE_BYTES;
    return ((bytesScalar(hi) << 256n) | bytesScalar(lo)) % r;
  }

  challenges(label: string, count: number): bigint[] {
    return Array.from({ length: count }, () => this.challenge(label));
  }

  #writeLength(n: number): void {
    for (let k = 0; k < 4; k++) this.#buffer[this.#length++] = (n >>> (8 * k)) & 0xff;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const grown = new Uint8Array(2 * (this.#length + more));
    grown.set(this.#buffer);
    this.#buffer = grown;
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
