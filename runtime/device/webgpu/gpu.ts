/**
 * A WebGPU device in the hands of the project's own device: arenas, kernels, and commands in order. Calls only enqueue;
 * `read` submits and waits. Errors of the implementation arrive later than their calls and are thrown by the next read.
 */
import type { WgslField } from '../../kernels/wgsl/field/field.ts';
import { GRID, WORKGROUP } from '../../kernels/wgsl/access.ts';
import { closedError } from '../turns.ts';
import { BUFFER, MAP_READ } from './constants.ts';
import { GpuError, ON_CPU } from './errors.ts';
import { Memory, type Block, type MemoryLimits } from './memory/arena.ts';
import { Pipelines, WINDOW, type Fields, type KernelSource } from './pipelines.ts';

const RING = 2 ** 20;
/** Dispatches that are collected before they are submitted. */
const BATCH = 128;

/** Threads of dispatches that are submitted together: systems stop a GPU that does not answer for a few seconds. */
const BATCH_THREADS = 2 ** 24;
/** Buffers for reading are powers of two up to here, so that they fit the next read, too. */
const STAGING = 2 ** 26;

/** Bindings that a shader declares for arenas: more than there are, so that growing seldom compiles kernels anew. */
const arenaSlots = (arenas: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, 2 ** Math.ceil(Math.log2(Math.max(1, arenas)))));

export class Gpu {
  readonly device: GPUDevice;
  readonly fr: WgslField;
  readonly fq: WgslField;
  readonly memory: Memory;
  readonly #slotLimits: readonly [least: number, most: number];
  #threads = 0;
  readonly #arenas: GPUBuffer[] = [];
  readonly #dummies: GPUBuffer[] = [];
  readonly #pipelines: Pipelines;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #staging: GPUBuffer[] = [];
  readonly #ring: GPUBuffer;
  readonly #ringWords = new Uint32Array(RING / 4);
  #ringFrom = 0;
  #ringEnd = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #dispatches = 0;
  #lastKernel: string | undefined;
  readonly #pending: Promise<void>[] = [];
  #failure: GpuError | undefined;
  #closed = false;
  /** What no scope caught: often follows from a refused shader, which then is what is reported. */
  #consequence: GpuError | undefined;
  #lost!: Promise<never>;

  /** @param leastSlots arenas that kernels are compiled for from the start: more of them are slower to compile, but once. */
  constructor(device: GPUDevice, fields: Fields, limits: MemoryLimits, leastSlots = 1) {
    this.device = device;
    this.fr = fields.fr;
    this.fq = fields.fq;
    this.#slotLimits = [Math.min(leastSlots, limits.arenas), limits.arenas];
    this.#pipelines = new Pipelines(device, fields, (scope, kernel, detail) => this.#note(scope, kernel, detail));
    this.memory = new Memory(limits, (bytes) => this.#addArena(bytes));
    this.#ring = device.createBuffer({ size: RING, usage: BUFFER.uniform | BUFFER.copyTarget });
    this.#watch();
  }

  readonly #uncaptured = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault?.();
    this.#consequence ??= failureOf(event.error, this.#lastKernel);
  };

  #watch(): void {
    this.#lost = this.device.lost.then((info) => {
      if (this.#closed) throw closed();
      this.#failure = new GpuError(
        'lost',
        `the GPU device was lost${this.#lastKernel === undefined ? '' : ` while \`${this.#lastKernel}\` was the last kernel to be submitted`}: ${info.message || info.reason}`,
        `run again; if it happens again, ask for less memory (--gpu-memory), close other users of the GPU, or ${ON_CPU}`,
        this.#lastKernel,
      );
      throw this.#failure;
    });
    this.#lost.catch(() => undefined);
    this.device.addEventListener('uncapturederror', this.#uncaptured);
  }

  #addArena(bytes: number): void {
    this.device.pushErrorScope('out-of-memory');
    const usage = BUFFER.storage | BUFFER.copyTarget | BUFFER.copySource;
    const buffer = this.device.createBuffer({ label: `arena ${this.#arenas.length}`, size: bytes, usage });
    this.#note(this.device.popErrorScope(), undefined);
    // Slots for arenas to come are filled with buffers of their own until then.
    this.#flush();
    this.#arenas.push(buffer);
    this.#groups.clear();
  }

