/** The tables over which a level's summands run: their factors, with the axes that the claim binds weighted and summed. */
import type { GadgetFactor, GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { Device, FrVector, IntVector, Table } from '../../device/device.ts';
import { contractAxes, eqOver, type DeviceTensor } from '../../protocol/statement/publics.ts';
import * as Fr from '../../protocol/scalar.ts';
import type { AxisPoints, Summand } from '../../protocol/sumcheck/stacks.ts';
import { viewMap } from '../../protocol/statement/views.ts';
import type { Held, HeldValue } from '../held.ts';

/** Entries of any tensor of the program, on the device, for as long as the proof is made. */
export type TensorSource = (id: number) => Promise<DeviceTensor>;

/** Maps that are kept: as many as a summand has factors, and a few more. */
const SPREADS = 8;

/** Makes the tables of a level's summands. Equal summands of equal layers share the weights of claims and of views. */
export class TableMaker {
  readonly #device: Device;
  readonly #held: Held;
  readonly #program: GadgetProgram;
  readonly #tensors: TensorSource;
  readonly #shared = new Map<string, Promise<HeldValue<FrVector>>>();
  readonly #spreads = new Map<string, Int32Array | undefined>();
  readonly #names = new Map<readonly bigint[], number>();

  constructor(device: Device, held: Held, program: GadgetProgram, tensors: TensorSource) {
    this.#device = device;
    this.#held = held;
    this.#program = program;
    this.#tensors = tensors;
  }

  /** Of a view: its weights, then what it views; else the factors in order. */
  async tablesOf(summand: Summand): Promise<HeldValue<readonly Table[]>> {
    const { source } = summand;
    if (source.kind === 'term') return this.#tables(source.term.factors, summand, []);
    const of = this.#program.tensors[source.of].shape;
    const all: GadgetFactor = { tensor: source.of, axes: of.map((_, variable) => ({ kind: 'summed', variable })) };
    const { class: c, shape } = this.#program.tensors[source.view];
    const access = c.kind === 'view' ? JSON.stringify([shape, of, c.at, c.guards]) : '';
    const key = `view ${access} ${summand.claim.map((p) => this.#name(p)).join()}`;
    const view = () => viewTable(this.#device, this.#program, source.view, summand.claim);
    return this.#tables([all], summand, [await this.#once(key, view)]);
  }

  /** To be called when no table is made any more. */
  async release(): Promise<void> {
    for (const v of this.#shared.values()) (await v).release();
  }

  async #tables(
    factors: readonly GadgetFactor[],
    summand: Summand,
    before: readonly Table[],
  ): Promise<HeldValue<readonly Table[]>> {
    const made: { readonly factor: GadgetFactor; tensor: DeviceTensor; weights: (FrVector | undefined)[] }[] = [];
    for (const factor of factors) {
      const { shape } = this.#program.tensors[factor.tensor];
      const weights: (FrVector | undefined)[] = [];
      for (const [j, a] of factor.axes.entries())
        weights.push(
          a.kind === 'summed'
            ? undefined
            : await this.#eq(a.kind === 'output' ? summand.claim[a.output] : undefined, shape[j]),
        );
      made.push({ factor, tensor: await this.#tensors(factor.tensor), weights });
    }
    return this.#held.make(() => [
      ...before,
      ...made.map(({ factor, tensor, weights }) => {
        const bound = contractAxes(this.#device, tensor, this.#program.tensors[factor.tensor].shape, weights);
        const kept = factor.axes.flatMap((a) => (a.kind === 'summed' ? [a.variable] : []));
        const map = this.#spread(kept, bound.shape, summand.variables);
        return map ? this.#device.gather<FrVector | IntVector>(bound.vector, map) : bound.vector;
      }),
    ]);
  }

  /** As `spreadMap`, once for the members of a stack, which follow each other. */
  #spread(kept: readonly number[], lengths: readonly number[], variables: readonly number[]): Int32Array | undefined {
    const key = `${kept.join()} of ${lengths.join()} over ${variables.join()}`;
    if (!this.#spreads.has(key)) {
      if (this.#spreads.size >= SPREADS) this.#spreads.clear();
      this.#spreads.set(key, spreadMap(kept, lengths, variables));
    }
    return this.#spreads.get(key);
  }

  /** eq(point, .), or eq((1/2, ..., 1/2), .), cut to a length. */
  #eq(point: readonly bigint[] | undefined, length: number): Promise<FrVector> {
    const halves = (): bigint[] => Array.from({ length: Fr.bitsFor(length) }, () => Fr.half);
    return this.#once(`eq ${point ? this.#name(point) : 'half'} ${length}`, () =>
      this.#device.eq(point ?? halves(), length),
    );
  }

  async #once(key: string, make: () => FrVector | Promise<FrVector>): Promise<FrVector> {
    const v = this.#shared.get(key) ?? this.#held.make(make);
    this.#shared.set(key, v);
    return (await v).value;
  }

  #name(point: readonly bigint[]): number {
    const name = this.#names.get(point) ?? this.#names.size;
    this.#names.set(point, name);
    return name;
  }
}

