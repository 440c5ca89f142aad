/**
 * Memory of the device: a few large storage buffers ("arenas"), all bound to every kernel, and blocks inside them.
 * Tensors are then any number of views without buffers of their own, and no kernel runs out of bindings.
 */
import { GpuError, ON_CPU } from '../errors.ts';
import { MIB } from '../limits.ts';

/** 256-byte aligned, inside one arena. A quad is 16 bytes, what kernels address memory by. */
export interface Block {
  readonly arena: number;
  readonly quad: number;
  readonly bytes: number;
}

export interface MemoryLimits {
  /** Bytes of the largest arena: the largest binding. */
  readonly arena: number;
  /** Arenas at most: one binding each. */
  readonly arenas: number;
  /** Bytes of all arenas together. */
  readonly budget: number;
}

const ALIGNMENT = 256;
const FIRST_ARENA = 64 * MIB;

interface Hole {
  from: number;
  to: number;
}

interface Arena {
  readonly bytes: number;
  /** Sorted, never adjacent. */
  readonly holes: Hole[];
}

export class Memory {
  readonly #limits: MemoryLimits;
  readonly #create: (bytes: number) => void;
  readonly #arenas: Arena[] = [];
  readonly #live = new Set<Block>();
  #used = 0;
  #peak = 0;

  /** @param create makes the buffer of the next arena. */
  constructor(limits: MemoryLimits, create: (bytes: number) => void) {
    this.#limits = limits;
    this.#create = create;
  }

  /** Bytes of blocks in use, the most there have been, and bytes of arenas. */
  get usage(): { readonly used: number; readonly peak: number; readonly reserved: number } {
    return { used: this.#used, peak: this.#peak, reserved: this.#reserved() };
  }

  /** Bytes of all arenas together, at most. */
  get limit(): number {
    const { arena, arenas, budget } = this.#limits;
    return Math.min(budget, arena * arenas);
  }

  get arenaBytes(): number {
    return Math.min(this.#limits.arena, this.#limits.budget);
  }

  /** @throws GpuError 'memory' when nothing is left. */
  allocate(bytes: number): Block {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    for (const [i, arena] of this.#arenas.entries()) {
      const k = arena.holes.findIndex((h) => h.to - h.from >= size);
      if (k >= 0) return this.#take(i, arena.holes, k, size);
    }
    this.#grow(size);
    return this.#take(this.#arenas.length - 1, this.#arenas.at(-1)!.holes, 0, size);
  }

  free(block: Block): void {
    if (!this.#live.delete(block)) throw new Error('free: no such block');
    this.#used -= block.bytes;
    const { holes } = this.#arenas[block.arena];
    const [from, to] = [16 * block.quad, 16 * block.quad + block.bytes];
    let k = holes.findIndex((h) => h.from > from);
    if (k < 0) k = holes.length;
    const [before, after] = [holes[k - 1] as Hole | undefined, holes[k] as Hole | undefined];
    const joinsBefore = before?.to === from;
    const joinsAfter = after?.from === to;
    if (joinsBefore && joinsAfter) {
      before.to = after.to;
      holes.splice(k, 1);
    } else if (joinsBefore) before.to = to;
    else if (joinsAfter) after.from = from;
    else holes.splice(k, 0, { from, to });
  }

  #take(arena: number, holes: Hole[], k: number, size: number): Block {
    const hole = holes[k];
    const block: Block = { arena, quad: hole.from / 16, bytes: size };
    hole.from += size;
    if (hole.from === hole.to) holes.splice(k, 1);
    this.#live.add(block);
    this.#used += size;
    this.#peak = Math.max(this.#peak, this.#used);
    return block;
  }

  #reserved(): number {
    return this.#arenas.reduce((n, a) => n + a.bytes, 0);
  }

  #grow(size: number): void {
    const { arena, arenas, budget } = this.#limits;
    const left = budget - this.#reserved();
    const wanted = Math.max(size, FIRST_ARENA * 2 ** this.#arenas.length);
    const bytes = Math.floor(Math.min(wanted, arena, left) / ALIGNMENT) * ALIGNMENT;
    if (bytes < size || this.#arenas.length === arenas)
      throw new GpuError(
        'memory',
        `${mebibytes(size)} more are needed; ${mebibytes(this.#used)} are in use, of at most ${mebibytes(this.limit)}`,
        `allow more (--gpu-memory), prove fewer rows at once, or ${ON_CPU}`,
      );
    this.#create(bytes);
    this.#arenas.push({ bytes, holes: [{ from: 0, to: bytes }] });
  }
}

const mebibytes = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB of GPU memory`;
