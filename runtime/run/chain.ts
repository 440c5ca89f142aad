/**
 * A run, verified step by step: each step's proof is of the program that the verifier compiled himself, bound to the run and
 * its number, about the rows that the rule says, and begins with the state that the step before it ended with. Nothing is
 * taken from who trained but the header, commitments, proofs, and types of values. Steps are decided some at a time, and none is accepted before.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { VerifierDevice } from '../device/device.ts';
import {
  createVerifier,
  type Accepted,
  type Budget,
  type Expected,
  type RestsOn,
  type ValidationCache,
  type Verdict,
  type Verifier,
  type VerifiedOutput,
} from '../verifier/index.ts';
import { expectations, toHex } from '../verifier/verdict.ts';
import { linkContext, runDigest, samplingSeed, stepContext, type Phase, type RunHeader } from './header.ts';
import { verifyLink } from './link.ts';
import { reportOf } from './report.ts';
import { createSampler } from './sampling.ts';
import { checkPublics, lossesOf, Refusal, STATE, stepProgram, type StepProgram } from './step.ts';
import type { AcceptedRun, PhaseReport, RunVerdict } from './verdict.ts';

/** What the verifier makes of his own text with the calibration of a phase. */
export interface OwnProgram {
  readonly bundle: Uint8Array;
  /** `modelDigest` of the texts, hex. */
  readonly model: string;
  /** Calibration keys whose types it takes. */
  readonly keys: ReadonlySet<string>;
  /** Numbers of the state before the first step, by name, that a seed gives; a reason where it gives none. */
  start(seed: Uint8Array): ReadonlyMap<string, ArrayLike<number>> | string;
  /**
   * The bundle that links an adapter to the state: to that before the first step, which also is as it has to begin, or to a later one. A
   * reason where there is none.
   */
  link(isStart: boolean): Uint8Array | string;
}

export interface RunToVerify {
  readonly header: RunHeader;
  /** The commitment to a source; that to the first state for `state`, where no seed gives it. */
  commitment(source: string): Promise<Uint8Array>;
  /** How many proofs there are: one more than the number of the last. */
  readonly steps: number;
  /** Undefined where a step has none. */
  proof(step: number): Promise<Uint8Array | undefined>;
  /** States, by the step that they are before, with a link to an adapter's ordinary commitment. */
  readonly links?: readonly number[];
  link?(step: number): Promise<{ readonly commitment: Uint8Array; readonly proof: Uint8Array }>;
}

export interface VerifyRunOptions {
  readonly device: VerifierDevice;
  /** Compiles the verifier's own text, once a phase; a reason where that is a program, and not with these types. */
  readonly compile: (calibration: Phase['calibration']) => OwnProgram | string | Promise<OwnProgram | string>;
  /** What commitments to sources have to be, as of `createVerifier`: open ones need it. `state`: the one to the first state. */
  readonly sources?: Expected['sources'];
  /** Hex: the one that the verifier drew, after data, base and first state were committed to: whose digests he knows since then. */
  readonly nonce?: string | undefined;
  /** How many phases he allows; default: any number. */
  readonly phases?: number | undefined;
  readonly limit?: Budget | undefined;
  readonly cache?: ValidationCache | undefined;
  /** Hears of each step that is accepted; of those that are decided together, of the last. */
  readonly progress?: (step: number, of: number) => void;
}

/**
 * @throws BudgetError for a program that may cost more than `limit`; ArgumentError. Never on what who trained gives: that is a verdict.
 */
export async function verifyRun(run: RunToVerify, options: VerifyRunOptions): Promise<RunVerdict> {
  try {
    return await verified(run, options);
  } catch (error) {
    if (error instanceof Refusal) return error.verdict;
    throw error;
  }
}

