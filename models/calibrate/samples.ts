/** Samples of a program's inputs, and what they should lead to: for calibration and comparison. */
import type { TensorType } from '../../compiler/ir/tensor/program.ts';
import { requireWanted } from '../files/arguments.ts';
import { FormatError, formatShape, quote, quoteSome } from '../files/errors.ts';
import { randomInputs, type Inputs, type WantedInput } from '../files/inputs.ts';
import { isObject, parseJson } from '../files/json.ts';

export interface Sample {
  readonly inputs: Inputs;
  /** Of a sample of tokens: the token that follows each of them, where the sample goes on that far. */
  readonly targets?: Int32Array;
  /** Of a text that is filled up: its tokens. What follows them does not count. */
  readonly length?: number;
}

const REMEDY = 'write { "tokens": [[1, 403, 407], [1, 385, 311]] }: for each input a list, one entry a sample';

/**
 * Samples from JSON: for each input that comes from no weights its values, sample by sample, as nested lists. A list of
 * indices may be longer than the input: the first ones count, and the one after each is its target. The only input of
 * indices may also be called "sequences".
 *
 * @param others names of further members, which are left alone
 * @throws FormatError for a missing or further input, another shape, an entry outside its type
 */
export function samplesFromJson(
  text: string,
  file: string,
  wanted: readonly WantedInput[],
  others: readonly string[] = [],
): Sample[] {
  requireWanted('wanted', wanted);
  const value = parseJson(file, 'the file', text, REMEDY);
  if (!isObject(value)) throw new FormatError(file, 'it is no JSON object', REMEDY);
  const tokens = wanted.filter((w) => w.type.kind === 'index');
  const memberOf = ({ name }: WantedInput): string =>
    !Object.hasOwn(value, name) && tokens.length === 1 && name === tokens[0].name && Object.hasOwn(value, 'sequences')
      ? 'sequences'
      : name;
  const members = wanted.map(memberOf);
  const further = Object.keys(value).find((name) => !members.includes(name) && !others.includes(name));
  if (further !== undefined)
    throw new FormatError(
      file,
      `the program has no input ${quote(further)}`,
      `it takes ${quoteSome(wanted.map((w) => w.name))}: leave the others out`,
    );
  const lists = members.map((member) => {
    const list = value[member];
    if (!Array.isArray(list) || list.length === 0)
      throw new FormatError(file, `there is no list of samples ${quote(member)}`, REMEDY);
    return list as unknown[];
  });
  const [first] = lists;
  if (first === undefined) return [];
  const other = lists.findIndex((list) => list.length !== first.length);
  if (other >= 0)
    throw new FormatError(
      file,
      `${quote(members[0])} has ${first.length} samples, ${quote(members[other])} has ${lists[other].length}`,
      'give as many of each',
    );
  return first.map((_, k) => sampleOf(file, wanted, members, lists, k));
}

/** What follows the tokens of a shorter sample: in a causal model it changes nothing before it. */
const FILLER = 0;

function sampleOf(
  file: string,
  wanted: readonly WantedInput[],
  members: readonly string[],
  lists: readonly (readonly unknown[])[],
  k: number,
): Sample {
  let targets: Int32Array | undefined;
  let filled: number | undefined;
  const inputs = new Map<string, Float64Array>();
  for (const [n, want] of wanted.entries()) {
    const where = `${quote(members[n])}[${k}]`;
    const given = lists[n][k];
    const [length] = want.shape;
    let part = given;
    const isTokens = want.type.kind === 'index' && want.shape.length === 1;
    const isFilled =
      isTokens && wanted.length === 1 && Array.isArray(given) && given.length > 0 && given.length < length;
    if (isTokens && Array.isArray(given) && (given.length > length || isFilled)) {
      part = isFilled
        ? [...(given as unknown[]), ...Array<number>(length - given.length).fill(FILLER)]
        : given.slice(0, length);
      if (isFilled) filled = given.length;
      const next = given.slice(1, length + 1);
      targets = Int32Array.from(next, (v, t) => Number(entryOf(file, `${where}[${t + 1}]`, want.type, v)));
    }
    const out = new Float64Array(want.shape.reduce((a, b) => a * b, 1));
    fill(file, where, want, part, 0, out, 0);
    inputs.set(want.name, out);
  }
  return { inputs, ...(targets === undefined ? {} : { targets }), ...(filled === undefined ? {} : { length: filled }) };
}