/**
 * For each entry of the table over `variables` (padded), its position in the row-major array over the variables `kept`
 * of the given lengths, or -1 in the padding. Undefined where that is the identity.
 */
function spreadMap(
  kept: readonly number[],
  lengths: readonly number[],
  variables: readonly number[],
): Int32Array | undefined {
  const strideOf = new Map(kept.map((v, j) => [v, lengths.slice(j + 1).reduce((n, d) => n * d, 1)] as const));
  const inOrder = kept.length === variables.length && kept.every((v, j) => v === j);
  // Only the first variable may be short: trailing zeros may be left out of a table.
  if (inOrder && variables.slice(1).every((n) => n === 2 ** Fr.bitsFor(n))) return undefined;
  let map = Int32Array.of(0);
  for (const [v, own] of variables.entries()) {
    const stride = strideOf.get(v);
    // A table that does not depend on a variable is constant in its padding, too; the other factors are zero there.
    const length = stride === undefined ? 2 ** Fr.bitsFor(own) : own;
    const padded = v === 0 ? length : 2 ** Fr.bitsFor(own);
    const next = new Int32Array(map.length * padded).fill(-1);
    for (const [k, base] of map.entries())
      if (base >= 0) for (let i = 0; i < length; i++) next[k * padded + i] = base + i * (stride ?? 0);
    map = next;
  }
  return map;
}

/** The weights of a view's claim over the padded axes of the tensor it views: at each position the sum over the entries there. */
async function viewTable(device: Device, program: GadgetProgram, view: number, claim: AxisPoints): Promise<FrVector> {
  const t = program.tensors[view];
  if (t.class.kind !== 'view') throw new Error(`internal error: ${t.name} is no view`);
  const of = program.tensors[t.class.of].shape;
  const map = viewMap(t.shape, of, t.class.at, t.class.guards);
  const eq = eqOver(device, t.shape, claim);
  const from = new Int32Array(of.reduce((n, d) => n * d, 1)).fill(-1);
  const repeated: [position: number, entry: number][] = [];
  for (const [i, position] of map.entries())
    if (position >= 0 && from[position] < 0) from[position] = i;
    else if (position >= 0) repeated.push([position, i]);
  let weights = device.gather(eq, from);
  if (repeated.length > 0) {
    const [sums, entries] = [await device.readFr(weights), await device.readFr(eq)];
    for (const [position, i] of repeated) sums[position] = Fr.add(sums[position], entries[i]);
    weights = device.frVector(sums);
  }
  const spread = spreadMap(
    of.map((_, j) => j),
    of,
    of,
  );
  return spread ? device.gather(weights, spread) : weights;
}
