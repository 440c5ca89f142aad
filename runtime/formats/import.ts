/** From a PEFT adapter to a program that proves what its modules add: text to read and edit. */
import { FormatError, formatShape, quote } from './errors.ts';
import { groupModules, type ModuleGroup } from './import-groups.ts';
import type { AdapterDescription, LoraModule } from './peft.ts';

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

/** Where prettier breaks lines. */
const WIDTH = 120;

/** Indices and dimensions of stacking axes. */
const STACKED = [
  { index: 'l', dim: 'L' },
  { index: 'm', dim: 'M' },
  { index: 'n', dim: 'N' },
] as const;

/**
 * A program, laid out as `format` lays it out, with one model that proves delta = scaling · x Aᵀ Bᵀ for every module of
 * the adapter. Modules that differ only in whole numbers of their names are stacked in one declaration.
 *
 * @throws FormatError if a module's name cannot stand in a program, or its values do not fit 16 bits
 * @throws RangeError if `rows` is no whole number from 1
 */
export function importAdapter(adapter: ImportedAdapter, { rows, name = 'adapter' }: ImportOptions): string {
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`a proof of ${rows} rows: rows are a whole number from 1`);
  const { modules } = adapter.description;
  for (const { path } of modules) {
    if (/["{}\r\n]/.test(path))
      throw new FormatError(adapter.fileName, `the module ${quote(path)} has a name that programs cannot write`, 'rename its tensors');
  }
  const groups = groupModules(modules);
  const names = nameGroups(groups);
  const shared = sharedNames(groups);
  const body = groups.map((group, k) => printGroup(adapter, group, names[k], shared, groups.length > 1));
  const dims = ['T', ...shared.keys()].filter((d) => d !== 'alpha').map((d) => `${d} = ${d === 'T' ? rows : shared.get(d)!}`);
  const head = [`  dim ${dims.join(', ')}`, ...constants(groups[0].modules[0], (n) => n, (n) => shared.has(n))];
  return [
    ...docs(adapter.description, groups),
    `model ${name} {`,
    ...head,
    ...body.flatMap((lines) => ['', ...lines]),
    '}',
    '',
  ].join('\n');
}

/** Dimensions and constants of a group by their plain names. */
function quantities({ axes, modules: [m] }: ModuleGroup): Map<string, number> {
  return new Map([
    ...axes.map((length, k) => [STACKED[k].dim, length] as const),
    ['I', m.inputs],
    ['O', m.outputs],
    ['R', m.rank],
    ['alpha', m.alpha],
  ]);
}

/** What all groups that have it agree on. */
function sharedNames(groups: readonly ModuleGroup[]): Map<string, number> {
  const values = new Map<string, Set<number>>();
  for (const [name, value] of groups.flatMap((g) => [...quantities(g)])) values.set(name, (values.get(name) ?? new Set()).add(value));
  const order = [...STACKED.map((s) => s.dim), 'I', 'O', 'R', 'alpha'];
  return new Map(order.flatMap((name) => (values.get(name)?.size === 1 ? [[name, [...values.get(name)!][0]] as const] : [])));
}

/** One name a group, used before `_x`, `_A` and so on: the shortest end of its path that no other group has. */
function nameGroups(groups: readonly ModuleGroup[]): string[] {
  const paths = groups.map((g) => g.segments.filter((s) => typeof s === 'string'));
  const end = (path: readonly string[], n: number): string => path.slice(-n).join('_').replace(/\W/g, '_');
  const taken = new Set<string>();
  return paths.map((path, k) => {
    let n = 1;
    const ambiguous = (): boolean => /^\d/.test(end(path, n)) || paths.some((other, j) => j !== k && end(other, n) === end(path, n));
    while (n < path.length && ambiguous()) n++;
    const base = end(path, n).replace(/^(?=\d)/, 'module_');
    let name = base;
    for (let suffix = 2; taken.has(name); suffix++) name = `${base}_${suffix}`;
    taken.add(name);
    return name;
  });
}

function docs({ config, modules, leftOut }: AdapterDescription, groups: readonly ModuleGroup[]): string[] {
  const count = modules.length === 1 ? 'one module' : `${modules.length} modules`;
  const factor = config.useRslora ? 'alpha / sqrt(R)' : 'alpha / R';
  const base = config.baseModel === undefined ? '' : ` on ${printable(config.baseModel)}`;
  const widest = Math.max(...groups.map((g) => g.modules[0].inputs));
  const lines = [
    `What a LoRA adapter${base} adds to ${count}, each on its own: delta = ${factor} · x Aᵀ Bᵀ.`,
    '',
    `Every proof publishes its rows of x and delta. Whoever has seen about I of them for a module (here up to ${widest}), over`,
    'all proofs together, can solve for B · A: rows are what the weights cost.',
  ];
  if (leftOut.length > 0) lines.push('', 'Left out, as they are no LoRA matrices:');
  for (const { name, shape } of leftOut.slice(0, MOST_LEFT_OUT)) lines.push(`  ${printable(name)} ${formatShape(shape)}`);
  if (leftOut.length > MOST_LEFT_OUT) lines.push(`  and ${leftOut.length - MOST_LEFT_OUT} more`);
  return lines.map((line) => (line === '' ? '///' : `/// ${line}`));
}

const MOST_LEFT_OUT = 8;

/** Text of a file inside a comment. */
const printable = (text: string): string => quote(text).slice(1, -1);

/** `const` lines for what `mine` says belongs here. */
function constants(m: LoraModule, rename: (name: string) => string, mine: (name: string) => boolean): string[] {
  const lines: string[] = [];
  if (mine('alpha')) lines.push(`  const ${rename('alpha')} = ${m.alpha}`);
  // The scale of RSLoRA stands with the group unless both of its parts are shared.
  return lines;
}

function printGroup(
  adapter: ImportedAdapter,
  group: ModuleGroup,
  label: string,
  shared: ReadonlyMap<string, number>,
  several: boolean,
): string[] {
  const { axes, modules } = group;
  const [module] = modules;
  const own = (name: string): string => (several ? `${label}_${name}` : name);
  const quantity = (name: string): string => (shared.has(name) ? name : own(name));
  const stacked = axes.map((_, k) => ({ index: STACKED[k].index, dim: quantity(STACKED[k].dim) }));
  const dims = (...rest: string[]): string => [...stacked.map((s) => s.dim), ...rest].join(', ');
  const files = (...rest: string[]): string => [...stacked.map((s) => `${s.index}: ${s.dim}`), ...rest].join(', ');
  const at = (...rest: string[]): string => [...stacked.map((s) => s.index), ...rest].join(', ');
  const path = group.segments.map((s) => (typeof s === 'number' ? `{${STACKED[s].index}}` : s)).join('.');
  const [x, a, b, u, delta] = ['x', 'A', 'B', 'u', 'delta'].map(own);
  const [I, O, R, alpha] = ['I', 'O', 'R', 'alpha'].map(quantity);

  const unshared = [...quantities(group)].filter(([name]) => !shared.has(name) && name !== 'alpha');
  const lines = several ? [`  // ${path}`] : [];
  if (unshared.length > 0) lines.push(`  dim ${unshared.map(([name, value]) => `${quantity(name)} = ${value}`).join(', ')}`);
  if (!shared.has('alpha')) lines.push(`  const ${alpha} = ${module.alpha}`);
  let factor = `${alpha} / ${R}`;
  if (module.rslora) {
    factor = own('scale');
    lines.push(...rootScale(adapter.fileName, module, factor, `${alpha} / sqrt(${R})`));
  }
  lines.push(`  public ${x}[${dims('T', I)}]: fixed<16, 8>`);
  for (const [name, side, rest] of [
    [a, 'A', [R, I]],
    [b, 'B', [O, R]],
  ] as const) {
    const frac = fraction(adapter, modules, side);
    if (frac < FRACTION) lines.push(`  // Less than ${FRACTION} bits after the point: this tells every reader that |${name}| reaches ${2 ** (14 - frac)}.`);
    const head = `  secret ${name}[${files(...rest)}]: fixed<16, ${frac}>`;
    const file = `from adapter "${path}.lora_${side}.weight"`;
    lines.push(...(head.length + 1 + file.length > WIDTH ? [head, `    ${file}`] : [`${head} ${file}`]));
  }
  lines.push(...equation(`${u}[${at('t', 'r')}]`, [], `sum(i) ${x}[${at('t', 'i')}] * ${a}[${at('r', 'i')}]`));
  lines.push(...equation(`public ${delta}[${at('t', 'o')}]`, factor.split(/ (?=\/)/), `sum(r) ${u}[${at('t', 'r')}] * ${b}[${at('o', 'r')}]`));
  return lines;
}
