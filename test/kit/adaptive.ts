/**
 * A prover that claims a false output and adapts: its rounds are honest, and at the end of each level it changes one message
 * so that the level's relation holds for the false claim after all. What it says then of a factor is false, too, and so on,
 * down to what is committed. Pads are left out: without them every relation is a number.
 */
import type { Device } from '../../runtime/device/device.ts';
import { columnTable, type Opening } from '../../runtime/protocol/commitment/hyrax.ts';
import { ProtocolContext, type Channel } from '../../runtime/protocol/context.ts';
import type { Value } from '../../runtime/protocol/form.ts';
import type { IntegerArray } from '../../runtime/integers/arrays.ts';
import { programProtocol } from '../../runtime/protocol/program.ts';
import { verifierRole } from '../../runtime/protocol/statement/publics.ts';
import { add, inv, mul, neg, reduce, sub } from '../../runtime/protocol/scalar.ts';
import { Transcript } from '../../runtime/protocol/transcript.ts';
import { Held } from '../../runtime/prover/held.ts';
import { committedInputs, proverRole } from '../../runtime/prover/program.ts';
import { lookUp } from '../../runtime/prover/lookup/tensor-lookups.ts';
import { evaluateProgram } from '../../runtime/evaluate/witness/witness.ts';
import { openOutputs } from '../../runtime/prover/commitment/output.ts';
import { ownEntries } from '../../runtime/prover/commitment/witness-matrix.ts';
import { entropyOf } from './draw.ts';
import type { Statement } from './statement.ts';

/** A run of the protocol: its messages' labels, and what the verifier's relations come to. */
export interface Run {
  readonly labels: readonly string[];
  /** 0: the relation holds. */
  readonly relations: readonly bigint[];
  /** The messages that travel unmasked. */
  readonly clear: readonly bigint[];
}

/**
 * Runs both roles, with `changes` added to messages by number, about public tensors that `claim` has changed, with the
 * challenges of `transcript`.
 */
export type Adaptive = (changes: Changes) => Promise<Run>;

/** What is added to messages, by their numbers. */
export type Changes = ReadonlyMap<number, bigint>;

export async function adaptive(
  device: Device,
  s: Statement,
  claim: (honest: Map<number, IntegerArray>) => void = () => undefined,
  transcript: () => Transcript = () => new Transcript(),
): Promise<Adaptive> {
  const program = s.subject.gadgets;
  const inputs = new Map([...s.inputs, ...committedInputs(program, s.sources)]);
  const witness = await evaluateProgram(device, program, inputs);
  const looked = lookUp(program, witness);
  const matrices = [
    ...s.sources.map((c, i) => ({ entries: c.entries, columns: program.sources[i].columns })),
    ...ownEntries(program, witness, looked).map((entries) => ({ entries, columns: program.columns })),
    ...(await openOutputs(device, program, witness, new Map(), entropyOf(1))).map(({ entries }, k) => ({
      entries,
      columns: (program.outputs ?? [])[k].columns,
    })),
  ];
  const publics = new Map(program.publics.map((id) => [id, witness.entries(id).slice() as IntegerArray] as const));
  claim(publics);

  const opened = (o: Opening): bigint => {
    const { entries, columns } = matrices[o.matrix];
    const weights = columnTable(o.columns);
    let sum = 0n;
    for (const [i, w] of o.rowWeights.entries())
      for (const [j, c] of weights.entries()) sum += mul(w, c) * BigInt(entries[(o.firstRow + i) * columns + j]);
    return mul(o.scale, reduce(sum));
  };
  const amount = ({ form, openings }: Value): bigint => openings.reduce((n, o) => add(n, opened(o)), form.constant);

  return (changes) =>
    device.scope(async () => {
      const sent: bigint[] = [];
      const says = (_: string, v: bigint | undefined): bigint => {
        const m = add(v ?? 0n, changes.get(sent.length) ?? 0n);
        sent.push(m);
        return m;
      };
      const clear: bigint[] = [];
      const prover: Channel = {
        masked: (label, _, v) => says(label, v),
        clear(label, v) {
          const m = says(label, v);
          clear.push(m);
          return m;
        },
      };
      const held = new Held(device);
      const ctx = new ProtocolContext(transcript(), prover);
      await programProtocol(ctx, program, proverRole(device, program, witness, looked, held)).finally(() => {
        held.releaseAll();
      });
      let read = 0;
      const next = (): bigint => sent[read++];
      const judge = new ProtocolContext(transcript(), { masked: next, clear: next });
      await programProtocol(judge, program, verifierRole(device, program, publics));
      return { labels: judge.labels, relations: judge.relations.map(amount), clear };
    });
}

/**
 * Tries every way to make the first relation that fails hold by one more message, among those whose labels `may` be changed,
 * until there is none or `runs` are used up.
 * @returns the changes after which every relation holds, or the largest number of messages that could be changed to some end
 */
export async function search(run: Adaptive, may: (label: string) => boolean, runs: number): Promise<Changes | number> {
  let deepest = 0;
  const from = async (changes: ReadonlyMap<number, bigint>, held: number): Promise<Changes | undefined> => {
    const { labels, relations } = await run(changes);
    runs--;
    const failing = relations.findIndex((v) => v !== 0n);
    if (failing < 0) return changes;
    if (held >= 0 && relations[held] !== 0n) return undefined;
    deepest = Math.max(deepest, changes.size);
    for (const [message, label] of labels.entries()) {
      if (!may(label) || changes.has(message) || runs <= 0) continue;
      // Relations are affine in each message, but for squares.
      const one = await run(new Map([...changes, [message, 1n]]));
      runs--;
      const slope = sub(one.relations[failing], relations[failing]);
      if (slope === 0n) continue;
      const by = mul(neg(relations[failing]), inv(slope));
      const found = await from(new Map([...changes, [message, by]]), failing);
      if (found) return found;
    }
    return undefined;
  };
  return (await from(new Map(), -1)) ?? deepest;
}
