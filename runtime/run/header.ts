/**
 * What a run is about, in one file that everybody can read: its digest names the run, and every step's proof is bound to it.
 * Commitments come first: data, base and first state are committed to before the order of rows is drawn from their digests
 * and a nonce, so that who trains has no say in the order. The nonce is drawn by whoever the run is for, who verifies with
 * it; without one the trainer could have tried several, and reports say so.
 */
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { CodecError } from '../../compiler/ir/errors.ts';
import { encode } from '../../compiler/bundle/canonical.ts';
import { domainTag } from '../../compiler/bundle/version.ts';
import { sha256 } from '../protocol/statement/statement.ts';
import { word } from './sampling.ts';

/** A stretch of a run under one program. Phases differ in scales alone. */
export interface Phase {
  /** Its first step, from 0. */
  readonly first: number;
  /** Types by calibration key: all that a verifier takes from the trainer, to compile its own text with. */
  readonly calibration: Readonly<Record<string, { readonly bits: number; readonly frac: number }>>;
  /** Digest of the program that this text and these types give, hex. */
  readonly program: string;
}

export interface RunHeader {
  /** 32 random bytes, hex: two runs are never the same. */
  readonly id: string;
  /** Digest of the model's text and of all texts that it imports, hex. */
  readonly model: string;
  /** Digests of the commitments to what every step reads, by source, hex; the state's before the first step is `state`. */
  readonly commitments: Readonly<Record<string, string>>;
  /** 32 bytes, hex: what the first adapter follows from; absent where a run began with an adapter that there was. */
  readonly seed?: string;
  /** Rows of the data set, and those of a step; 1 and 1 where a step reads all of its data. */
  readonly rows: number;
  readonly batch: number;
  /** 1 to 64 bytes, hex; absent where nobody but the trainer drew one. */
  readonly nonce?: string;
  readonly phases: readonly Phase[];
}

const LONGEST_NONCE = 64;
const MAX_PHASES = 2 ** 12;
const hex = (bytes: number): RegExp => new RegExp(`^[0-9a-f]{${2 * bytes}}$`);

/**
 * Names a model: its text, those that it imports, and what was chosen of it.
 *
 * @param texts as a bundle has them: the first is the model's own, whose name is a path of somebody's
 * @param chosen the model of the file, and other values of its dimensions
 */
export function modelDigest(
  texts: readonly { readonly name: string; readonly text: string }[],
  chosen: {
    readonly model?: string | undefined;
    readonly overrides?: Readonly<Record<string, string | number>> | undefined;
  } = {},
): Uint8Array {
  const named = texts.map(({ name, text }, k) => [k === 0 ? '' : name, text]);
  const overrides = Object.fromEntries(Object.entries(chosen.overrides ?? {}).map(([k, v]) => [k, String(v)]));
  return sha256(concatBytes(domainTag('model\n'), encode({ texts: named, model: chosen.model, overrides })));
}

/** The seed that orders the rows: of the model's text, how many rows there are and a step takes, all that was committed before, and the nonce. */
export function samplingSeed({ model, commitments, rows, batch, nonce = '' }: RunHeader): Uint8Array {
  const names = Object.keys(commitments).sort();
  const parts = names.flatMap((name) => [sha256(utf8ToBytes(name)), hexToBytes(commitments[name])]);
  const own = sha256(hexToBytes(nonce));
  return sha256(
    concatBytes(
      domainTag('order of rows\n'),
      hexToBytes(model),
      word(rows),
      word(batch),
      word(names.length),
      ...parts,
      own,
    ),
  );
}

/** The header without its phases: they are added while a run goes on, and steps before them stay what they are. */
function fixedPart({ id, model, commitments, seed, rows, batch, nonce }: RunHeader): Uint8Array {
  return encode({ id, model, commitments, seed, rows, batch, nonce });
}

/** Names the run. */
export const runDigest = (header: RunHeader): Uint8Array => sha256(concatBytes(domainTag('run\n'), fixedPart(header)));

