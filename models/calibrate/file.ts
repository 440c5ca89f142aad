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

export interface CalibrationFile {
  /** How the scales were found, a line for people. */
  readonly about: string;
  /** Of open tensors, `SOURCE:NAME`: they follow from the checkpoint alone. */
  readonly weights: Calibration;
  /** Of rounded values, checkpoint path and defined names. */
  readonly values: Calibration;
}

const REMEDY = 'calibrate again: zkl calibrate PROGRAM --weights base=DIR --samples FILE';

/** The file's text. Keys stand in the order they are given in. */
export function writeCalibration({ about, weights, values }: CalibrationFile): string {
  const section = (types: Calibration): string => {
    const lines = [...types].map(([key, { bits, frac }]) => `    ${JSON.stringify(key)}: "fixed<${bits}, ${frac}>"`);
    return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  };
  return `{\n  "about": ${JSON.stringify(about)},\n  "weights": ${section(weights)},\n  "values": ${section(values)}\n}\n`;
}

/** @throws FormatError naming the entry that is wrong */
export function readCalibration(text: string, file: string): CalibrationFile {
  const value = parseJson(file, 'the file', text, REMEDY);
  if (!isObject(value)) throw new FormatError(file, 'it is no JSON object', REMEDY);
  const { about = '', weights = {}, values = {}, ...rest } = value;
  const [further] = Object.keys(rest);
  if (further !== undefined)
    throw new FormatError(
      file,
      `it has ${quote(further)}, which no calibration has`,
      'it has "about", "weights" and "values"',
    );
  if (typeof about !== 'string') throw new FormatError(file, '"about" is no text', REMEDY);
  return { about, weights: readTypes(file, 'weights', weights), values: readTypes(file, 'values', values) };
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
