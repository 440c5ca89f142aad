/** Zero knowledge of what programs with rounding, tables, maxima, secret indices and open weights add to the messages. */
import { describe, expect, test } from 'vitest';
import type { PointVector } from '../../runtime/device/device.ts';
import { decodeBody } from '../../runtime/protocol/argument.ts';
import { ProtocolContext } from '../../runtime/protocol/context.ts';
import { padKind, type Pad } from '../../runtime/protocol/form.ts';
import { fromBigints } from '../../runtime/integers/arrays.ts';
import { programProtocol } from '../../runtime/protocol/program.ts';
import { verifierRole } from '../../runtime/protocol/statement/publics.ts';
import { Transcript } from '../../runtime/protocol/transcript.ts';
import { proveArgument } from '../../runtime/prover/argument.ts';
import type { ProverPads } from '../../runtime/prover/commitment/rows.ts';
import { Held } from '../../runtime/prover/held.ts';
import { committedInputs, proverMatrices, proverRole } from '../../runtime/prover/program.ts';
import { lookUp } from '../../runtime/prover/lookup/tensor-lookups.ts';
import { Randomness } from '../../runtime/prover/randomness.ts';
import { evaluateProgram } from '../../runtime/evaluate/witness/witness.ts';
import { ownEntries } from '../../runtime/prover/commitment/witness-matrix.ts';
import { verifyArgument } from '../../runtime/verifier/argument.ts';
import { testDevice } from '../kit/devices.ts';
import { Draw, entropyOf } from '../kit/draw.ts';
import { ChosenTranscript, simulate } from '../kit/simulator.ts';
import { createStatement, prove, verify, type Statement } from '../kit/statement.ts';
import { createSubject, type Subject, type Values } from '../kit/subject.ts';

const device = await testDevice();

/** The output is 0 whatever the secrets are: `zero` is committed as zeros. */
const text = `table half(t: fixed<4, 1> in [-1, 2] saturate) -> fixed<6, 2> = t / 2
model m { dim T = 3, V = 3
  public x[T]: fixed<4, 1>
  secret tokens[T]: index<V>
  secret s[T]: fixed<4, 1>
  secret zero[T]: fixed<4, 1> from adapter "zero"
  open E[V]: fixed<4, 1> from base "E"
  open g[T]: fixed<4, 1> from base "g"
  e[t] = round<6, 1>(1/3 * s[t] * E[tokens[t]])
  h[t] = half(round(e[t] + x[t]))
  m = max(t) h[t]
  r[t] = round<6, 2>(1 / sqrt(1 + s[t] * s[t]))
  public y[t] = zero[t] * (m + r[t] * h[t]) + zero[t] * g[t] }`;

const subject = await createSubject(text);

function valuesOf(secrets: Readonly<Record<string, readonly bigint[]>>): Values {
  const all: Record<string, readonly bigint[]> = {
    x: [1n, -2n, 3n],
    tokens: [0n, 2n, 1n],
    s: [3n, -5n, 7n],
    zero: [0n, 0n, 0n],
    E: [2n, -3n, 5n],
    g: [1n, -1n, 4n],
    ...secrets,
  };
  return new Map(subject.program.tensors.flatMap((t) => (t.name in all ? [[t.id, all[t.name]] as const] : [])));
}

const honest = await createStatement(device, subject, valuesOf({}));
const others: Record<string, Statement> = {
  'another token': await createStatement(device, subject, valuesOf({ tokens: [0n, 2n, 0n] })),
  'another secret input': await createStatement(device, subject, valuesOf({ s: [3n, -5n, 6n] })),
};