function fill(
  file: string,
  where: string,
  want: WantedInput,
  value: unknown,
  axis: number,
  out: Float64Array,
  at: number,
): number {
  if (axis === want.shape.length) {
    out[at] = entryOf(file, where, want.type, value);
    return at + 1;
  }
  if (!Array.isArray(value) || value.length !== want.shape[axis]) {
    const found = Array.isArray(value) ? `has ${value.length} entries` : 'is no list';
    throw new FormatError(
      file,
      `${where} ${found}, the program's ${want.name} is ${formatShape(want.shape)}`,
      'cut it to that length, or give the program another one with --dim',
    );
  }
  for (const [k, inner] of value.entries()) at = fill(file, `${where}[${k}]`, want, inner, axis + 1, out, at);
  return at;
}

function entryOf(file: string, where: string, type: TensorType, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new FormatError(file, `${where} is no finite number`, REMEDY);
  if (type.kind === 'index' && (!Number.isInteger(value) || value < 0 || value >= type.size))
    throw new FormatError(
      file,
      `${where} is ${value}, outside index<${type.size}>`,
      'is it made by the tokenizer of this model?',
    );
  return value;
}

/** Samples that a seed determines. */
export const randomSamples = (seed: string, count: number, wanted: readonly WantedInput[]): Sample[] =>
  Array.from({ length: count }, (_, k) => ({ inputs: randomInputs(`${seed}/${k}`, wanted) }));

/** What other software made of the samples. */
export interface Reference {
  /** Row-major [T, V], of the first samples, as many as there are. */
  readonly logits: readonly Float64Array[];
  /** In nats, of the first samples. */
  readonly crossEntropy: readonly number[];
}

/**
 * @param shape of one sample's logits
 * @throws FormatError if there is neither, or another shape
 */
export function referenceFromJson(text: string, file: string, shape: readonly [number, number]): Reference {
  const remedy =
    'write { "logits": [[...], ...], "cross_entropy": [...] }: logits by position, of one sample or of several';
  const value = parseJson(file, 'the file', text, remedy);
  if (!isObject(value)) throw new FormatError(file, 'it is no JSON object', remedy);
  const { logits, cross_entropy: losses = [] } = value;
  if (logits === undefined && !Object.hasOwn(value, 'cross_entropy'))
    throw new FormatError(file, 'it has neither "logits" nor "cross_entropy"', remedy);
  if (!Array.isArray(losses) || !losses.every((v) => typeof v === 'number'))
    throw new FormatError(file, '"cross_entropy" is no list of numbers', remedy);
  const real: WantedInput = { name: 'logits', shape, type: { kind: 'fixed', bits: 64, frac: 0 } };
  const read = (part: unknown, where: string): Float64Array => {
    const out = new Float64Array(shape[0] * shape[1]);
    fill(file, where, real, part, 0, out, 0);
    return out;
  };
  const list = logits === undefined ? [] : Array.isArray(logits) ? (logits as unknown[]) : undefined;
  if (list === undefined) throw new FormatError(file, '"logits" is no list', remedy);
  const several = Array.isArray(list[0]) && Array.isArray(list[0][0]);
  const parts = list.length === 0 ? [] : several ? list : [list];
  return { logits: parts.map((part, k) => read(part, several ? `"logits"[${k}]` : '"logits"')), crossEntropy: losses };
}
