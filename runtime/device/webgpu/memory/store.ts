/** Where vectors are, and how they get to where they are needed: GPU memory or the host device's. */
import * as kernels from '../../../kernels/wgsl/vectors/elementwise.ts';
import { inverse } from '../../../field/spec.ts';
import type { FrVector, IntVector, Integers } from '../../device.ts';
import type { HostDevice } from '../../host.ts';
import type { Scopes } from '../../scopes.ts';
import type { Gpu } from '../gpu.ts';
import { Params } from './params.ts';
import type { Tuning } from '../tuning.ts';
import { entryBytes, GpuIntVector, GpuVector, type GpuData, type Segments } from './vectors.ts';

export type AnyVector = FrVector | IntVector;

export interface StoreOptions {
  /** Vectors of fewer entries are kept, and worked on, by the host's device; 0: none. */
  readonly hostBelow: number;
  /** Bytes of a segment at most, a power of two. */
  readonly segmentBytes: number;
  readonly tuning: Tuning;
}

export class Store {
  readonly gpu: Gpu;
  readonly host: HostDevice;
  readonly tuning: Tuning;
  readonly #scopes: Scopes<{ free(): void }>;
  readonly #hostBelow: number;
  readonly #segmentBytes: number;
  readonly #invR: bigint;

  constructor(gpu: Gpu, host: HostDevice, scopes: Scopes<{ free(): void }>, options: StoreOptions) {
    this.gpu = gpu;
    this.host = host;
    this.tuning = options.tuning;
    this.#scopes = scopes;
    this.#hostBelow = options.hostBelow;
    this.#segmentBytes = options.segmentBytes;
    this.#invR = inverse(gpu.fr.plan.R, gpu.fr.plan.modulus);
  }

  params(): Params {
    return new Params(this.gpu.fr);
  }

  /** A fresh vector in GPU memory, which the innermost scope owns. Its content is undefined. */
  newFr(length: number): GpuVector<FrVector> {
    return this.#own(this.looseFr(length));
  }

