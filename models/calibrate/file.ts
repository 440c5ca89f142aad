/**
 * The file of scales beside a program: what `zkl calibrate` writes and `zkl check` and `zkl compile` read. JSON with one
 * type a line, for people to read and to edit.
 */
import { FormatError, quote } from '../files/errors.ts';
import { isObject, parseJson } from '../files/json.ts';

export interface FixedPoint {
  readonly bits: number;
  readonly frac: number;
}

/** Types by calibration key. */
export type Calibration = ReadonlyMap<string, FixedPoint>;

/** What a program with these scales made of samples that they were not chosen from. */
export interface Measured {
  readonly samples: number;
  /** Of tokens, of the samples without overflow. */
  readonly positions: number;
  /** Samples with a value that its type does not hold. */
  readonly overflows: number;
  /** The part of positions with float64's most likely token. */
  readonly agreement?: number;
  /** Positions at which float64's two best scores are less than 0.01 apart, and the part of the others that agrees. */
  readonly ties?: number;
  readonly clearAgreement?: number;
  /** The part of samples that agrees at the last position. */
  readonly lastAgreement?: number;
  /** In nats, means over positions: of the integers, of float64, and of the magnitude of their difference. */
  readonly crossEntropy?: number;
  readonly floatCrossEntropy?: number;
  readonly meanDifference?: number;
}

export interface CalibrationFile {
  /** How the scales were found, a line for people. */
  readonly about: string;
  readonly measured?: Measured | undefined;
  /** Of open tensors, `SOURCE:NAME`: they follow from the checkpoint alone. */
  readonly weights: Calibration;
  /** Of rounded values, checkpoint path and defined names. */
  readonly values: Calibration;
}

const REMEDY = 'calibrate again: zkl calibrate PROGRAM --weights base=DIR --samples FILE';

/** The file's text. Keys stand in the order they are given in. */
export function writeCalibration({ about, measured, weights, values }: CalibrationFile): string {
  const section = (types: Calibration): string => {
    const lines = [...types].map(([key, { bits, frac }]) => `    ${JSON.stringify(key)}: "fixed<${bits}, ${frac}>"`);
    return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  };
  const said = measured === undefined ? '' : `,\n  "measured": ${JSON.stringify(measured)}`;
  return `{\n  "about": ${JSON.stringify(about)},\n  "weights": ${section(weights)},\n  "values": ${section(values)}${said}\n}\n`;
}

/** @throws FormatError naming the entry that is wrong */
export function readCalibration(text: string, file: string): CalibrationFile {
  const value = parseJson(file, 'the file', text, REMEDY);
  if (!isObject(value)) throw new FormatError(file, 'it is no JSON object', REMEDY);
  const { about = '', measured, weights = {}, values = {}, ...rest } = value;
  const [further] = Object.keys(rest);
  if (further !== undefined)
    throw new FormatError(
      file,
      `it has ${quote(further)}, which no calibration has`,
      'it has "about", "weights", "values" and "measured"',
    );
  if (typeof about !== 'string') throw new FormatError(file, '"about" is no text', REMEDY);
  return {
    about,
    measured: measured === undefined ? undefined : readMeasured(file, measured),
    weights: readTypes(file, 'weights', weights),
    values: readTypes(file, 'values', values),
  };
}

const MEASURED = [
  'samples',
  'positions',
  'overflows',
  'agreement',
  'ties',
  'clearAgreement',
  'lastAgreement',
  'crossEntropy',
  'floatCrossEntropy',
  'meanDifference',
] as const satisfies (keyof Measured)[];

/** What a bundle's note of that name says; nothing where it says nothing that can be read. */
export function measuredFrom(notes: readonly { readonly name: string; readonly text: string }[]): Measured | undefined {
  const note = notes.find(({ name }) => name === MEASURED_NOTE);
  try {
    return note && readMeasured(note.name, JSON.parse(note.text));
  } catch {
    return undefined;
  }
}

/** The note of a bundle that keeps what its scales were measured at. It binds nobody: whoever compiles can write anything. */
const MEASURED_NOTE = 'measured.json';

export const measuredNote = (measured: Measured): { readonly name: string; readonly text: string } => ({
  name: MEASURED_NOTE,
  text: JSON.stringify(measured),
});

function readMeasured(file: string, value: unknown): Measured {
  const fail = (what: string): never => {
    throw new FormatError(file, `"measured" ${what}`, REMEDY);
  };
  if (!isObject(value)) return fail('is no object');
  for (const [name, number] of Object.entries(value))
    if (!MEASURED.some((known) => known === name) || typeof number !== 'number')
      fail(`has ${quote(name)}, which is no number of it`);
  for (const name of MEASURED.slice(0, 3)) if (!Object.hasOwn(value, name)) fail(`lacks ${quote(name)}`);
  return value as unknown as Measured;
}

function readTypes(file: string, section: string, value: unknown): Calibration {
  if (!isObject(value)) throw new FormatError(file, `${quote(section)} is no object`, REMEDY);
  return new Map(
    Object.entries(value).map(([key, type]) => {
      const match = typeof type === 'string' ? /^fixed<(\d{1,2}), *(-?\d{1,3})>$/.exec(type) : null;
      const [bits, frac] = [Number(match?.[1]), Number(match?.[2])];
      // As the checker has it.
      if (!match || bits < 1 || bits > 64 || frac < -64 || frac > 128)
        throw new FormatError(
          file,
          `${quote(key)} is ${quote(String(type))}`,
          'write a type, "fixed<16, 12>": from 1 to 64 bits, from -64 to 128 after the point',
        );
      return [key, { bits, frac }] as const;
    }),
  );
}