async function verified(run: RunToVerify, options: VerifyRunOptions): Promise<AcceptedRun> {
  const { header, steps } = run;
  const { nonce, phases: most = Infinity } = options;
  if (nonce !== undefined && header.nonce !== nonce.toLowerCase())
    throw new Refusal(
      header.nonce === undefined
        ? 'the run has no nonce: its order is the trainer’s'
        : `the run has the nonce ${header.nonce}, not the one that is given`,
    );
  if (steps === 0) throw new Refusal('no step of the run is proved', { verdict: 'unverified' });
  const phases = header.phases.filter(({ first }) => first < steps);
  if (phases.length > most)
    throw new Refusal(`the run has ${phases.length} phases, ${most} are allowed`, { step: phases[most].first });

  const losses: ReadonlyMap<string, number>[] = [];
  const links: { step: number; adapter: string }[] = [];
  const reports: PhaseReport[] = [];
  let last: VerifiedOutput | undefined;
  let [start, restsOn]: [string, readonly RestsOn[]] = ['', []];
  for (const [index, phase] of phases.entries()) {
    const own = await options.compile(phase.calibration);
    if (typeof own === 'string') throw new Refusal(own, { step: phase.first });
    if (own.model !== header.model)
      throw new Refusal(`the run is of the model ${header.model}, the text that is given is ${own.model}`);
    reports.push(reportOf(phase, phases[index - 1], own.keys));
    await using opened = await openPhase(run, phase, own, options);
    const { verifier, program } = opened;
    const given = await stateBefore(verifier, run, own, last, phase.first);
    if (index === 0) {
      start = given;
      const wanted = expectedStart(options.sources)?.digest ?? start;
      if (wanted !== start) throw new Refusal(`the first state has the digest ${start}, ${wanted} is expected`);
      links.push(...(await linked(run, 0, own, options, (v) => givenState(v, run, own))));
    }
    const sampler =
      program.rows && createSampler({ seed: samplingSeed(header), rows: header.rows, batch: header.batch });
    const end = phases[index + 1]?.first ?? steps;
    for (let step = phase.first; step < end;) {
      if (step > phase.first) await adopt(verifier, last, step);
      const proofs = await proofsFrom(verifier, run, step, end);
      const together = await verifier.verifyTogether({ source: STATE, output: STATE }, proofs);
      // Where they are not all accepted, one by one says which is the first that is not.
      for (const [k, proof] of proofs.entries()) {
        if (together === undefined && k > 0) await adopt(verifier, last, step);
        const accepted = together?.[k] ?? (await acceptStep(verifier, proof, step));
        checkPublics(program, sampler, accepted, step);
        last = accepted.outputs.get(STATE);
        if (last === undefined) throw new Refusal('the proof puts out no state', { step });
        const after = last;
        links.push(...(await linked(run, step + 1, own, options, (v) => v.adopt(STATE, after))));
        losses.push(lossesOf(program, accepted));
        if (step === 0) restsOn = accepted.restsOn.filter(({ source }) => source !== STATE);
        if (together === undefined || k === proofs.length - 1) options.progress?.(step, steps);
        step++;
      }
    }
  }
  if (last === undefined) throw new Error('internal error: a run without a last state');
  const beyond = run.links?.find((step) => step > steps);
  if (beyond !== undefined)
    throw new Refusal('an adapter is linked to the state before it, and the steps up to there are not proved', {
      ...{ verdict: 'unverified', step: beyond },
    });
  return {
    ok: true,
    verdict: 'accepted',
    run: toHex(runDigest(header)),
    steps,
    losses,
    phases: reports,
    start,
    end: last.digest,
    last,
    began: header.seed !== undefined ? 'seed' : links[0]?.step === 0 ? 'linked' : 'committed',
    links,
    order: nonce === undefined ? 'trainer' : isFixed(restsOn, options.sources) ? 'customer' : 'unpinned',
    restsOn,
  };
}

/** What the first state has to be; later ones are what steps put out. */
const expectedStart = ({ [STATE]: state }: NonNullable<Expected['sources']> = {}) =>
  expectations([{ name: STATE }], { sources: state === undefined ? {} : { [STATE]: state } }).at(0);

/** Whether all that the order of rows hangs on is what the verifier knew before: blinded commitments can be made again and again. */
const isFixed = (restsOn: readonly RestsOn[], sources: Expected['sources']): boolean =>
  expectedStart(sources)?.digest !== undefined &&
  restsOn.every(({ basis }) => basis === 'pinned' || basis === 'checked now' || basis === 'checked earlier');

interface OpenPhase extends AsyncDisposable {
  readonly verifier: Verifier;
  readonly program: StepProgram;
}

/** A verifier of the phase's program, with the commitments to all that its steps read besides the state. */
async function openPhase(
  { header, commitment }: RunToVerify,
  phase: Phase,
  { bundle }: OwnProgram,
  { device, limit, cache, sources = {} }: VerifyRunOptions,
): Promise<OpenPhase> {
  const { [STATE]: _, ...others } = sources;
  const expect = { program: phase.program, sources: others };
  const verifier = await createVerifier(bundle, { device, limit, cache, expect });
  const close = async (): Promise<void> => verifier.close();
  try {
    const digest = toHex(verifier.bundle.digest);
    if (digest !== phase.program)
      throw new Refusal(`the program of the text and the phase's types is ${digest}, the run's is ${phase.program}`, {
        step: phase.first,
      });
    const program = stepProgram(verifier.bundle.gadgets, header);
    checkNames(verifier.bundle.gadgets, header);
    for (const { name } of verifier.bundle.gadgets.sources) {
      if (name === STATE) continue;
      const verdict = await verifier.register(await commitment(name));
      if (!verdict.ok) throw new Refusal(`the commitment to "${name}": ${verdict.reason}`);
      checkCommitment(verifier, header, name);
    }
    return { verifier, program, [Symbol.asyncDispose]: close };
  } catch (error) {
    verifier.close();
    throw error;
  }
}