  /** As `newFr`, owned by nobody. */
  looseFr(length: number): GpuVector<FrVector> {
    const v = new GpuVector<FrVector>('fr', length, this.#release);
    v.setGpu({ segments: this.#allocate(32, length), offset: 0, length }, true);
    return v;
  }

  newInt(length: number, bytes: 2 | 4 | 8): GpuIntVector {
    return this.#own(this.looseInt(length, bytes));
  }

  looseInt(length: number, bytes: 2 | 4 | 8): GpuIntVector {
    const v = new GpuIntVector(length, bytes, this.#release);
    v.setGpu({ segments: this.#allocate(bytes, length), offset: 0, length }, true);
    return v;
  }

  /** A handle for what the host's device made in the current scope. */
  adopt<V extends AnyVector>(vector: V): V {
    return this.#own(this.#wrap(vector)) as AnyVector as V;
  }

  #wrap(vector: AnyVector): GpuVector {
    const v =
      vector.kind === 'fr'
        ? new GpuVector('fr', vector.length, this.#release)
        : new GpuIntVector(vector.length, vector.bytes, this.#release);
    v.setHost({ vector });
    return v;
  }

  /** Whether a synchronous operation of about `work` entries runs on the host: small, and everything is there. */
  onHost(vectors: readonly AnyVector[], work: number): boolean {
    return work < this.#hostBelow && vectors.every((v) => handle(v).host !== undefined);
  }

  /** Whether an operation that may wait belongs on the host. */
  belongsOnHost(work: number): boolean {
    return work < this.#hostBelow;
  }

  /** Whether sums of about `work` multiples of points belong on the host: few are not worth a trip, many too slow in software. */
  sumsOnHost(work: number): boolean {
    return this.belongsOnHost(work) || work > this.tuning.scalars;
  }

  hostOf<V extends AnyVector>(v: V): V {
    return handle(v).host as V;
  }

  frVector(values: readonly bigint[]): FrVector {
    // The host's device checks the values, and packs them.
    if (values.length < this.#hostBelow) return this.adopt(this.host.frVector(values));
    return this.#own(this.looseFrOf(values)) as AnyVector as FrVector;
  }

  /** Values in GPU memory, however few they are; owned by nobody. @throws RangeError unless all are in [0, r) */
  looseFrOf(values: readonly bigint[]): GpuVector<FrVector> {
    const v = this.looseFr(values.length);
    try {
      const chunk = 2 ** 16;
      for (let start = 0; start < values.length; start += chunk) {
        const part = this.host.raw.frFromValues(values.slice(start, start + chunk), start);
        this.#upload(v.gpu!, 32, part, start);
      }
      this.#enter(v);
      return v;
    } catch (error) {
      v.free();
      throw error;
    }
  }

  intVector(values: Integers): IntVector {
    if (values.length < this.#hostBelow) return this.adopt(this.host.intVector(values));
    const bytes = values.BYTES_PER_ELEMENT as 2 | 4 | 8;
    const v = this.newInt(values.length, bytes);
    this.#upload(v.gpu!, bytes, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 0);
    return v;
  }

  slice<V extends AnyVector>(v: V, offset: number, length: number): V {
    const from = handle(v);
    const view =
      v.kind === 'fr' ? new GpuVector('fr', length, this.#release) : new GpuIntVector(length, v.bytes, this.#release);
    const { gpu, host } = from;
    if (gpu) view.setGpu({ segments: gpu.segments, offset: gpu.offset + offset, length }, false);
    if (host) view.setHost({ vector: this.host.slice(host, offset, length) });
    return this.#own(view) as unknown as V;
  }

  /** A vector to be written to: in GPU memory, and nowhere else. */
  writable(vector: FrVector): GpuVector<FrVector> {
    const v = handle(vector) as GpuVector<FrVector>;
    if (v.gpu === undefined || v.host !== undefined) throw new Error('map: only a `space` can be written into');
    return v;
  }

  /** The vector's place in GPU memory; copied there first where it is not. */
  onGpu(vector: AnyVector): GpuData {
    const v = handle(vector);
    if (v.gpu) return v.gpu;
    const host = v.host!;
    const segments = this.#allocate(entryBytes(host), v.length);
    v.setGpu({ segments, offset: 0, length: v.length }, true);
    const bytes = host.kind === 'fr' ? this.host.raw.frToBytes(host) : this.host.raw.intToBytes(host);
    this.#upload(v.gpu!, entryBytes(host), bytes, 0);
    if (host.kind === 'fr') this.#enter(v as GpuVector<FrVector>);
    return v.gpu!;
  }

  /** Copies vectors to the host where they are not, with one wait. */
  async bringToHost(vectors: readonly AnyVector[]): Promise<void> {
    const missing = [...new Set(vectors.map(handle))].filter((v) => v.host === undefined);
    if (missing.length === 0) return;
    const { raw } = this.host;
    const all = await this.#download(missing);
    for (const [i, v] of missing.entries())
      v.setHost(v instanceof GpuIntVector ? raw.intFromBytes(all[i], v.bytes) : raw.frFromBytes(all[i]));
  }

  async readFr(vector: FrVector): Promise<bigint[]> {
    const { host } = handle(vector);
    if (host) return this.host.readFr(host as FrVector);
    if (vector.length === 0) return [];
    if (vector.length <= 64) return this.readMontgomery(vector);
    return bigintsOf((await this.#download([handle(vector)]))[0]);
  }

  /** For a few entries: read as they are, leaving Montgomery form here. */
  async readMontgomery(vector: FrVector): Promise<bigint[]> {
    const { modulus } = this.gpu.fr.plan;
    const bytes = await this.#readBytes([{ data: handle(vector).gpu!, bytes: 32 }]);
    return bigintsOf(bytes[0]).map((x) => (x * this.#invR) % modulus);
  }

  async readInt(vector: GpuIntVector): Promise<Uint8Array> {
    return (await this.#readBytes([{ data: vector.gpu!, bytes: vector.bytes }]))[0];
  }

  /** The bytes of vectors in GPU memory, field elements in canonical form. */
  async #download(vectors: readonly GpuVector[]): Promise<Uint8Array[]> {
    const temporary: GpuVector[] = [];
    const parts = vectors.map((v) => {
      if (v instanceof GpuIntVector) return { data: v.gpu!, bytes: v.bytes };
      const out = this.looseFr(v.length);
      temporary.push(out);
      const params = this.params().quad(v.length).vector(out.gpu!).vector(v.gpu!);
      this.gpu.dispatch(kernels.leave, params.finish(), v.length);
      return { data: out.gpu!, bytes: 32 };
    });
    try {
      return await this.#readBytes(parts);
    } finally {
      for (const v of temporary) v.free();
    }
  }

  async #readBytes(parts: readonly { readonly data: GpuData; readonly bytes: number }[]): Promise<Uint8Array[]> {
    const { gpu } = this;
    const pieces = parts.flatMap(({ data, bytes }) =>
      stretches(data, bytes).map((s) => ({
        buffer: gpu.arenaOf(s.block),
        // Copies begin and end at words: an odd 16-bit entry more on either side.
        offset: 16 * s.block.quad + (s.from & ~3),
        bytes: ((s.to + 3) & ~3) - (s.from & ~3),
        skip: s.from & 3,
        length: s.to - s.from,
      })),
    );
    const read = await gpu.readMany(pieces);
    let k = 0;
    return parts.map(({ data, bytes }) => {
      const out = new Uint8Array(data.length * bytes);
      for (let at = 0; at < out.length; k++) {
        const { skip, length } = pieces[k];
        out.set(read[k].subarray(skip, skip + length), at);
        at += length;
      }
      return out;
    });
  }

  #upload(data: GpuData, width: number, bytes: Uint8Array, first: number): void {
    let at = 0;
    const from = data.offset + first;
    for (const s of stretches({ ...data, offset: from, length: bytes.length / width }, width)) {
      this.gpu.upload(s.block, bytes.subarray(at, at + s.to - s.from), s.from);
      at += s.to - s.from;
    }
  }

  #enter(v: GpuVector<FrVector>): void {
    this.gpu.dispatch(kernels.enter, this.params().quad(v.length).vector(v.gpu!).finish(), v.length);
  }

  #allocate(width: number, length: number): Segments {
    const shift = Math.log2(this.#segmentBytes / width);
    const size = 2 ** shift;
    const blocks = [];
    for (let at = 0; at < Math.max(1, length); at += size)
      blocks.push(this.gpu.allocate(width * Math.min(size, Math.max(1, length - at))));
    return { blocks, shift };
  }

  readonly #release = (segments: Segments): void => {
    for (const b of segments.blocks) this.gpu.free(b);
  };

  #own<V extends { free(): void }>(v: V): V {
    this.#scopes.own(v);
    return v;
  }
}

/** @throws TypeError for a vector of another device */
export function handle(v: AnyVector): GpuVector {
  if (!(v instanceof GpuVector)) throw new TypeError('this vector belongs to another device');
  return v as GpuVector;
}

/** The parts of a vector in its segments, in bytes. */
function stretches(
  { segments, offset, length }: GpuData,
  width: number,
): { block: Segments['blocks'][number]; from: number; to: number }[] {
  const size = 2 ** segments.shift;
  const out = [];
  for (let e = offset; e < offset + length;) {
    const end = Math.min(offset + length, (Math.floor(e / size) + 1) * size);
    const base = Math.floor(e / size) * size;
    out.push({ block: segments.blocks[Math.floor(e / size)], from: (e - base) * width, to: (end - base) * width });
    e = end;
  }
  return out;
}

function bigintsOf(bytes: Uint8Array): bigint[] {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  return Array.from(
    { length: bytes.length / 32 },
    (_, i) => words[4 * i] | (words[4 * i + 1] << 64n) | (words[4 * i + 2] << 128n) | (words[4 * i + 3] << 192n),
  );
}
