/**
 * What a trainer may try, step by step: a prover who proves whatever is true of what he made up, and presents it as a step of a run. Each
 * attempt is refused by one check, without which it is accepted, and which all others together do not replace.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../../runtime/device/device.ts';
import { decodeProof } from '../../../runtime/codec/files.ts';
import { commit, createProver } from '../../../runtime/prover/index.ts';
import { createVerifier, type VerifiedOutput, type Verifier } from '../../../runtime/verifier/index.ts';
import { samplingSeed, stepContext, type RunHeader } from '../../../runtime/run/header.ts';
import { createSampler } from '../../../runtime/run/sampling.ts';
import type { WeightMap } from '../../../runtime/weights.ts';
import { readSafetensors } from '../../../models/files/safetensors.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { phaseProgram } from '../../../models/run/phase.ts';
import { runFiles } from '../../../models/run/store.ts';
import { testDevice } from '../../kit/devices.ts';
import {
  calibration,
  changed,
  data,
  file,
  headerOf,
  model,
  openedVerifier,
  text,
  trainRun,
  verdictOf,
  type Store,
} from './toy.ts';

const CHECKS = ['program', 'data', 'state', 'context', 'step', 'rows'] as const;
type Check = (typeof CHECKS)[number];

/** What a proof is of, and what it is presented as: step 1. */
interface Attempt {
  readonly text: string;
  readonly data: WeightMap;
  /** Numbers of the state by name, given those of states that the run has. */
  state(of: (step: number) => Promise<WeightMap>): Promise<WeightMap>;
  readonly step: number;
  rows(rule: readonly number[]): readonly number[];
  context(header: RunHeader): Uint8Array;
}

/** The step that is replaced. */
const AT = 1;

const honest: Attempt = {
  text,
  data,
  state: (of) => of(AT),
  step: AT,
  rows: (rule) => rule,
  context: (header) => stepContext(header, AT),
};

let device: Device;
let whole: Store;
let header: RunHeader;
/** What step 0 put out. */
let before: VerifiedOutput;
let bundle: Uint8Array;

beforeAll(async () => {
  device = await testDevice();
  whole = await trainRun(device, { steps: 2, nonce: 'beef' });
  header = await headerOf(whole);
  bundle = file(whole, runFiles.program(header.phases[0].program));
  const verifier = await openedVerifier(device, whole);
  const first = await verifier.verify(file(whole, runFiles.proof(0)), { context: stepContext(header, 0) });
  if (!first.ok) throw new Error(first.reason);
  before = first.outputs.get('state')!;
});
afterAll(() => device.close());

async function stateOf(step: number): Promise<WeightMap> {
  const read = await readSafetensors(bytesSource('state', file(whole, runFiles.state(step))));
  const tensors = [...read.tensors].map(
    async ([name, { shape }]) => [name, { shape, values: await read.readFloats(name) }] as const,
  );
  return new Map(await Promise.all(tensors));
}

const rule = (): number[] =>
  createSampler({ seed: samplingSeed(header), rows: header.rows, batch: header.batch }).rows(AT);

interface Made {
  readonly proof: Uint8Array;
  readonly bundle: Uint8Array;
  /** Of what is not the run's: with range proofs. */
  readonly commitments: Readonly<Partial<Record<'data' | 'state', Uint8Array>>>;
}

/** A valid proof of whatever the attempt is about. Where that is the run's own, it is of the run's commitment. */
async function prove(of: Attempt): Promise<Made> {
  const bytes = of.text === text ? bundle : phaseProgram({ ...model, text: of.text }, calibration).bytes;
  const state = await of.state(stateOf);
  const [own, isOwn] = [
    await stateOf(AT),
    (a: WeightMap, b: WeightMap) => JSON.stringify([...a]) === JSON.stringify([...b]),
  ];
  const commitments: Partial<Record<'data' | 'state', Uint8Array>> = {};
  const opening = async (source: 'data' | 'state', kept: string, weights: WeightMap, isKept: boolean) => {
    if (isKept) return file(whole, kept);
    const made = await commit(bytes, source, weights, { device });
    commitments[source] = made.commitment;
    return made.opening;
  };
  const sources = [
    {
      source: 'data',
      weights: of.data,
      opening: await opening('data', runFiles.opening('data'), of.data, of.data === data),
    },
    {
      source: 'state',
      weights: state,
      opening: await opening('state', runFiles.stateOpening(AT), state, isOwn(state, own)),
    },
  ];
  const prover = await createProver(bytes, { device, sources });
  const inputs = new Map<string, readonly number[]>([
    ['step', [of.step]],
    ['rows', of.rows(rule())],
  ]);
  return { ...(await prover.prove(inputs, { context: of.context(header) })), bundle: bytes, commitments };
}

