/**
 * A prover that commits to other values than its program's steps give, any field elements among them, and is honest
 * otherwise: whatever equations define follows from what it committed to, and multiplicities count what is in the tables.
 */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { Device, FrVector } from '../../runtime/device/device.ts';
import { encodeBody } from '../../runtime/protocol/argument.ts';
import { allocate, setEntry, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { slotMap } from '../../runtime/protocol/commitment/layout.ts';
import { tensorSections, tableSize, type BoxSide } from '../../runtime/protocol/lookup/tensor-lookups.ts';
import type { ProtocolContext } from '../../runtime/protocol/context.ts';
import type { Value } from '../../runtime/protocol/form.ts';
import { planProgram, programProtocol, publicDigests, type ProgramRole } from '../../runtime/protocol/program.ts';
import { selectorEntries, verifierRole } from '../../runtime/protocol/statement/publics.ts';
import { inv, mul, r, reduce } from '../../runtime/protocol/scalar.ts';
import { programTranscript, statementDigest } from '../../runtime/protocol/statement/statement.ts';
import { digitMap, gatherMap, viewMap } from '../../runtime/protocol/statement/views.ts';
import { proveArgument } from '../../runtime/prover/argument.ts';
import { fractionProver } from '../../runtime/prover/lookup/fraction-tree.ts';
import { Held } from '../../runtime/prover/held.ts';
import type { Leaves } from '../../runtime/prover/lookup/leaves.ts';
import { levelProver } from '../../runtime/prover/sumcheck/claim-reduction.ts';
import { matrixOn } from '../../runtime/prover/commitment/rows.ts';
import { committedInputs } from '../../runtime/prover/program.ts';
import { Randomness } from '../../runtime/prover/randomness.ts';
import { sumExactly } from '../../runtime/evaluate/witness/terms.ts';
import { evaluateProgram } from '../../runtime/evaluate/witness/witness.ts';
import { verifyArgument, type Verdict } from '../../runtime/verifier/argument.ts';
import { entropyOf } from './draw.ts';
import { keepOnly } from './liar.ts';
import type { Statement } from './statement.ts';

/** Entries of every tensor by name, row-major, to be changed. */
export interface Forger {
  get(name: string): bigint[];
  set(name: string, at: number, v: bigint): void;
  add(name: string, at: number, v: bigint): void;
}

export interface Forgery {
  /** Before what follows from committed values is computed. */
  readonly change?: (f: Forger) => void;
  /** After that, multiplicities included. */
  readonly after?: (f: Forger) => void;
  /** The proof's own rows, row-major. */
  readonly rows?: (entries: bigint[], program: GadgetProgram) => void;
  /** Those of each output. */
  readonly outputs?: (entries: readonly bigint[][], program: GadgetProgram) => void;
  /** Relations of the protocol that both roles leave to the opening argument; all, if left out. */
  readonly keep?: (relation: Value) => boolean;
  /** Another program for both roles: one that lacks what stands in the forgery's way. */
  readonly program?: (p: GadgetProgram) => GadgetProgram;
}

/** Proves a statement with forged values and lets a verifier judge. */
export async function forge(device: Device, s: Statement, forgery: Forgery): Promise<Verdict> {
  const { gadgets, digest } = s.subject;
  const program = forgery.program?.(gadgets) ?? gadgets;
  const argument = await planProgram(program);
  return device.scope(async () => {
    await device.prepareGenerators(argument.columns + 1);
    const inputs = new Map([...s.inputs, ...committedInputs(gadgets, s.sources)]);
    const honest = await evaluateProgram(device, gadgets, inputs);
    const entries = new Map<number, bigint[]>();
    const of = (id: number): bigint[] => {
      const known = entries.get(id);
      if (known) return known;
      const c = program.tensors[id].class;
      let made: bigint[];
      if (c.kind === 'view' || c.kind === 'digits') {
        const source = of(c.of);
        const [own, viewed] = [program.tensors[id].shape, program.tensors[c.of].shape];
        const map = c.kind === 'view' ? viewMap(own, viewed, c.at, c.guards) : digitMap(own, viewed, c.axes);
        made = Array.from(map, (k) => (k < 0 ? 0n : source[k]));
      } else if (c.kind === 'gathered') {
        const map = gatherMap(program.tensors[c.of].shape, of(c.indices));
        made = Array.from(map, (k) => of(c.of)[k]);
      } else if (c.kind === 'selector')
        made = Array.from(selectorEntries(program.tensors[id].shape, of(c.of).map(Number)), BigInt);
      else made = Array.from(honest.numbers(id) as ArrayLike<number | bigint>, BigInt);
      entries.set(id, made);
      return made;
    };
    const named = (name: string): number => {
      const id = program.tensors.findIndex((t) => t.name === name);
      if (id < 0) throw new Error(`no tensor ${name}; there are ${program.tensors.map((t) => t.name).join(', ')}`);
      return id;
    };
    const forger: Forger = {
      get: (name) => of(named(name)),
      set: (name, at, v) => void (of(named(name))[at] = v),
      add: (name, at, v) => void (of(named(name))[at] += v),
    };
    forgery.change?.(forger);
    for (const e of program.equations) {
      if (e.level === 0) continue;
      entries.set(e.target, sumExactly(program, program.tensors[e.target], e.terms, of).map(centred));
    }
    const looked = program.lookups.map(({ tensor, offset, shift }) =>
      of(tensor).map((v) => mul(reduce(v + offset), inv(2n ** BigInt(shift)))),
    );
    for (const [k, t] of program.tables.entries()) {
      const counts = Array.from({ length: tableSize(t) }, () => 0n);
      for (const [i, l] of program.lookups.entries())
        if (l.table === k)
          for (const [j, v] of looked[i].entries()) {
            const found = v < BigInt(counts.length);
            const second =
              l.value === undefined || t.kind === 'range' || !found || t.values[Number(v)] === of(l.value)[j];
            if (found && second) counts[Number(v)]++;
          }
      entries.set(t.multiplicities, counts);
    }
    forgery.after?.(forger);

    const publics = new Map(program.publics.map((id) => [id, stored(program, id, of(id))] as const));
    const rows = Array.from({ length: program.witnessRows * program.columns }, () => 0n);
    for (const [id, { class: c }] of program.tensors.entries())
      if (c.kind === 'witness')
        for (const [slot, position] of slotMap(c, program.columns).entries())
          if (position >= 0) rows[c.firstRow * program.columns + slot] = reduce(of(id)[position]);
    forgery.rows?.(rows, program);
    const { outputs = [] } = program;
    const leaving = outputs.map((o, k) => {
      const out = Array.from({ length: o.rows * o.columns }, () => 0n);
      for (const [id, { class: c }] of program.tensors.entries()) {
        if (c.kind !== 'committed' || c.source !== program.sources.length + k) continue;
        const t = o.tensors[c.files[0]];
        for (const [slot, position] of slotMap(t, o.columns).entries())
          if (position >= 0) out[t.firstRow * o.columns + slot] = reduce(of(id)[position]);
      }
      return out;
    });
    forgery.outputs?.(leaving, program);

    const statement = {
      program: digest,
      context: s.context,
      commitments: s.sources.map((c) => c.digest),
      publics: publicDigests(program, publics),
    };
    const randomness = new Randomness('proof', entropyOf(5), statementDigest(statement));
    const own = device.frVector(rows);
    const protocol = async (ctx: ProtocolContext, role: ProgramRole): Promise<void> => {
      await programProtocol(ctx, program, role);
      if (forgery.keep) keepOnly(ctx, forgery.keep);
    };
    const matrices = [
      ...s.sources.map((c, i) => {
        const vector = device.intVector(c.entries);
        const { rows: count, columns } = program.sources[i];
        return matrixOn(device, { rows: count, columns, blindings: c.blindings }, () => vector);
      }),
      ...(program.witnessRows === 0
        ? []
        : [
            matrixOn(
              device,
              {
                rows: program.witnessRows,
                columns: program.columns,
                blindings: randomness.scalars(program.witnessRows),
              },
              () => own,
            ),
          ]),
      ...outputs.map((o, k) => {
        const vector = device.frVector(leaving[k]);
        const blindings = randomness.scalars(o.rows);
        return matrixOn(device, { rows: o.rows, columns: o.columns, blindings }, () => vector);
      }),
    ];
    const held = new Held(device);
    const uploaded = async (id: number): Promise<FrVector> =>
      (await held.make(() => device.frVector(of(id).map(reduce)))).value;
    const role = {
      indices: of,
      evaluate: () => undefined,
      evaluateView: () => undefined,
      evaluateTable: () => undefined,
      tree: fractionProver(device, () => forgedLeaves(program, of, looked), held),
      prover: (stacks: Parameters<typeof levelProver>[3]) => levelProver(device, program, uploaded, stacks, held),
    };
    const body = await proveArgument(device, argument, programTranscript(statement), matrices, randomness, (ctx) =>
      protocol(ctx, role),
    ).finally(() => held.releaseAll());
    const points = [];
    for (const c of s.sources) {
      const decoded = await device.decodePoints(c.points);
      if ('bad' in decoded) throw new Error(`row ${decoded.bad} is no point`);
      points.push(decoded);
    }
    const judge = verifierRole(device, program, publics);
    return verifyArgument(device, argument, programTranscript(statement), points, encodeBody(argument, body), (ctx) =>
      protocol(ctx, judge),
    );
  });
}

const centred = (v: bigint): bigint => {
  const m = reduce(v);
  return m > r / 2n ? m - r : m;
};

function stored(program: GadgetProgram, id: number, values: readonly bigint[]): IntegerArray {
  const out = allocate(program.tensors[id].range, values.length);
  for (const [i, v] of values.entries()) setEntry(out, i, v);
  return out;
}

function forgedLeaves(program: GadgetProgram, of: (id: number) => bigint[], looked: readonly bigint[][]): Leaves {
  const { sections, depth } = tensorSections(program);
  const leaves = sections.reduce((n, s) => n + 2 ** s.bits, 0);
  const zeros = (): bigint[] => Array.from({ length: leaves }, () => 0n);
  const [numerators, values, seconds] = [zeros(), zeros(), zeros()];
  const ids = new Int16Array(leaves);
  for (const s of sections)
    for (let i = 0; i < 2 ** s.bits; i++) {
      const at = s.offset + i;
      if (s.kind === 'table') {
        const t = program.tables[s.index];
        ids[at] = s.index;
        values[at] = BigInt(i);
        numerators[at] = reduce(-(of(t.multiplicities)[i] ?? 0n));
        if (t.kind === 'function') seconds[at] = reduce(t.values[i] ?? 0n);
        continue;
      }
      const l = program.lookups[s.index];
      ids[at] = l.table;
      const position = inBox(program.tensors[l.tensor].shape, s.box, i);
      values[at] = position < 0 ? reduce(l.offset / 2n ** BigInt(l.shift)) : looked[s.index][position];
      numerators[at] = position < 0 ? 0n : 1n;
      if (l.value !== undefined && position >= 0) seconds[at] = reduce(of(l.value)[position]);
    }
  // Any two leaves may differ.
  const index = Int32Array.from(ids.keys());
  const denominators = { values, ids, seconds };
  return { depth, numerators, denominators, numeratorIndex: index, denominatorIndex: index };
}

/** The row-major position of a box's slot, or -1 outside the tensor. */
function inBox(shape: readonly number[], box: readonly BoxSide[], slot: number): number {
  let [position, stride] = [0, 1];
  for (let j = box.length - 1; j >= 0; j--) {
    const index = slot % 2 ** box[j].bits;
    slot = Math.floor(slot / 2 ** box[j].bits);
    if (index >= box[j].inside) return -1;
    position += (box[j].first + index) * stride;
    stride *= shape[j];
  }
  return position;
}

/** A program without some lookups and zeros: what a compiler that forgot them would make. */
export const without =
  (...names: readonly string[]) =>
  (p: GadgetProgram): GadgetProgram => {
    const keep = (id: number): boolean => !names.includes(p.tensors[id].name);
    return { ...p, lookups: p.lookups.filter((l) => keep(l.tensor)), zeros: p.zeros.filter(keep) };
  };
