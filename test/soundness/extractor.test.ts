/**
 * What the extractor of docs/protocol.md, section 7, stands on: one run opens one combination of rows. Fresh challenges from the
 * first one on give as many independent combinations as there are rows; fresh ones of the opening argument alone do not.
 */
import { expect, test } from 'vitest';
import type { Argument } from '../../runtime/protocol/argument.ts';
import { openingArgument } from '../../runtime/protocol/commitment/opening-argument.ts';
import { ProtocolContext } from '../../runtime/protocol/context.ts';
import { programProtocol } from '../../runtime/protocol/program.ts';
import { planRange, planRangeArgument, rangeProtocol } from '../../runtime/protocol/commitment/range-proof.ts';
import * as Fr from '../../runtime/protocol/scalar.ts';
import { Transcript } from '../../runtime/protocol/transcript.ts';
import { Draw } from '../kit/draw.ts';
import { createSubject } from '../kit/subject.ts';

/** Challenges of the protocol from one seed, those of the opening argument from another. */
class TwoSeeds extends Transcript {
  readonly #protocol: Draw;
  readonly #opening: Draw;

  constructor(protocol: number, end: number) {
    super();
    this.#protocol = new Draw('text', protocol);
    this.#opening = new Draw('closing', end);
  }

  override challenge(label: string): bigint {
    return (/^(closing|columns)/.test(label) ? this.#opening : this.#protocol).scalar();
  }
}

type Protocol = (ctx: ProtocolContext, draw: Draw) => Promise<void>;

/** The weights of all rows in what a run opens: of the matrices, then of the pads. Messages follow from the protocol's seed. */
async function weightsOf(argument: Argument, protocol: Protocol, seed: number, end: number): Promise<bigint[]> {
  const draw = new Draw('messages', seed);
  const channel = { masked: () => draw.scalar(), clear: () => draw.scalar() };
  const ctx = new ProtocolContext(new TwoSeeds(seed, end), channel);
  await protocol(ctx, draw);
  const { matrices, pads } = await openingArgument(ctx, argument.matrices, argument.opening, { channel });
  return [...matrices.flat(), ...(['P', 'A', 'B', 'C'] as const).flatMap((kind) => pads[kind])];
}

const subtract = (v: readonly bigint[], scale: bigint, b: readonly bigint[]): bigint[] =>
  v.map((x, i) => Fr.sub(x, Fr.mul(scale, b[i])));

/** The dimension of what some vectors span. */
function rank(vectors: readonly (readonly bigint[])[]): number {
  const basis: { readonly pivot: number; readonly v: readonly bigint[] }[] = [];
  for (const vector of vectors) {
    let v = [...vector];
    for (const b of basis) v = subtract(v, v[b.pivot], b.v);
    const pivot = v.findIndex((x) => x !== 0n);
    if (pivot < 0) continue;
    const scale = Fr.inv(v[pivot]);
    basis.push({ pivot, v: v.map((x) => Fr.mul(x, scale)) });
  }
  return basis.length;
}

async function dimensions(
  argument: Argument,
  protocol: Protocol,
): Promise<{ rows: number; fresh: number; late: number }> {
  const rows =
    argument.matrices.reduce((n, m) => n + m.rows, 0) + argument.opening.plainRows + 3 * argument.opening.tripleRows;
  const runs = async (seedOf: (k: number) => number): Promise<bigint[][]> => {
    const out: bigint[][] = [];
    for (let k = 1; k <= rows + 2; k++) out.push(await weightsOf(argument, protocol, seedOf(k), k));
    return out;
  };
  return { rows, fresh: rank(await runs((k) => k)), late: rank(await runs(() => 1)) };
}

const subject = await createSubject(`model m { dim T = 3, I = 40, O = 12, R = 3
  public x[T, I]: fixed<8, 4>
  secret A[R, I]: fixed<8, 7> from adapter "A"
  secret B[O, R]: fixed<8, 7> from adapter "B"
  u[t, r] = round<12, 6>(sum(i) x[t, i] * A[r, i])
  public y[t, o] = sum(r) u[t, r] * B[o, r] }`);

test('a program proof: every row is opened by runs from the first challenge on, and not by fresh opening arguments', async () => {
  const { rows, fresh, late } = await dimensions(subject.argument, (ctx, draw) => {
    const some = (): Promise<bigint> => Promise.resolve(draw.scalar());
    return programProtocol(ctx, subject.gadgets, {
      indices: () => [],
      evaluate: some,
      evaluateView: some,
      evaluateTable: some,
    });
  });
  expect(fresh).toBe(rows);
  expect(late).toBeLessThan(rows);
});

test('a program proof that gathers: of the source every row that is named is opened, and no other', async () => {
  const gathering = await createSubject(`model m { dim M = 5, N = 3, T = 40
    source data
    public rows[N]: index<M>
    secret X[M, T]: fixed<8, 4> from data "x"
    public y[n] = sum(t) X[rows[n], t] * X[rows[n], t] }`);
  const [{ rows: all, tensors }] = gathering.gadgets.sources;
  // Indices share rows of the commitment, as many as stand beside each other in its columns.
  const beside = 2 ** tensors[0].axes[0].columnBits;
  const groups = Math.ceil(5 / beside);
  expect(groups).toBeGreaterThan(2);
  for (const named of [
    [1, 3, 4],
    [3, 1, 3],
    [2, 2, 2],
  ]) {
    const { rows, fresh, late } = await dimensions(gathering.argument, (ctx, draw) => {
      const some = (): Promise<bigint> => Promise.resolve(draw.scalar());
      const role = { indices: () => named, evaluate: some, evaluateView: some, evaluateTable: some };
      return programProtocol(ctx, gathering.gadgets, role);
    });
    const opened = new Set(named.map((index) => Math.floor(index / beside))).size;
    expect(rows - fresh).toBe(((groups - opened) * all) / groups);
    expect(late).toBeLessThan(fresh);
  }
});

test('a range proof: likewise', async () => {
  const [source] = subject.gadgets.sources;
  const plan = planRange(source);
  const { rows, fresh, late } = await dimensions(await planRangeArgument(source, plan), (ctx) =>
    rangeProtocol(ctx, source, plan),
  );
  expect(fresh).toBe(rows);
  expect(late).toBeLessThan(rows);
});