/** The order of rows hangs on every commitment that the header names: one that nothing reads could be anything, and be tried until the order suits. */
function checkNames({ sources }: GadgetProgram, { commitments }: RunHeader): void {
  const other = Object.keys(commitments).find((name) => sources.every((s) => s.name !== name));
  if (other !== undefined) throw new Refusal(`the run names a commitment to "${other}", from which no step reads`);
}

/** Whether what is registered for a source is what the header, and with it every proof, names. Returns its digest. */
function checkCommitment(verifier: Verifier, { commitments }: RunHeader, source: string): string {
  const own = verifier.commitment(source);
  const digest = own === undefined ? '' : toHex(own);
  const wanted = Object.hasOwn(commitments, source) ? commitments[source] : undefined;
  if (digest === wanted) return digest;
  throw new Refusal(`the commitment to "${source}" has the digest ${digest}, the run names ${wanted ?? 'none'}`);
}

/** Gives the verifier the state that the phase begins with, and returns its digest. */
async function stateBefore(
  verifier: Verifier,
  run: RunToVerify,
  own: OwnProgram,
  last: VerifiedOutput | undefined,
  step: number,
): Promise<string> {
  if (last !== undefined) {
    await adopt(verifier, last, step);
    return last.digest;
  }
  const verdict = await givenState(verifier, run, own);
  if (!verdict.ok) throw new Refusal(`the commitment to the first state: ${verdict.reason}`);
  return checkCommitment(verifier, run.header, STATE);
}

/** The state before the first step: of the seed, or as it was committed to. */
async function givenState(verifier: Verifier, { header, commitment }: RunToVerify, own: OwnProgram): Promise<Verdict> {
  if (header.seed === undefined) return verifier.register(await commitment(STATE));
  const numbers = own.start(hexToBytes(header.seed));
  return typeof numbers === 'string' ? { ok: false, reason: numbers } : verifier.registerKnown(STATE, numbers);
}

/** The link of the state before a step, if there is one. */
async function linked(
  run: RunToVerify,
  step: number,
  own: OwnProgram,
  { device, limit, cache }: VerifyRunOptions,
  state: (verifier: Verifier) => Promise<Verdict>,
): Promise<{ readonly step: number; readonly adapter: string }[]> {
  if (run.links?.includes(step) !== true || run.link === undefined) return [];
  const { commitment, proof } = await run.link(step);
  const context = linkContext(run.header, step);
  const bundle = own.link(step === 0);
  if (typeof bundle === 'string') throw new Refusal(bundle, { step });
  const verdict = await verifyLink(bundle, { commitment, proof, context, state }, { device, limit, cache });
  if (verdict.ok) return [{ step, adapter: verdict.adapter }];
  throw new Refusal(`the link of an adapter to the state before it: ${verdict.reason}`, { step });
}

async function adopt(verifier: Verifier, last: VerifiedOutput | undefined, step: number): Promise<void> {
  if (last === undefined) throw new Error('internal error: a step without one before it');
  const verdict = await verifier.adopt(STATE, last);
  if (!verdict.ok) throw new Refusal(`the state that the step before it puts out: ${verdict.reason}`, { step });
}

interface StepProof {
  readonly proof: Uint8Array;
  readonly context: Uint8Array;
}

/** Proofs of a step and of those after it before `end`: as many as are verified together. */
async function proofsFrom(verifier: Verifier, run: RunToVerify, step: number, end: number): Promise<StepProof[]> {
  const out: StepProof[] = [];
  for (let at = step; at < end && out.length < verifier.together; at++) {
    // What cannot be read is said when it is that step's turn: one before it may be refused.
    const bytes = at === step ? await run.proof(at) : await run.proof(at).catch(() => undefined);
    // What cannot be a proof is not held with others in memory.
    if (at > step && (bytes === undefined || bytes.length > verifier.proofSize.most)) return out;
    if (bytes === undefined) throw new Refusal('it has no proof, and a later step has', { step });
    out.push({ proof: bytes, context: stepContext(run.header, at) });
  }
  return out;
}

async function acceptStep(verifier: Verifier, { proof, context }: StepProof, step: number): Promise<Accepted> {
  const verdict = await verifier.verify(proof, { context });
  if (verdict.ok) return verdict;
  const { reason } = verdict;
  if (verdict.verdict === 'unverified')
    throw new Refusal(reason, { verdict: 'unverified', step, remedy: verdict.remedy, sources: verdict.sources });
  throw new Refusal(reason, { step });
}
