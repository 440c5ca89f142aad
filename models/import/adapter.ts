/** From a PEFT adapter to a program that proves what its modules add: text to read and edit. */
import { requireCount } from '../files/arguments.ts';
import { FormatError, formatShape, quote } from '../files/errors.ts';
import { groupModules, STACKED, type ModuleGroup } from './groups.ts';
import { dimLines, fits, printGroup, quantities, scaleLines, type GroupContext } from './lines.ts';
import type { AdapterDescription } from '../adapters/peft.ts';

export interface ImportedAdapter {
  readonly description: AdapterDescription;
  /** The tensors' file, for messages. */
  readonly fileName: string;
  /** The largest magnitude in each matrix, by its name in programs; matrices that are not in it are taken to be below 2. */
  readonly maxAbs?: ReadonlyMap<string, number>;
}

export interface ImportOptions {
  /** Rows of x a proof, at least 1. */
  readonly rows: number;
  /** Of the model; default `adapter`. */
  readonly name?: string;
}

/**
 * A program, laid out as `format` lays it out, with one model that proves delta = scaling · x Aᵀ Bᵀ for every module of
 * the adapter. Modules that differ only in whole numbers of their names are stacked in one declaration.
 *
 * @throws FormatError if a module's name cannot stand in a program, or its values do not fit 16 bits
 * @throws ArgumentError if `rows` is no whole number from 1
 */
export function importAdapter(adapter: ImportedAdapter, { rows, name = 'adapter' }: ImportOptions): string {
  requireCount('options.rows', rows, 'rows of a proof');
  const { description, fileName, maxAbs = new Map<string, number>() } = adapter;
  for (const { path } of description.modules)
    if (/["{}\r\n]/.test(path))
      throw new FormatError(
        fileName,
        `the module ${quote(path)} has a name that programs cannot write`,
        'rename its tensors',
      );
  const groups = groupModules(description.modules);
  const shared = sharedQuantities(groups);
  const context: GroupContext = { fileName, maxAbs, shared, several: groups.length > 1 };
  const bodies = nameGroups(groups).map((label, k) => {
    const lines = printGroup(context, groups[k], label);
    return fits(lines) ? lines : printGroup(context, groups[k], `module${k}`);
  });
  const plain = (quantity: string): string => quantity;
  const dims: (readonly [string, number])[] = [
    ['T', rows],
    ...[...shared].filter(([quantity]) => quantity !== 'alpha'),
  ];
  const head = [...dimLines(dims), ...scaleLines(context, groups[0].modules[0], 'head', plain)];
  const body = [head, ...bodies].map((lines) => lines.join('\n')).join('\n\n');
  return `${docs(description, groups).join('\n')}\nmodel ${name} {\n${body}\n}\n`;
}

/** What all groups that have it agree on. */
function sharedQuantities(groups: readonly ModuleGroup[]): Map<string, number> {
  const values = new Map<string, Set<number>>();
  for (const [name, value] of groups.flatMap((g) => [...quantities(g)]))
    values.set(name, (values.get(name) ?? new Set()).add(value));
  const order = [...STACKED.map((s) => s.dim), 'I', 'O', 'R', 'alpha'];
  return new Map(
    order.flatMap((name) => (values.get(name)?.size === 1 ? [[name, [...values.get(name)!][0]] as const] : [])),
  );
}

/**
 * One name a group, for `NAME_x`, `NAME_A` and so on: the last word of its path, with the numbers in the path where that
 * is not enough, else the shortest end of the path that no other group has.
 */
function nameGroups(groups: readonly ModuleGroup[]): string[] {
  const taken = new Set<string>();
  const candidates = groups.map((g) => groupNames(g.segments.filter((s) => typeof s === 'string')));
  return candidates.map((own, k) => {
    const clear = own.find((name, n) => candidates.every((other, j) => j === k || (other[n] ?? other.at(-1)) !== name));
    const base = clear ?? own[own.length - 1];
    let name = base;
    for (let suffix = 2; taken.has(name); suffix++) name = `${base}_${suffix}`;
    taken.add(name);
    return name;
  });
}

function groupNames(path: readonly string[]): string[] {
  const isNumber = (segment: string): boolean => /^\d+$/.test(segment);
  const word = path.findLast((s) => !isNumber(s)) ?? 'module';
  const ends = path.map((_, n) => path.slice(-n - 1));
  return [[word], [word, ...path.filter(isNumber)], ...ends].map((parts) =>
    parts
      .join('_')
      .replace(/\W/g, '_')
      .replace(/^(?=\d|$)/, 'module_'),
  );
}

const MAX_LEFT_OUT = 8;

function docs({ config, modules, leftOut }: AdapterDescription, groups: readonly ModuleGroup[]): string[] {
  const count = modules.length === 1 ? 'one module' : `${modules.length} modules`;
  const factor = config.useRslora ? 'alpha / sqrt(R)' : 'alpha / R';
  const base = config.baseModel === undefined ? '' : ` on ${printable(config.baseModel)}`;
  const widest = Math.max(...groups.map((g) => g.modules[0].inputs));
  const lines = [
    `What a LoRA adapter${base} adds to ${count}, each on its own: delta = ${factor} · x Aᵀ Bᵀ.`,
    '',
    'Every proof publishes its rows of x and delta. Whoever has seen about I of them for one module, over all proofs',
    `together, can solve for B · A (I is at most ${widest} here): give out fewer.`,
  ];
  if (leftOut.length > 0) lines.push('', 'Left out, as they are no LoRA matrices:');
  for (const { name, shape } of leftOut.slice(0, MAX_LEFT_OUT))
    lines.push(`  ${printable(name)} ${formatShape(shape)}`);
  if (leftOut.length > MAX_LEFT_OUT) lines.push(`  and ${leftOut.length - MAX_LEFT_OUT} more`);
  return lines.map((line) => (line === '' ? '///' : `/// ${line}`));
}

/** Text of a file inside a comment. */
const printable = (text: string): string => quote(text).slice(1, -1);
