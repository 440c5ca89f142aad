/**
 * `checkGadget`: everything that has to hold of a gadget before anybody relies on it, in one call.
 *
 * - Completeness: proofs of random and extreme inputs are accepted, their integers are the reference interpreter's, and
 *   with the same entropy every device makes the same bytes, in whatever memory.
 * - Soundness: a prover that changes any message, pad row or committed entry, or claims another public output, is
 *   rejected, and so is a proof with any of its points or scalars changed.
 * - What leaves as a commitment is what the next program takes: its values are those of the interpreter, and no others.
 * - The statement is bound: the proof is rejected for other public tensors, commitments, contexts and programs.
 */
import type { Range, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import type { Device } from '../../runtime/device/device.ts';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import { entry, setEntry, type IntegerArray } from '../../runtime/integers/arrays.ts';
import { tensorSections } from '../../runtime/protocol/lookup/tensor-lookups.ts';
import { add, reduce } from '../../runtime/protocol/scalar.ts';
import type { ProverHooks } from '../../runtime/prover/argument.ts';
import type { ProverPads } from '../../runtime/prover/commitment/rows.ts';
import type { ProvedProgram } from '../../runtime/prover/program.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Verdict } from '../../runtime/verifier/argument.ts';
import { Draw } from './draw.ts';
import { proveLie } from './liar.ts';
import { Ledger, printReport, type GadgetReport } from './report.ts';
import { checkTaken } from './taken.ts';
import { createStatement, prove, validate, verify, type Statement } from './statement.ts';
import { createSubject, drawInputs, expected, type Subject, type SubjectOptions, type Values } from './subject.ts';

export interface GadgetOptions extends SubjectOptions {
  /** The first proves and verifies; the others have to make the same bytes. Default: the reference device. */
  readonly devices?: readonly Device[];
  /** Everything drawn follows from it. Default 1. */
  readonly seed?: number;
  /** Random inputs to prove for completeness. Default 2. */
  readonly statements?: number;
  /** Inputs for the first statement, by tensor; default drawn. */
  readonly inputs?: Values;
  /**
   * Most changes of each kind: messages, pads, entries, points and scalars. More than these are sampled. With 0 nothing is
   * changed: completeness and the agreement of devices are all that is checked. Default 24.
   */
  readonly samples?: number;
}

/** What the checks share. */
interface Trial {
  readonly device: Device;
  readonly subject: Subject;
  readonly statement: Statement;
  readonly honest: ProvedProgram;
  /** Of a proof's messages, in order. */
  readonly labels: readonly string[];
  readonly draw: Draw;
  /** Of the statement's commitments. */
  readonly seed: number;
  readonly samples: number;
  readonly ledger: Ledger;
}

/**
 * Checks a gadget.
 * @param gadget a tensor program, or the text of a `.zkl` file with one model that uses the block to be tested
 * @throws Error if it does not compile
 */
export async function checkGadget(gadget: TensorProgram | string, options: GadgetOptions = {}): Promise<GadgetReport> {
  const { seed = 1, samples = 24, devices = [createReferenceDevice()] } = options;
  const subject = await createSubject(gadget, options);
  const ledger = new Ledger();
  const trial = await checkCompleteness(subject, devices, options, ledger);
  if (trial && samples > 0) {
    const t: Trial = { ...trial, device: devices[0], subject, draw: new Draw('checks', seed), seed, samples, ledger };
    await checkMessages(t);
    await checkPads(t);
    await checkWitness(t);
    await checkOutputs(t);
    await checkBytes(t);
    await checkStatement(t);
  }
  const { checks, failures } = ledger;
  return { ok: failures.length === 0, checks, failures, text: printReport(subject, ledger) };
}

/** As `checkGadget`. @throws Error with the report's text unless everything holds */
export async function assertGadget(gadget: TensorProgram | string, options: GadgetOptions = {}): Promise<GadgetReport> {
  const report = await checkGadget(gadget, options);
  if (!report.ok) throw new Error(report.text);
  return report;
}

async function checkCompleteness(
  subject: Subject,
  devices: readonly Device[],
  { seed = 1, statements = 2, inputs }: GadgetOptions,
  ledger: Ledger,
): Promise<(Made & { readonly labels: readonly string[] }) | undefined> {
  let first: Made | undefined;
  const labels: string[] = [];
  for (let k = 0; k < statements; k++) {
    const values = k === 0 && inputs ? inputs : drawInputs(subject, seed + k);
    const what = `statement ${k}`;
    let statement: Statement | undefined;
    let honest: ProvedProgram | undefined;
    for (const device of devices)
      await ledger.accepted('completeness', `${what} on ${device.name}`, async () => {
        const own = await createStatement(device, subject, values, { context: new TextEncoder().encode(what), seed });
        const proof = await prove(device, own, { seed });
        for (const [i, c] of own.sources.entries())
          await ledger.accepted(
            'range',
            `range proof of ${subject.gadgets.sources[i].name}, ${what} on ${device.name}`,
            () => validate(device, subject, i, c),
          );
        if (statement && honest)
          compareDevices(ledger, what, device, { statement, honest }, { statement: own, honest: proof });
        if (k === 0 && !honest)
          compareMemories(ledger, what, device, proof, await proveInLittle(device, own, seed, labels));
        statement ??= own;
        honest ??= proof;
        return verify(device, own, proof);
      });
    if (!statement || !honest) continue;
    compareValues(ledger, what, subject, expected(subject, values), honest);
    await checkTaken(ledger, devices[0], subject, honest, expected(subject, values), new Draw('taken', seed + k));
    first ??= { statement, honest };
  }
  return first && { ...first, labels };
}

/** With memory for a sixteenth of the lookups' tree. @param labels takes the messages' labels: the bytes show that listening changes nothing */
const proveInLittle = (device: Device, s: Statement, seed: number, labels: string[]): Promise<ProvedProgram> =>
  prove(device, s, {
    seed,
    treeMemory: device.memory().element * 2 ** (tensorSections(s.subject.gadgets).depth - 1),
    hooks: { message: (label, _i, v) => (labels.push(label), v) },
  });

function compareMemories(ledger: Ledger, what: string, device: Device, a: ProvedProgram, b: ProvedProgram): void {
  ledger.checks.devices++;
  if (a.body.length !== b.body.length || a.body.some((v, i) => v !== b.body[i]))
    ledger.fail('devices', `the proof of ${what} on ${device.name}`, 'differs where memory is short');
}

type Made = Readonly<{ statement: Statement; honest: ProvedProgram }>;

function compareDevices(ledger: Ledger, what: string, device: Device, a: Made, b: Made): void {
  const compare = (name: string, x: Uint8Array, y: Uint8Array): void => {
    ledger.checks.devices++;
    const at = x.findIndex((v, i) => v !== y[i]);
    if (x.length !== y.length || at >= 0)
      ledger.fail('devices', `${name} of ${what} on ${device.name}`, `differs from byte ${at} on`);
  };
  for (const [i, c] of a.statement.sources.entries()) {
    compare('the commitment', c.points, b.statement.sources[i].points);
    compare('the range proof', c.rangeProof, b.statement.sources[i].rangeProof);
  }
  compare('the proof', a.honest.body, b.honest.body);
}

function compareValues(
  ledger: Ledger,
  what: string,
  { gadgets }: Subject,
  want: Values,
  { publics }: ProvedProgram,
): void {
  for (const [id, got] of publics) {
    ledger.checks.completeness++;
    const wanted = want.get(id) ?? [];
    const at = wanted.findIndex((v, i) => v !== entry(got, i));
    if (at >= 0)
      ledger.fail(
        'completeness',
        `${gadgets.tensors[id].name}, entry ${at}, ${what}`,
        `is ${entry(got, at)}, the interpreter says ${wanted[at]}`,
      );
  }
}

/** A prover that changes one message, by one and at random, and goes on from there. */
async function checkMessages(t: Trial): Promise<void> {
  const { labels } = t;
  for (const at of t.draw.sample([...labels.keys()], t.samples))
    for (const [how, change] of changes(t.draw)) {
      let count = 0;
      const hooks: ProverHooks = { message: (_label, _i, v) => (count++ === at ? change(reduce(v)) : v) };
      await t.ledger.rejected('messages', `message ${at} "${labels[at]}" ${how}`, () => proveAndVerify(t, hooks));
    }
}

const changes = (draw: Draw): [string, (v: bigint) => bigint][] => [
  ['plus one', (v) => add(v, 1n)],
  ['replaced at random', (v) => differing(v, draw.scalar())],
  ['replaced by 0', (v) => differing(v, 0n)],
];

const differing = (v: bigint, other: bigint): bigint => (other === v ? add(v, 1n) : other);

async function proveAndVerify(t: Trial, hooks: ProverHooks): Promise<Verdict> {
  const proof = await prove(t.device, t.statement, { seed: 3, hooks });
  return verify(t.device, t.statement, proof);
}

/** Pads that are bound by something: factors and products of triples, copies, and the products of the last row. */
async function checkPads(t: Trial): Promise<void> {
  const { pads, opening } = t.subject.argument;
  const slots: [keyof ProverPads, number][] = [];
  for (let i = 0; i < pads.triples; i++) slots.push(['A', i], ['B', i], ['C', i]);
  for (let i = 0; i < opening.tripleRows; i++) slots.push(['Q', opening.lastPads - 1 - i]);
  for (const [kind, i] of t.draw.sample(slots, t.samples)) {
    const hooks: ProverHooks = { pads: (p) => (p[kind][i] = add(p[kind][i], 1n)) };
    await t.ledger.rejected('pads', `pad ${kind}[${i}] plus one`, () => proveAndVerify(t, hooks));
  }
}

/** A prover whose weights are not the committed ones, and who claims what they give. */
async function checkWitness(t: Trial): Promise<void> {
  const entries = t.statement.sources.flatMap((s, k) =>
    s.tensors.flatMap((v, f) => Array.from({ length: v.length }, (_, i) => ({ k, f, i }))),
  );
  for (const { k, f, i } of t.draw.sample(entries, t.samples)) {
    const source = t.subject.gadgets.sources[k];
    const tensors = t.statement.sources[k].tensors.map((v, j) => (j === f ? changed(v, i, source.tensors[f].bits) : v));
    const sources = t.statement.sources.map((s, j) => (j === k ? { ...s, tensors } : s));
    const what = `entry ${i} of ${source.tensors[f].name} changed after the commitment`;
    const proof = await prove(t.device, t.statement, { seed: 4, sources }).catch(unlessNoValue);
    // With other weights a value may be outside its type or table: there is nothing to claim.
    if (!proof) continue;
    // Outputs that do not depend on the entry are proved of the weights that were committed.
    if (same(proof.publics, t.honest.publics)) continue;
    await t.ledger.rejected('witness', what, () => verify(t.device, t.statement, proof));
  }
}

function unlessNoValue(e: unknown): undefined {
  if (!(e instanceof ValueError)) throw e;
}

function changed(values: IntegerArray, at: number, bits: number): IntegerArray {
  const out = values.slice() as IntegerArray;
  const v = entry(out, at);
  setEntry(out, at, v === 2n ** BigInt(bits - 1) - 1n ? v - 1n : v + 1n);
  return out;
}

const same = (a: ReadonlyMap<number, IntegerArray>, b: ReadonlyMap<number, IntegerArray>): boolean =>
  [...a].every(([id, v]) =>
    Array.from(v as ArrayLike<number | bigint>).every((x, i) => BigInt(x) === entry(b.get(id) ?? [], i)),
  );

/** A prover that claims a public output one off, in the transcript too, with everything else as it should be. */
async function checkOutputs(t: Trial): Promise<void> {
  for (const e of t.draw.sample(publicEntries(t, 'output'), t.samples)) {
    const { id, i, name } = e;
    const publics = (honest: Map<number, IntegerArray>): void => void honest.set(id, oneOff(honest.get(id) ?? [], e));
    await t.ledger.rejected('outputs', `${name}, entry ${i}, claimed one off`, async () =>
      verify(t.device, t.statement, await proveLie(t.device, t.statement, { publics })),
    );
  }
}

interface PublicEntry {
  readonly id: number;
  readonly i: number;
  readonly name: string;
  readonly range: Range;
}

/** Those that could be others: whoever reads a proof refuses entries outside their ranges. */
function publicEntries(t: Trial, kind: 'input' | 'output'): PublicEntry[] {
  return t.subject.gadgets.publics.flatMap((id) => {
    const { name, class: c, shape, range } = t.subject.gadgets.tensors[id];
    const size = shape.reduce((n, d) => n * d, 1);
    if (c.kind !== kind || range.lo === range.hi) return [];
    return Array.from({ length: size }, (_, i) => ({ id, i, name, range }));
  });
}

function oneOff(values: IntegerArray, { i, range }: PublicEntry): IntegerArray {
  const out = values.slice() as IntegerArray;
  const v = entry(out, i);
  setEntry(out, i, v < range.hi ? v + 1n : v - 1n);
  return out;
}

/** A finished proof with one of its points or scalars changed in one bit. */
async function checkBytes(t: Trial): Promise<void> {
  const { body } = t.honest;
  const positions = Array.from({ length: Math.floor(body.length / 16) }, (_, k) => 16 * k);
  for (const start of t.draw.sample(positions, 2 * t.samples)) {
    const at = start + t.draw.below(16);
    const bad = body.slice();
    bad[at] ^= 1 << t.draw.below(8);
    await t.ledger.rejected('bytes', `byte ${at} of the proof`, () =>
      verify(t.device, t.statement, { ...t.honest, body: bad }),
    );
  }
  for (const [what, bad] of [
    ['cut short', body.subarray(0, body.length - 1)],
    ['made longer', Uint8Array.of(...body, 0)],
    ['left empty', new Uint8Array(0)],
  ] as const)
    await t.ledger.rejected('bytes', `the proof ${what}`, () =>
      verify(t.device, t.statement, { ...t.honest, body: bad }),
    );
}

/** The honest proof for another statement. */
async function checkStatement(t: Trial): Promise<void> {
  const { device, statement, honest, subject } = t;
  const reject = (what: string, claim: Partial<Parameters<typeof verify>[2]>): Promise<void> =>
    t.ledger.rejected('statement', what, () => verify(device, statement, { ...honest, ...claim }));
  for (const kind of ['input', 'output'] as const)
    for (const e of t.draw.sample(publicEntries(t, kind), t.samples)) {
      const { id, i, name } = e;
      const publics = new Map(honest.publics);
      publics.set(id, oneOff(publics.get(id) ?? [], e));
      await reject(`${name}, entry ${i}, one off`, { publics });
    }
  await reject('another context', { context: Uint8Array.of(...statement.context, 1) });
  await reject('another program', { digest: subject.digest.map((b, i) => (i === 0 ? b ^ 1 : b)) });
  for (const [i] of statement.sources.entries()) {
    // The same weights committed to again: other blindings, other points. Open ones have none: one entry is another.
    const open = subject.gadgets.sources[i].open === true;
    const values = open ? withOneChanged(sourceValues(t), subject, i) : sourceValues(t);
    const again = await createStatement(device, subject, values, { seed: t.seed + 1 });
    const commitments = statement.sources.map((s, j) => (j === i ? again.sources[j] : s));
    await reject(`another commitment for ${subject.gadgets.sources[i].name}`, { commitments });
  }
}

/** The first entry of a source's first tensor one off. */
function withOneChanged(values: Values, { gadgets }: Subject, source: number): Values {
  const id = gadgets.tensors.findIndex((t) => t.class.kind === 'committed' && t.class.source === source);
  const [first, ...rest] = values.get(id) ?? [];
  return new Map([...values, [id, [first === gadgets.tensors[id].range.hi ? first - 1n : first + 1n, ...rest]]]);
}

/** The statement's inputs as they were given. */
function sourceValues({ statement, subject }: Trial): Values {
  const out = new Map<number, readonly bigint[]>();
  for (const [id, v] of statement.inputs)
    out.set(
      id,
      Array.from({ length: v.length }, (_, i) => entry(v, i)),
    );
  for (const [id, t] of subject.gadgets.tensors.entries()) {
    if (t.class.kind !== 'committed' || isOutput(subject.gadgets, t.class)) continue;
    const { source, files } = t.class;
    out.set(
      id,
      files.flatMap((f) => Array.from(statement.sources[source].tensors[f] as ArrayLike<number | bigint>, BigInt)),
    );
  }
  return out;
}
