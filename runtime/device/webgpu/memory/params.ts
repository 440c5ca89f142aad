/**
 * Arguments of a dispatch: a uniform block of quads that host and shader agree on. Entries are appended in the order in
 * which the generator of the kernel numbered them.
 */
import type { WgslField } from '../../../kernels/wgsl/field/field.ts';
import { wordsOf } from '../../../kernels/wgsl/field/field.ts';
import type { Segments } from './vectors.ts';

/** Quads of a kernel's arguments. */
export const PARAMETER_QUADS = 1024;

export class Params {
  readonly #fr: WgslField;
  readonly #quads: number[][] = [];
  readonly #segments: { readonly at: number; readonly segments: Segments }[] = [];

  constructor(fr: WgslField) {
    this.#fr = fr;
  }

  /** Appends one quad of plain words. */
  quad(a: number, b = 0, c = 0, d = 0): this {
    this.#quads.push([a, b, c, d]);
    return this;
  }

  /** Appends a field element, in Montgomery form: two quads. */
  fr(value: bigint): this {
    const { R, modulus } = this.#fr.plan;
    const words = wordsOf((value * R) % modulus, 8).map(Number);
    this.#quads.push(words.slice(0, 4), words.slice(4));
    return this;
  }

  /** Appends the descriptor of a vector: one quad; its segments follow after all other entries. */
  vector(v: { readonly length: number; readonly segments: Segments; readonly offset: number }): this {
    this.#segments.push({ at: this.#quads.length, segments: v.segments });
    this.#quads.push([v.offset, v.length, 0, v.segments.shift]);
    return this;
  }

  finish(): Uint32Array {
    for (const { at, segments } of this.#segments) {
      this.#quads[at][2] = this.#quads.length;
      for (const { arena, quad } of segments.blocks) this.#quads.push([arena, quad, 0, 0]);
    }
    if (this.#quads.length > PARAMETER_QUADS)
      throw new RangeError(
        `a kernel's arguments take ${this.#quads.length} quads, more than ${PARAMETER_QUADS}: too many tables at once`,
      );
    return Uint32Array.from(this.#quads.flat());
  }
}
