/** The lines of an imported program, broken as the formatter breaks them. */
import { FormatError, quote } from '../files/errors.ts';
import { STACKED, type ModuleGroup } from './groups.ts';
import type { LoraModule } from '../adapters/peft.ts';

export interface GroupContext {
  readonly fileName: string;
  readonly maxAbs: ReadonlyMap<string, number>;
  /** Dimensions and constants on which all groups agree. */
  readonly shared: ReadonlyMap<string, number>;
  /** Whether names need the group's before them. */
  readonly several: boolean;
}

/** The width of a formatted line. */
const WIDTH = 120;

/** Dimensions and constants of a group by their plain names. */
export function quantities({ axes, modules: [m] }: ModuleGroup): Map<string, number> {
  const stacked = axes.map((length, k) => [STACKED[k].dim, length] as const);
  return new Map([...stacked, ['I', m.inputs], ['O', m.outputs], ['R', m.rank], ['alpha', m.alpha]]);
}

/** `dim` lines, each as long as it may be. */
export function dimLines(dims: readonly (readonly [name: string, value: number])[]): string[] {
  const lines: string[] = [];
  for (const [name, value] of dims) {
    const last = lines.at(-1);
    const longer = `${last ?? '  dim'}${last === undefined ? '' : ','} ${name} = ${value}`;
    if (last !== undefined && longer.length <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(`  dim ${name} = ${value}`);
  }
  return lines;
}

/** Whether no line would be broken elsewhere than at the two places that are broken here. */
export const fits = (lines: readonly string[]): boolean =>
  lines.every((line) => line.length <= WIDTH || /^ *(?:\/\/|from) /.test(line));

/**
 * The constants alpha and, for RSLoRA, scale: at the head of the program those that all groups share, else those that
 * they do not.
 */
export function scaleLines(
  { fileName, shared }: GroupContext,
  { path, alpha, rank, rslora, scaling }: LoraModule,
  place: 'head' | 'group',
  rename: (quantity: string) => string,
): string[] {
  const here = (...names: string[]): boolean => names.every((n) => shared.has(n)) === (place === 'head');
  const lines = here('alpha') ? [`  const ${rename('alpha')} = ${alpha}`] : [];
  if (!rslora || !here('alpha', 'R')) return lines;
  const value = `${rename('alpha')} / sqrt(${rename('R')})`;
  if (scaling) return [...lines, `  const ${rename('scale')} = ${value}`];
  // One bit for the sign, and one so that rounding cannot leave the type.
  const whole = Math.ceil(Math.log2(Math.abs(alpha) / Math.sqrt(rank)));
  const frac = Math.min(24, 30 - whole);
  if (frac < -64)
    throw new FormatError(
      fileName,
      `${quote(path)} is scaled by ${alpha} / sqrt(${rank})`,
      'no sensible adapter has this lora_alpha',
    );
  return [
    ...lines,
    '  // Irrational, so it is rounded, once and here.',
    `  const ${rename('scale')} = round<32, ${frac}>(${value})`,
  ];
}

/** Bits after the point of A and B, where nothing asks for fewer. */
const FRACTION = 14;

/**
 * The most bits after the point, up to 14, at which fixed<16, frac> holds the matrices. Fewer only if values make it
 * necessary: the type is public, and should say nothing about them.
 */
function fractionBits({ fileName, maxAbs }: GroupContext, modules: readonly LoraModule[], side: 'a' | 'b'): number {
  let frac = FRACTION;
  for (const m of modules) {
    const { name } = m[side];
    const max = maxAbs.get(name) ?? 0;
    // Half a unit below 2^15, so that no rounding reaches it.
    while (frac >= 0 && !(max * 2 ** frac < 2 ** 15 - 0.5)) frac--;
    if (frac < 0)
      throw new FormatError(
        fileName,
        `${quote(name)} has a value of magnitude ${max}, beyond 16 bits`,
        'no sensible adapter has such weights: train it again',
      );
  }
  return frac;
}

/** The declarations and equations of a group. */
export function printGroup(context: GroupContext, group: ModuleGroup, label: string): string[] {
  const { shared, several } = context;
  const { axes, modules } = group;
  const own = (name: string): string => (several ? `${label}_${name}` : name);
  const quantity = (name: string): string => {
    const parts = name === 'scale' ? ['alpha', 'R'] : [name];
    return parts.every((part) => shared.has(part)) ? name : own(name);
  };
  const stacked = axes.map((_, k) => ({ index: STACKED[k].index, dim: quantity(STACKED[k].dim) }));
  const at = (...rest: string[]): string => `[${[...stacked.map((s) => s.index), ...rest].join(', ')}]`;
  const path = group.segments.map((s) => (typeof s === 'number' ? `{${STACKED[s].index}}` : s)).join('.');
  const [x, u, delta, A, B] = ['x', 'u', 'delta', 'A', 'B'].map(own);
  const [I, O, R, alpha] = ['I', 'O', 'R', 'alpha'].map(quantity);

  const secret = (side: 'a' | 'b', name: string, rows: string, columns: string): string[] => {
    const frac = fractionBits(context, modules, side);
    const told = `  // ${name} has values of at least ${2 ** (14 - frac)} or so, as its type tells everybody.`;
    const shape = [...stacked.map((s) => `${s.index}: ${s.dim}`), rows, columns].join(', ');
    const head = `  secret ${name}[${shape}]: fixed<16, ${frac}>`;
    const file = `from adapter "${path}.lora_${side.toUpperCase()}.weight"`;
    const declared = head.length + 1 + file.length > WIDTH ? [head, `    ${file}`] : [`${head} ${file}`];
    return frac < FRACTION ? [told, ...declared] : declared;
  };
  const factor = modules[0].rslora ? [quantity('scale')] : [alpha, `/ ${R}`];
  const product = [...factor, `* sum(r) ${u}${at('t', 'r')} * ${B}${at('o', 'r')}`];
  const output = `  public ${delta}${at('t', 'o')} = `;
  const oneLine = output + product.join(' ');
  return [
    ...(several ? [`  // ${path}`.trimEnd()] : []),
    ...dimLines(
      [...quantities(group)]
        .filter(([name]) => name !== 'alpha' && !shared.has(name))
        .map(([name, v]) => [own(name), v]),
    ),
    ...scaleLines(context, modules[0], 'group', quantity),
    `  public ${x}[${[...stacked.map((s) => s.dim), 'T', I].join(', ')}]: fixed<16, 8>`,
    ...secret('a', A, R, I),
    ...secret('b', B, O, R),
    `  ${u}${at('t', 'r')} = sum(i) ${x}${at('t', 'i')} * ${A}${at('r', 'i')}`,
    ...(oneLine.length <= WIDTH ? [oneLine] : [output + product[0], ...product.slice(1).map((part) => `    ${part}`)]),
  ];
}
