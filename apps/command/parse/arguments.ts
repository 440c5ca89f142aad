/** The arguments of a command, checked against its description. */
import { parseArgs } from 'node:util';
import type { CommandSpec, OptionSpec } from './command.ts';
import { commonOptions } from './commands.ts';
import { didYouMean } from '../../host/suggest.ts';
import { CliError } from '../errors.ts';

export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values.has(name);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  value(name: string): string | undefined {
    return this.list(name).at(-1);
  }

  /** Everything that may name a file or directory that the command reads: all that is given but outputs, texts and names. */
  get inputs(): readonly string[] {
    const values = [...this.#values].flatMap(([name, list]) => (NO_FILES.includes(name) ? [] : list));
    return [...this.positionals, ...values.flatMap((text) => [text, text.replace(/^[^=]*=/, '')])];
  }

  /** For options that the description requires. */
  required(name: string): string {
    const value = this.value(name);
    if (value === undefined) throw new Error(`internal error: the option --${name} is not required`);
    return value;
  }

  /** An integer in [least, most]. @throws CliError */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    const n = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(n >= least && n <= most))
      throw new CliError(`--${name} is "${text}"`, `give a whole number from ${least} to ${most}`);
    return n;
  }

  /** Bytes, at least 1: `4G`, `512M`, `1.5G`; powers of 1024. @throws CliError */
  bytes(name: string): number | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text) ?? [];
    const bytes =
      number === undefined ? NaN : Math.floor(Number(number) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' '));
    if (!(bytes >= 1 && Number.isSafeInteger(bytes)))
      throw new CliError(`--${name} is "${text}"`, 'give a size, e.g. 4G or 512M');
    return bytes;
  }

  /** A list of `NAME=VALUE`; where the name may be left out it is `undefined`. */
  pairs(name: string, separator = '='): { readonly key: string | undefined; readonly value: string }[] {
    return this.list(name).map((text) => {
      const at = text.indexOf(separator);
      return at < 0 ? { key: undefined, value: text } : { key: text.slice(0, at), value: text.slice(at + 1) };
    });
  }
}

const tokensOf = (options: readonly OptionSpec[], argv: readonly string[]) =>
  parseArgs({ args: [...argv], strict: false, allowPositionals: true, tokens: true, options: parseConfig(options) })
    .tokens;

/** The flags in a command line, whether they can be used or not. `--context --help` has none called help. */
export const flagsIn = (spec: CommandSpec, argv: readonly string[]): ReadonlySet<string> =>
  new Set(
    tokensOf([...spec.options, ...commonOptions], argv).flatMap((t) =>
      t.kind === 'option' && t.value === undefined ? [t.name] : [],
    ),
  );

/** @throws CliError for what the command does not take or lacks */
export function readArguments(spec: CommandSpec, argv: readonly string[]): Arguments {
  const options = [...spec.options, ...commonOptions];
  const tokens = tokensOf(options, argv);
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const usage = `zkl ${spec.name} --help lists what it takes`;
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = options.find((o) => o.name === token.name);
    if (!option) {
      const names = options.map((o) => `--${o.name}`);
      throw new CliError(`${spec.name} has no option ${token.rawName}`, didYouMean(token.rawName, names) ?? usage);
    }
    if (option.value === undefined) {
      if (token.value !== undefined)
        throw new CliError(`--${option.name} takes no value`, `leave "=${token.value}" out`);
      values.set(option.name, []);
      continue;
    }
    // `-o --json` is a forgotten value, not a file of that name; `-o=--json` still is one.
    if (token.value === undefined || token.value === '' || (!token.inlineValue && /^-./.test(token.value)))
      throw new CliError(`${token.rawName} needs a value`, `write ${token.rawName} ${option.value}`);
    const given = values.get(option.name) ?? [];
    if (given.length > 0 && !option.many) throw new CliError(`--${option.name} is given twice`, 'give it once');
    values.set(option.name, [...given, token.value]);
  }
  checkStreams(positionals, values);
  return new Arguments(checkPositionals(spec, positionals), checkRequired(spec, values));
}

/** Options whose values name nothing that is read. */
const NO_FILES = ['output', 'emit', 'text', 'ids', 'targets'];

/** Options whose values are files that are read. */
const READ = [
  'weights',
  'opening',
  'commitment',
  'inputs',
  'public',
  'samples',
  'data',
  'text-file',
  'calibration',
  'reference',
  'program',
  'bundle',
  'proof',
];

/** There is one stdin. @throws CliError where two files are to come from it */
function checkStreams(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>): void {
  const read = [
    ...positionals.map((value) => ['a file', value] as const),
    ...READ.flatMap((name) => (values.get(name) ?? []).map((value) => [`--${name}`, value] as const)),
  ].filter(([, value]) => value === '-' || value.endsWith('=-'));
  if (read.length > 1)
    throw new CliError(`"-" is given for ${read[0][0]} and for ${read[1][0]}`, 'read one of them from a file');
}

function parseConfig(options: readonly OptionSpec[]) {
  return Object.fromEntries(
    options.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
}

function checkPositionals(spec: CommandSpec, given: readonly string[]): readonly string[] {
  const missing = spec.positionals.filter((p) => p.optional !== true).at(given.length);
  const many = spec.positionals.at(-1)?.name.endsWith('...') ?? false;
  if (missing !== undefined)
    throw new CliError(
      `${missing.name.replace('...', '')} is missing: ${missing.help}`,
      `for example: ${spec.example}`,
    );
  if (given.length > spec.positionals.length && !many)
    throw new CliError(
      `"${given[spec.positionals.length]}" is one argument too many`,
      `zkl ${spec.name} --help lists what it takes`,
    );
  return given;
}

function checkRequired(
  spec: CommandSpec,
  values: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const missing = spec.options.find(
    (o) => o.required && !values.has(o.name) && !(o.unless ?? []).some((name) => values.has(name)),
  );
  if (!missing) return values;
  const name = missing.short === undefined ? `--${missing.name}` : `-${missing.short}`;
  throw new CliError(`${name} ${missing.value ?? ''} is missing: ${missing.help}`, `for example: ${spec.example}`);
}
