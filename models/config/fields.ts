/** Fields of `config.json`, each read once and by name, so that those which nothing reads can be refused. */
import type { Refusals } from '../files/errors.ts';
import { FormatError, quote } from '../files/errors.ts';
import { HARMLESS_MODEL_FIELDS } from './harmless.ts';
import type { JsonObject } from '../files/json.ts';

export const UNSUPPORTED = 'such models cannot be imported; write the program by hand from the blocks of "std"';

/** A value out of the file, cut to what fits in a message. */
export const show = (value: unknown): string => JSON.stringify(value).slice(0, 100);

/**
 * Reads fields by name and remembers which. What is wrong with them is gathered; a number that cannot be read is NaN, so
 * that the others can be.
 */
export class Fields {
  readonly file: string;
  readonly refusals: Refusals;
  readonly #config: JsonObject;
  readonly #read = new Set<string>();

  constructor(file: string, config: JsonObject, refusals: Refusals) {
    this.file = file;
    this.refusals = refusals;
    this.#config = config;
  }

  /** What a field holds; undefined where it is missing or null. */
  any(name: string): unknown {
    this.#read.add(name);
    return this.#config[name] ?? undefined;
  }

  /** Whether the file says anything of it, null included. */
  has(name: string): boolean {
    return Object.hasOwn(this.#config, name);
  }

  fail(name: string, problem: string, remedy = 'is it the configuration of this model?'): never {
    throw new FormatError(this.file, `${quote(name)} ${problem}`, remedy);
  }

  /** As `fail`, but goes on. */
  refuse(name: string, problem: string, remedy?: string): void {
    this.attempt(() => this.fail(name, problem, remedy), undefined);
  }

  /** What `body` reads, or `instead` where it fails. */
  attempt<T>(body: () => T, instead: T): T {
    return this.refusals.attempt(body) ?? instead;
  }

  /** A whole number, from 1 where nothing else is said. */
  length(name: string, fallback?: number, least = 1): number {
    const value = this.any(name) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
    // What it falls back to has been refused itself.
    if (!Number.isNaN(value))
      this.refuse(name, value === undefined ? 'is missing' : `is ${show(value)}, no whole number from ${least}`);
    return NaN;
  }

  positive(name: string, fallback: number): number {
    const value = this.any(name) ?? fallback;
    if (typeof value === 'number' && value > 0 && value < Infinity) return value;
    this.refuse(name, `is ${show(value)}, no positive number`);
    return NaN;
  }

  /** A number from 0 to 1. */
  share(name: string, fallback: number): number {
    const value = this.any(name) ?? fallback;
    if (typeof value === 'number' && value > 0 && value <= 1) return value;
    this.refuse(name, `is ${show(value)}, no number up to 1`);
    return NaN;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.any(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    this.refuse(name, `is ${show(value)}, neither true nor false`);
    return fallback;
  }

  /** A field that must not say anything else. */
  only(name: string, wanted: unknown, why: string): void {
    const value = this.any(name);
    if (value !== undefined && value !== wanted) this.refuse(name, `is ${show(value)}: ${why}`, UNSUPPORTED);
  }

  /** Refuses the fields that nothing has read. Those that are false, null or empty say nothing. */
  refuseOthers(): void {
    for (const [name, value] of Object.entries(this.#config)) {
      if (this.#read.has(name) || HARMLESS_MODEL_FIELDS.has(name)) continue;
      if (value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0)) continue;
      this.refuse(
        name,
        `is ${show(value)}, and it is not known here what that changes`,
        'if it changes nothing of what the model computes, take it out of the configuration',
      );
    }
  }
}