/** Judges a proof as step 1 of the run, without some of the checks. */
async function accepts({ proof, bundle: other, commitments }: Made, without: readonly Check[]): Promise<boolean> {
  const forgets = (check: Check): boolean => without.includes(check);
  const verifier: Verifier = await createVerifier(forgets('program') ? other : bundle, { device });
  try {
    const register = async (source: 'data' | 'state'): Promise<boolean> => {
      const given = commitments[source];
      return given !== undefined && (await verifier.register(given)).ok;
    };
    if (!(forgets('data') && (await register('data'))))
      await verifier.register(file(whole, runFiles.commitment('data')));
    if (!(forgets('state') && (await register('state')))) await verifier.adopt('state', before);
    const context = forgets('context') ? decodeProof(verifier.bundle.gadgets, proof).context : stepContext(header, AT);
    const verdict = await verifier.verify(proof, { context });
    if (!verdict.ok) return false;
    const [step, rows] = ['step', 'rows'].map((name) => Array.from(verdict.publics.get(name) ?? [], Number));
    return (forgets('step') || step.join() === String(AT)) && (forgets('rows') || rows.join() === rule().join());
  } finally {
    verifier.close();
  }
}

const shown = (proof: Uint8Array): Store => changed(whole, { [runFiles.proof(AT)]: proof });

const part =
  (prefix: string, from: number) =>
  async (of: typeof stateOf): Promise<WeightMap> =>
    new Map([...(await of(AT)), ...[...(await of(from))].filter(([name]) => name.startsWith(prefix))]);

const other: WeightMap = new Map(
  [...data].map(([name, { shape, values }]) => [name, { shape, values: Float64Array.from(values, (v) => v / 2) }]),
);

/** Attempts, and the one check that each of them meets. */
const attempts: Readonly<Record<string, readonly [Partial<Attempt>, Check]>> = {
  'begins anew with the first state': [{ state: (of) => of(0) }, 'state'],
  'has an old weight': [{ state: part('w:', 0) }, 'state'],
  'has an old moment': [{ state: part('m:', 0) }, 'state'],
  'has an old copy': [{ state: part('copy:', 0) }, 'state'],
  'is a proof of another step': [{ context: (h) => stepContext(h, 0) }, 'context'],
  'is a proof of another run': [{ context: (h) => stepContext({ ...h, id: 'ab'.repeat(32) }, AT) }, 'context'],
  'is another step of the schedule': [{ step: 7 }, 'step'],
  'takes other rows': [{ rows: (rows) => rows.map((row) => (row + 1) % 5) }, 'rows'],
  'takes one row twice': [{ rows: ([row]) => [row, row] }, 'rows'],
  'takes rows in another order': [{ rows: (rows) => rows.toReversed() }, 'rows'],
  'takes other data': [{ data: other }, 'data'],
  'has another rate': [{ text: text.replace('rate = 0.25', 'rate = 0.5') }, 'program'],
  'forgets faster': [{ text: text.replace('m / 2 + g', 'm / 4 + g') }, 'program'],
  'has another loss': [{ text: text.replace('/ N)', '/ (2 * N))') }, 'program'],
  'trains to what it likes': [{ text: text.replace("w' = round(copy')", "w' = round(0 * copy' + 1 / 2)") }, 'program'],
};

describe('a step that', () => {
  test('is honest is accepted', async () => {
    const made = await prove(honest);
    expect(await accepts(made, [])).toBe(true);
    expect(await verdictOf(device, shown(made.proof))).toMatchObject({ ok: true, steps: 2 });
  });

  test.each(Object.entries(attempts))('%s is refused, by one check', async (_, [change, check]) => {
    const made = await prove({ ...honest, ...change });
    expect(await verdictOf(device, shown(made.proof))).toMatchObject({ ok: false, verdict: 'rejected', step: AT });
    expect(await accepts(made, [])).toBe(false);
    expect(await accepts(made, [check])).toBe(true);
    const others = CHECKS.filter((one) => one !== check);
    expect(await accepts(made, others)).toBe(false);
  });
});
