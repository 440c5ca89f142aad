/** What leaves a proof as a commitment, taken by the next program: it is what the first one proves of it, and no other. */
import { commitmentDigest } from '../../runtime/protocol/statement/statement.ts';
import { outputPoints } from '../../runtime/protocol/program.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import { entry, setEntry, type IntegerArray } from '../../runtime/integers/arrays.ts';
import type { ProvedProgram } from '../../runtime/prover/program.ts';
import { at, term } from './build.ts';
import type { Draw } from './draw.ts';
import type { Ledger } from './report.ts';
import { prove, verify, type Committed, type Statement } from './statement.ts';
import { createSubject, type Subject, type Values } from './subject.ts';

const unit = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
/** The square of an entry of 48 bits, added up. */
const wide = 2n ** 120n;

/**
 * The program with every number that can be shown to be in a type as a secret output, all in one commitment, exact ones among
 * them; or undefined where there is none. @param most bits of such a type
 */
export function withOutputs(program: TensorProgram, most: number): TensorProgram | undefined {
  const leaving: number[] = [];
  const defined = new Set(program.equations.map((e) => e.target));
  const tensors = program.tensors.map((t): Tensor => {
    const magnitude = t.range.hi > -t.range.lo - 1n ? t.range.hi : -t.range.lo - 1n;
    const bits = t.type?.kind === 'fixed' ? t.type.bits : magnitude.toString(2).length + 1;
    const fits = bits <= most && t.scale.num === 1n && t.scale.den === 1n;
    // The argument of a table has that table's type already.
    if (!defined.has(t.id) || t.type?.kind === 'index' || !fits || t.name.includes('/')) return t;
    leaving.push(t.id);
    return { ...t, type: { kind: 'fixed', bits, frac: 0 }, visibility: 'secret', role: 'output' };
  });
  if (leaving.length === 0) return undefined;
  return {
    ...program,
    tensors,
    statement: tensors.filter((t) => t.role !== 'inner').map((t) => t.id),
    outputs: [{ name: 'state', tensors: leaving.map((id) => ({ name: tensors[id].name, tensor: id })) }],
  };
}

/** A program that takes an output and publishes the square of every entry and what they add up to. */
function taker({ name, tensors }: CommittedSource): TensorProgram {
  const inputs = tensors.map((t, id): Tensor => ({
    id,
    name: t.name,
    shape: t.axes.map((a) => a.length),
    scale: unit,
    range: { lo: -(2n ** BigInt(t.bits - 1)), hi: 2n ** BigInt(t.bits - 1) - 1n },
    type: { kind: 'fixed', bits: t.bits, frac: t.frac },
    visibility: 'secret',
    role: 'input',
    file: { source: name, names: [t.name], stacked: 0 },
    span,
  }));
  const sums = inputs.map((t, k) => {
    const axes = t.shape.map((_, v) => v);
    const own = at(k, ...axes);
    return { name: `${t.name} taken`, terms: [term([own], t.shape), term([own, own], t.shape)] };
  });
  const outputs = sums.map((s, k): Tensor => ({
    id: inputs.length + k,
    name: s.name,
    shape: [],
    scale: unit,
    range: { lo: -wide, hi: wide },
    visibility: 'public',
    role: 'output',
    span,
  }));
  return {
    name: 'taker',
    tensors: [...inputs, ...outputs],
    tables: [],
    equations: sums.map((s, k) => ({
      target: inputs.length + k,
      indices: [],
      definition: { kind: 'polynomial', polynomial: { terms: s.terms, scale: unit } },
      span,
    })),
    statement: [...inputs, ...outputs].map((t) => t.id),
    stateSources: [name],
  };
}

const integers = (values: IntegerArray): bigint[] => Array.from({ length: values.length }, (_, i) => entry(values, i));

/** @param want the interpreter's values of the first program's statement */
export async function checkTaken(
  ledger: Ledger,
  device: Device,
  subject: Subject,
  proof: ProvedProgram,
  want: Values,
  draw: Draw,
): Promise<void> {
  const { gadgets, program } = subject;
  const points = outputPoints(gadgets, proof.body);
  for (const [k, layout] of (gadgets.outputs ?? []).entries()) {
    const next = await createSubject(taker(layout));
    const { tensors, entries, blindings, opening } = proof.outputs[k];
    const wanted = layout.tensors.map(({ name }) => {
      const declared = program.outputs?.[k].tensors.find((t) => t.name === name);
      return want.get(declared?.tensor ?? -1) ?? [];
    });
    for (const [i, t] of layout.tensors.entries()) {
      ledger.checks.taken++;
      if (integers(tensors[i]).join() !== wanted[i].join())
        ledger.fail('taken', `${t.name} of ${layout.name}`, 'is not what the interpreter says');
    }
    const committed: Committed = {
      tensors,
      entries,
      matrix: opening.matrix,
      blindings,
      digest: commitmentDigest(next.gadgets.sources[0], points[k]),
      points: points[k],
      rangeProof: new Uint8Array(0),
    };
    const statement: Statement = {
      subject: next,
      sources: [committed],
      inputs: new Map(),
      context: new Uint8Array(0),
    };
    await ledger.accepted('taken', `${layout.name}, by the next program`, async () => {
      if (committed.digest.some((b, i) => b !== opening.commitment[i])) return { ok: false, reason: 'another digest' };
      const taken = await prove(device, statement);
      const sums = wanted.map((v) => v.reduce((n, x) => n + x + x * x, 0n));
      const got = Array.from(taken.publics.values(), (v) => entry(v, 0));
      if (got.join() !== sums.join()) return { ok: false, reason: `it publishes ${got.join()}, not ${sums.join()}` };
      return verify(device, statement, taken);
    });
    const file = draw.below(layout.tensors.length);
    const other = tensors[file].slice() as IntegerArray;
    const i = draw.below(other.length);
    // 0 and -1 have the same sum of an entry and its square.
    setEntry(other, i, entry(other, i) > 0n ? entry(other, i) - 1n : entry(other, i) === 0n ? 1n : 0n);
    if (entry(other, i) === 0n && entry(tensors[file], i) === -1n) setEntry(other, i, 1n);
    const sources = [{ ...committed, tensors: tensors.map((v, j) => (j === file ? other : v)) }];
    await ledger.rejected(
      'taken',
      `${layout.name}, with entry ${i} of ${layout.tensors[file].name} changed`,
      async () => verify(device, statement, await prove(device, statement, { sources })),
    );
  }
}