  /** Remembers what an error scope finds. */
  #note(scope: Promise<GPUError | null>, kernel: string | undefined, detail?: () => Promise<string>): void {
    this.#pending.push(
      scope.then(
        async (error) => {
          if (error) this.#failure ??= failureOf(error, kernel, await detail?.());
        },
        () => undefined,
      ),
    );
  }

  allocate(bytes: number): Block {
    return this.memory.allocate(bytes);
  }

  free(block: Block): void {
    this.memory.free(block);
  }

  /** Copies bytes into a block. A length that is no multiple of 4 is rounded up with zeros. */
  upload(block: Block, bytes: Uint8Array, offset = 0): void {
    // What was enqueued before may still read what is overwritten here.
    this.#flush();
    const at = 16 * block.quad + offset;
    const whole = bytes.length & ~3;
    const source = bytes as Uint8Array<ArrayBuffer>;
    if (whole > 0) this.device.queue.writeBuffer(this.#arenas[block.arena], at, source, 0, whole);
    if (whole < bytes.length) {
      const rest = new Uint8Array(4);
      rest.set(bytes.subarray(whole));
      this.device.queue.writeBuffer(this.#arenas[block.arena], at + whole, rest);
    }
  }

  /** Enqueues a kernel with `threads` invocations, rounded up to workgroups. It numbers them with `thread`. */
  dispatch(kernel: KernelSource, params: Uint32Array, threads: number, atomics?: GPUBuffer): void {
    if (this.#failure) throw this.#failure;
    if (threads <= 0) return;
    const slots = this.#slots();
    const pipeline = this.#pipelines.of(kernel, slots, atomics !== undefined);
    const offset = this.#place(params);
    const groups = Math.ceil(threads / WORKGROUP);
    this.#encoder ??= this.device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, this.#group(slots, atomics), [offset]);
    this.#pass.dispatchWorkgroups(Math.min(groups, GRID), Math.ceil(groups / GRID));
    this.#lastKernel = kernel.name;
    this.#threads += threads;
    if (++this.#dispatches >= BATCH || this.#threads >= BATCH_THREADS) this.#flush();
  }

  /** Submits what is enqueued: no single submission should keep a slow GPU for seconds. */
  submit(): void {
    this.#flush();
  }

  /** A buffer of counters, all zero. The caller destroys it, once what uses it was submitted. */
  counters(words: number): GPUBuffer {
    const usage = BUFFER.storage | BUFFER.copySource | BUFFER.copyTarget;
    return this.device.createBuffer({ size: Math.max(16, 4 * words), usage });
  }

  /** Reads part of a block. @throws GpuError for whatever went wrong since the last read */
  async read(block: Block, offset: number, bytes: number): Promise<Uint8Array> {
    return (await this.readMany([{ buffer: this.#arenas[block.arena], offset: 16 * block.quad + offset, bytes }]))[0];
  }

  /** Several parts with one wait. Offsets and lengths are multiples of 4. */
  async readMany(
    parts: readonly { readonly buffer: GPUBuffer; readonly offset: number; readonly bytes: number }[],
  ): Promise<Uint8Array[]> {
    if (this.#failure) throw this.#failure;
    const total = parts.reduce((n, part) => n + part.bytes, 0);
    if (total === 0) return parts.map(() => new Uint8Array());
    const staging = this.#takeStaging(total);
    this.#endPass();
    this.#encoder ??= this.device.createCommandEncoder();
    let at = 0;
    for (const { buffer, offset, bytes } of parts) {
      this.#encoder.copyBufferToBuffer(buffer, offset, staging, at, bytes);
      at += bytes;
    }
    this.#flush();
    try {
      await staging.mapAsync(MAP_READ, 0, total);
    } catch (error) {
      // A lost device rejects first and says why a little later.
      await Promise.race([this.#lost.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 200))]);
      await this.check();
      throw error instanceof GpuError ? error : failureOf(error as Error, this.#lastKernel);
    }
    await this.check();
    const mapped = new Uint8Array(staging.getMappedRange(0, total));
    at = 0;
    const out = parts.map(({ bytes }) => mapped.slice(at, (at += bytes)));
    staging.unmap();
    this.#staging.push(staging);
    return out;
  }

  arenaOf(block: Block): GPUBuffer {
    return this.#arenas[block.arena];
  }

  /** @throws GpuError for whatever has gone wrong so far */
  async check(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
    this.#failure ??= this.#consequence;
    if (this.#failure) throw this.#failure;
  }

  /** Gives all memory back. The device stays. */
  release(): void {
    this.#flush();
    this.device.removeEventListener('uncapturederror', this.#uncaptured);
    for (const b of [...this.#arenas, ...this.#dummies, ...this.#staging, this.#ring]) b.destroy();
  }

  destroy(): void {
    this.#closed = true;
    this.#failure = closed();
    this.device.destroy();
  }

  #slots(): number {
    return arenaSlots(this.#arenas.length, ...this.#slotLimits);
  }

  #takeStaging(bytes: number): GPUBuffer {
    const k = this.#staging.findIndex((b) => b.size >= bytes);
    if (k >= 0) return this.#staging.splice(k, 1)[0];
    for (const b of this.#staging.splice(0)) b.destroy();
    const size = bytes > STAGING ? bytes : Math.max(4096, 2 ** Math.ceil(Math.log2(bytes)));
    return this.device.createBuffer({ size, usage: BUFFER.mapRead | BUFFER.copyTarget });
  }

  #place(params: Uint32Array): number {
    const bytes = Math.ceil(params.byteLength / 256) * 256;
    if (this.#ringEnd + Math.max(bytes, WINDOW) > RING) {
      this.#flush();
      this.#ringFrom = this.#ringEnd = 0;
    }
    const offset = this.#ringEnd;
    this.#ringWords.set(params, offset / 4);
    this.#ringEnd += bytes;
    return offset;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #flush(): void {
    if (this.#encoder === undefined) return;
    this.#endPass();
    if (this.#ringEnd > this.#ringFrom)
      this.device.queue.writeBuffer(
        this.#ring,
        this.#ringFrom,
        this.#ringWords,
        this.#ringFrom / 4,
        (this.#ringEnd - this.#ringFrom) / 4,
      );
    this.#ringFrom = this.#ringEnd;
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#dispatches = 0;
    this.#threads = 0;
  }

  #group(slots: number, atomics: GPUBuffer | undefined): GPUBindGroup {
    const made = atomics === undefined ? this.#groups.get(`${slots}`) : undefined;
    if (made) return made;
    while (this.#arenas.length + this.#dummies.length < slots)
      this.#dummies.push(this.device.createBuffer({ size: 256, usage: BUFFER.storage }));
    const buffers = [...this.#arenas, ...this.#dummies].slice(0, slots);
    if (atomics) buffers.push(atomics);
    const group = this.device.createBindGroup({
      layout: this.#pipelines.layout(slots, atomics !== undefined),
      entries: [
        { binding: 0, resource: { buffer: this.#ring, offset: 0, size: WINDOW } },
        ...buffers.map((buffer, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    });
    if (atomics === undefined) this.#groups.set(`${slots}`, group);
    return group;
  }
}

const closed = (): GpuError => new GpuError('lost', closedError().message, 'make another device');

function failureOf(error: Error | GPUError, kernel: string | undefined, detail?: string): GpuError {
  const at = kernel === undefined ? '' : ` in kernel \`${kernel}\``;
  const message = `${error.message}${detail ? ` (${detail})` : ''}`;
  if (error.constructor.name === 'GPUOutOfMemoryError')
    return new GpuError(
      'memory',
      `the GPU has no memory left${at}: ${message}`,
      `ask for less (--gpu-memory), close other users of the GPU, or ${ON_CPU}`,
      kernel,
    );
  const kind = detail === undefined ? 'validation' : 'shader';
  const what = kind === 'shader' ? 'a shader was refused' : 'a GPU call was refused';
  return new GpuError(
    kind,
    `${what}${at}: ${message}`,
    `this is a fault of zkl or of the driver: please report it, and ${ON_CPU}`,
    kernel,
  );
}
