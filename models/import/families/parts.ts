/** What models are made of, gathered by the names of their modules. */
import type { Projection } from '../adapters.ts';

/** What a model is made of, by full names. */
export interface Parts {
  readonly projections: ReadonlyMap<string, Projection>;
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** The tensor whose rows the last layer is multiplied with. */
  readonly head: string;
  /** Projections that are the head, by all its names. */
  readonly heads: readonly string[];
}

export class PartsBuilder {
  readonly #projections = new Map<string, Projection>();
  readonly #tensors = new Map<string, readonly number[]>();

  table(name: string, rows: number, columns: number): void {
    this.#tensors.set(`${name}.weight`, [rows, columns]);
  }

  /** As torch.nn.Linear stores it: [outputs, inputs]. */
  linear(name: string, outputs: number, inputs: number, bias: boolean): void {
    this.#project(name, { inputs, outputs }, [outputs, inputs], bias);
  }

  /** As GPT-2 stores it: [inputs, outputs]. */
  conv1d(name: string, inputs: number, outputs: number): void {
    this.#project(name, { inputs, outputs }, [inputs, outputs], true);
  }

  #project(name: string, projection: Projection, shape: readonly number[], bias: boolean): void {
    this.#projections.set(name, projection);
    this.#tensors.set(`${name}.weight`, shape);
    if (bias) this.#tensors.set(`${name}.bias`, [projection.outputs]);
  }

  rmsnorm(name: string, width: number): void {
    this.#tensors.set(`${name}.weight`, [width]);
  }

  layernorm(name: string, width: number): void {
    this.#tensors.set(`${name}.weight`, [width]);
    this.#tensors.set(`${name}.bias`, [width]);
  }

  /** The head, which may be the embedding: ends the list. Adapters may call the head by any of its names, files by the first. */
  withHead(
    names: readonly string[],
    embedding: string,
    { vocabulary, width, tied }: { readonly vocabulary: number; readonly width: number; readonly tied: boolean },
  ): Parts {
    this.table(embedding, vocabulary, width);
    for (const name of names) this.#projections.set(name, { inputs: width, outputs: vocabulary });
    if (!tied) this.table(names[0], vocabulary, width);
    const head = `${tied ? embedding : names[0]}.weight`;
    return { projections: this.#projections, tensors: this.#tensors, head, heads: names };
  }
}