/** What the proof of a step is bound to: the run and the step's number. */
export const stepContext = (header: RunHeader, step: number): Uint8Array =>
  sha256(concatBytes(domainTag('step\n'), runDigest(header), word(step)));

/** What the proof is bound to that links the state before a step to an adapter. */
export const linkContext = (header: RunHeader, step: number): Uint8Array =>
  sha256(concatBytes(domainTag('link\n'), runDigest(header), word(step)));

/** The phase that a step belongs to. */
export const phaseOf = ({ phases }: RunHeader, step: number): Phase =>
  phases.findLast(({ first }) => first <= step) ?? phases[0];

export const encodeHeader = (header: RunHeader): string => `${JSON.stringify({ zkl: 'run', ...header }, null, 1)}\n`;

/** @throws CodecError */
export function decodeHeader(text: string): RunHeader {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new CodecError('the header of the run is no JSON');
  }
  const { zkl, ...fields } = record(given, 'the header');
  if (zkl !== 'run') throw new CodecError('this is not the header of a run');
  known(fields, ['id', 'model', 'commitments', 'seed', 'rows', 'batch', 'nonce', 'phases']);
  const commitments = record(fields.commitments, '"commitments"');
  for (const [name, digest] of Object.entries(commitments)) text64(digest, `the commitment to "${name}"`);
  if (!Object.hasOwn(commitments, 'state')) throw new CodecError('the header has no commitment to the first state');
  const { nonce } = fields;
  if (
    nonce !== undefined &&
    !(typeof nonce === 'string' && /^([0-9a-f]{2})+$/.test(nonce) && nonce.length <= 2 * LONGEST_NONCE)
  )
    throw new CodecError('"nonce" is not 1 to 64 bytes in hex');
  return {
    id: text64(fields.id, '"id"'),
    model: text64(fields.model, '"model"'),
    commitments: commitments as Record<string, string>,
    ...(fields.seed === undefined ? {} : { seed: text64(fields.seed, '"seed"') }),
    rows: count(fields.rows, '"rows"'),
    batch: count(fields.batch, '"batch"'),
    ...(nonce === undefined ? {} : { nonce }),
    phases: phasesOf(fields.phases),
  };
}

function phasesOf(given: unknown): Phase[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_PHASES)
    throw new CodecError(`"phases" is no list of 1 to ${MAX_PHASES}`);
  let last = -1;
  return given.map((entry: unknown, k): Phase => {
    const fields = record(entry, `phase ${k + 1}`);
    known(fields, ['first', 'calibration', 'program']);
    const { first } = fields;
    if (typeof first !== 'number' || !Number.isSafeInteger(first) || first <= last || (k === 0 && first !== 0))
      throw new CodecError(`phase ${k + 1} begins at no step after the one before it`);
    last = first;
    const calibration = record(fields.calibration, `the calibration of phase ${k + 1}`);
    for (const [key, type] of Object.entries(calibration)) {
      const { bits, frac, ...rest } = record(type, `the type of "${key}"`);
      if (!Number.isSafeInteger(bits) || !Number.isSafeInteger(frac) || Object.keys(rest).length > 0)
        throw new CodecError(`the type of "${key}" is not { bits, frac }`);
    }
    return { first, calibration: calibration as Phase['calibration'], program: text64(fields.program, '"program"') };
  });
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new CodecError(`${what} is no record`);
  return value as Record<string, unknown>;
}

function known(fields: Record<string, unknown>, names: readonly string[]): void {
  const other = Object.keys(fields).find((name) => !names.includes(name));
  if (other !== undefined) throw new CodecError(`the header of the run has an unknown field "${other}"`);
}

function text64(value: unknown, what: string): string {
  if (typeof value === 'string' && hex(32).test(value)) return value;
  throw new CodecError(`${what} is not 32 bytes in hex`);
}

function count(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new CodecError(`${what} is no number of rows`);
}