describe('pads', () => {
  async function used({ gadgets }: Subject): Promise<{ masks: Pad[]; copies: ReadonlyMap<Pad, Pad> }> {
    const masks: Pad[] = [];
    const ctx = new ProtocolContext(new Transcript(), { masked: (_, p) => (masks.push(p), 0n), clear: () => 0n });
    const nothing = (): undefined => undefined;
    const role = { indices: () => [], evaluate: nothing, evaluateView: nothing, evaluateTable: nothing };
    await programProtocol(ctx, gadgets, role);
    return { masks, copies: ctx.copies };
  }

  test('mask one message each, and none of them is a copy', async () => {
    const { masks, copies } = await used(subject);
    expect(masks.length).toBeGreaterThan(100);
    expect(new Set(masks).size).toBe(masks.length);
    expect(masks.filter((p) => copies.has(p))).toEqual([]);
    expect(new Set(masks.map(padKind))).toEqual(new Set(['P', 'A', 'B']));
  });

  async function randomnessOf(s: Statement): Promise<{ pads: bigint[]; body: Uint8Array; y: string }> {
    let pads: bigint[] = [];
    const collect = (p: ProverPads): void => void (pads = [...p.P, ...p.A, ...p.B, ...p.C, ...p.Q]);
    const proof = await prove(device, s, { seed: 1, hooks: { pads: collect } });
    expect(await verify(device, s, proof)).toEqual({ ok: true });
    const y = [...proof.publics.values()].map((v) => Array.from(v as ArrayLike<number>).join()).join(';');
    return { pads, body: proof.body, y };
  }

  test.each(Object.keys(others))(
    'are others for %s under the same entropy, though the statement is the same',
    async (k) => {
      const [a, b] = [await randomnessOf(honest), await randomnessOf(others[k])];
      expect(a.y).toBe(b.y);
      expect(a.body.length).toBe(b.body.length);
      const first = new Set(a.pads);
      expect(b.pads.filter((p) => first.has(p))).toEqual([]);
      // Rows that hold the same numbers in both are other points.
      const points = (body: Uint8Array): string[] => {
        const decoded = decodeBody(subject.argument, body);
        if (typeof decoded === 'string') throw new Error(decoded);
        return decoded.points.witness.flat().map((p) => Buffer.from(p).toString('hex'));
      };
      const rows = new Set(points(a.body));
      expect(points(b.body).filter((p) => rows.has(p))).toEqual([]);
    },
  );
});

describe('messages in the clear', () => {
  /** All messages of a proof whose challenges are chosen, and which of them travel unmasked. */
  async function messages(s: Statement): Promise<{ sent: bigint[]; clear: Set<number> }> {
    const { gadgets, argument } = subject;
    return device.scope(async () => {
      await device.prepareGenerators(argument.columns + 1);
      const witness = await evaluateProgram(
        device,
        gadgets,
        new Map([...s.inputs, ...committedInputs(gadgets, s.sources)]),
      );
      const looked = lookUp(gadgets, witness);
      const randomness = new Randomness('test', entropyOf(1));
      const own = ownEntries(gadgets, witness, looked);
      const matrices = proverMatrices(device, gadgets, s.sources, own, randomness);
      const held = new Held(device);
      const role = proverRole(device, gadgets, witness, looked, held);
      const clear = new Set<number>();
      const { scalars } = await proveArgument(
        device,
        argument,
        new ChosenTranscript(3),
        matrices,
        randomness,
        (ctx) => {
          const send = ctx.sendClear.bind(ctx);
          ctx.sendClear = (label, v) => (clear.add(ctx.labels.length), send(label, v));
          return programProtocol(ctx, gadgets, role);
        },
      ).finally(() => {
        held.releaseAll();
      });
      return { sent: scalars.messages, clear };
    });
  }

  test('are functions of the challenges and of open weights: with the same ones, secrets do not change them', async () => {
    const a = await messages(honest);
    expect(a.clear.size).toBeGreaterThan(1);
    for (const other of Object.values(others)) {
      const b = await messages(other);
      expect(b.clear).toEqual(a.clear);
      for (const i of a.clear) expect(b.sent[i]).toBe(a.sent[i]);
      expect(b.sent.some((v, i) => v !== a.sent[i])).toBe(true);
    }
  });
});

describe('simulated proofs', () => {
  test('are accepted without a witness if the challenges were chosen, and only then', async () => {
    const { gadgets, argument } = subject;
    const draw = new Draw('false statement', 2);
    const publics = new Map(
      gadgets.publics.map((id) => {
        const { range, shape } = gadgets.tensors[id];
        return [
          id,
          fromBigints(
            range,
            draw.integers(
              range,
              shape.reduce((n, d) => n * d, 1),
            ),
          ),
        ] as const;
      }),
    );
    await device.scope(async () => {
      const registered: PointVector[] = [];
      for (const c of honest.sources) {
        const rows = await device.decodePoints(c.points);
        if ('bad' in rows) throw new Error('no points');
        registered.push(rows);
      }
      const run = (ctx: ProtocolContext): Promise<void> =>
        programProtocol(ctx, gadgets, verifierRole(device, gadgets, publics));
      const body = await simulate(device, argument, registered, run, 11);
      const judged = (seed: number) =>
        verifyArgument(device, argument, new ChosenTranscript(seed), registered, body, run);
      expect(await judged(11)).toEqual({ ok: true });
      expect(await judged(12)).toMatchObject({ ok: false });
    });
  });
});
