/**
 * A device whose memory other devices can exchange data with: the CPU's part of a device that runs elsewhere.
 */
import type { Device, FrVector, IntVector, PointVector } from './device.ts';

/** A vector that no scope owns. */
export interface Loose<V> {
  readonly vector: V;
  free(): void;
}

/** All calls are synchronous; all bytes are little-endian and canonical. */
export interface RawMemory {
  /** From 32 bytes for each element; they have to be below r, which is not checked. */
  frFromBytes(bytes: Uint8Array): Loose<FrVector>;
  /** Bytes of values. @throws RangeError unless all are in [0, r); `first` is the number of the first in messages. */
  frFromValues(values: readonly bigint[], first: number): Uint8Array;
  frToBytes(v: FrVector): Uint8Array;
  intFromBytes(bytes: Uint8Array, width: 2 | 4 | 8): Loose<IntVector>;
  intToBytes(v: IntVector): Uint8Array;
  /** 96 bytes a point: x, y; all zero for the point at infinity. */
  pointsToBytes(v: PointVector): Uint8Array;
}

export interface HostDevice extends Device {
  readonly raw: RawMemory;
}
