/**
 * Modules that one declaration can stack: same shapes, rank and alpha, and names that differ in whole numbers only, which
 * run from 0 without gaps (a stacking axis counts from 0). What does not fit stands alone.
 */
import type { LoraModule } from '../adapters/peft.ts';

export interface ModuleGroup {
  /** In the order of the axes, the last running fastest; one module without axes. */
  readonly modules: readonly LoraModule[];
  /** Lengths of the stacking axes. */
  readonly axes: readonly number[];
  /** Segments of the modules' paths, a number for the axis in whose index they differ. */
  readonly segments: readonly (string | number)[];
}

/** Indices and dimensions of stacking axes. More axes than these are split instead. */
export const STACKED = [
  { index: 'l', dim: 'L' },
  { index: 'm', dim: 'M' },
  { index: 'n', dim: 'N' },
] as const;

interface Numbered {
  readonly module: LoraModule;
  readonly segments: readonly string[];
  /** The number in each segment that is one. */
  readonly numbers: readonly (number | undefined)[];
}

/** All modules, each in one group; groups in the order of their first modules. */
export function groupModules(modules: readonly LoraModule[]): ModuleGroup[] {
  const groups = [...Map.groupBy(modules.map(numbered), likeness).values()].flatMap(split);
  const position = new Map(modules.map((m, i) => [m, i] as const));
  const first = (g: ModuleGroup): number => Math.min(...g.modules.map((m) => position.get(m)!));
  return groups.sort((a, b) => first(a) - first(b));
}

function numbered(module: LoraModule): Numbered {
  const segments = module.path.split('.');
  return { module, segments, numbers: segments.map((s) => (/^(?:0|[1-9]\d{0,8})$/.test(s) ? Number(s) : undefined)) };
}

/** Equal for modules that may share a declaration. */
function likeness({ module: m, segments, numbers }: Numbered): string {
  const pattern = segments.map((s, k) => (numbers[k] === undefined ? s : null));
  return JSON.stringify([m.inputs, m.outputs, m.rank, m.alpha, m.rslora, pattern]);
}

function split(members: readonly Numbered[]): ModuleGroup[] {
  const positions = members[0].numbers
    .keys()
    .filter((k) => members.some((m) => m.numbers[k] !== members[0].numbers[k]));
  const axes = [...positions].map((position) => {
    const values = new Set(members.map((m) => m.numbers[position]!));
    return { position, length: values.size, contiguous: Math.max(...values) === values.size - 1 };
  });
  const grid = axes.reduce((n, a) => n * a.length, 1) === members.length;
  if (grid && axes.length <= STACKED.length && axes.every((a) => a.contiguous)) return [stack(members, axes)];
  if (axes.length === 1) return splitTail(members, axes[0].position);
  const { position } = axes.find((a) => !a.contiguous) ?? axes[0];
  return [...Map.groupBy(members, (m) => m.numbers[position]).values()].flatMap(split);
}

/** The longest run from 0 together, the others alone. */
function splitTail(members: readonly Numbered[], position: number): ModuleGroup[] {
  const sorted = members.toSorted((a, b) => a.numbers[position]! - b.numbers[position]!);
  const gap = sorted.findIndex((m, k) => m.numbers[position] !== k);
  const run = sorted.slice(0, gap);
  return [...(run.length > 0 ? split(run) : []), ...sorted.slice(gap).flatMap((m) => split([m]))];
}

function stack(members: readonly Numbered[], axes: readonly { position: number; length: number }[]): ModuleGroup {
  const rank = (m: Numbered): number => axes.reduce((n, a) => n * a.length + m.numbers[a.position]!, 0);
  const sorted = members.toSorted((a, b) => rank(a) - rank(b));
  const segments = sorted[0].segments.map((text, k) => {
    const axis = axes.findIndex((a) => a.position === k);
    return axis < 0 ? text : axis;
  });
  return { modules: sorted.map((m) => m.module), axes: axes.map((a) => a.length), segments };
}
