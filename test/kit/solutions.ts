/**
 * All solutions of a small program: every assignment of values to what the prover commits to, and to outputs that no equation
 * defines, under which all of the program's lookups and equations hold. What a gadget leaves open shows as a second solution;
 * no proof system is involved.
 */
import type { GadgetProgram, GadgetTable } from '../../compiler/ir/gadget/program.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import { digitMap, forEachIndex, gatherMap, maskValues, viewMap } from '../../runtime/protocol/statement/views.ts';
import { sumExactly } from '../../runtime/evaluate/witness/terms.ts';
import type { Values } from './subject.ts';

/** A tensor's entries in one solution, by tensor. */
export type Solution = ReadonlyMap<number, readonly bigint[]>;

/** More values than these are not tried. */
const MAX_TRIED = 50_000;

interface Unknown {
  readonly tensor: number;
  readonly at: number;
  readonly domain: readonly bigint[];
}

/**
 * @param inputs entries of all public inputs and committed tensors; not of secret inputs, which are part of a solution
 * @returns undefined if there is too much to try
 * @throws Error if a committed value has no bound
 */
export function solutions(program: GadgetProgram, inputs: Values): Solution[] | undefined {
  const multiplicities = new Set(program.tables.map((t) => t.multiplicities));
  const defined = new Set(program.equations.filter((e) => e.level > 0).map((e) => e.target));
  const unknowns: Unknown[] = [];
  for (const [tensor, t] of program.tensors.entries()) {
    const { kind } = t.class;
    const given = kind === 'output' ? !defined.has(tensor) : isOutput(program, t.class);
    const open = kind === 'witness' ? !multiplicities.has(tensor) : given;
    if (!open) continue;
    const domain = domainOf(program, tensor);
    for (let at = 0; at < t.shape.reduce((n, d) => n * d, 1); at++) unknowns.push({ tensor, at, domain });
  }
  const values = new Map<number, bigint[]>([...inputs].map(([id, v]) => [id, [...v]]));
  for (const { tensor, at } of unknowns) {
    const entries = values.get(tensor) ?? [];
    entries[at] = 0n;
    values.set(tensor, entries);
  }
  const checks = checksOf(program, values, new Set(unknowns.map((u) => u.tensor)));
  const found: Solution[] = [];
  let tried = 0;
  const assign = (k: number): void => {
    if (++tried > MAX_TRIED || !checks[k].every((holds) => holds())) return;
    if (k === unknowns.length) {
      found.push(withSecrets(program, new Map([...values].map(([id, v]) => [id, [...v]]))));
      return;
    }
    const { tensor, at, domain } = unknowns[k];
    const entries = values.get(tensor) ?? [];
    for (const v of domain) {
      entries[at] = v;
      assign(k + 1);
    }
  };
  assign(0);
  return tried > MAX_TRIED ? undefined : found;
}

/** Secret indices are what their selectors say. */
function withSecrets(program: GadgetProgram, solution: Map<number, readonly bigint[]>): Solution {
  for (const id of program.secrets) {
    const { name, type, shape } = program.tensors[id];
    const selector = solution.get(program.tensors.findIndex((t) => t.name === `selector of ${name}`));
    if (solution.has(id) || type?.kind !== 'index' || !selector) continue;
    const { size } = type;
    const entry = (i: number): bigint =>
      selector.slice(i * size, (i + 1) * size).reduce((n, b, v) => n + b * BigInt(v), 0n);
    solution.set(
      id,
      Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => entry(i)),
    );
  }
  return solution;
}

/** What lookups and the equations that make it 0 or 1 leave of an entry; a public output's range. */
function domainOf(program: GadgetProgram, id: number): bigint[] {
  const t = program.tensors[id];
  const between = (lo: bigint, hi: bigint): bigint[] =>
    Array.from({ length: Number(hi - lo) + 1 }, (_, i) => lo + BigInt(i));
  for (const l of program.lookups) {
    const table = program.tables[l.table];
    if (l.tensor === id && l.shift === 0) return between(-l.offset, entriesOf(table) - 1n - l.offset);
    if (l.value === id && table.kind === 'function') return [...new Set(table.values)];
  }
  if (t.class.kind === 'output') return between(t.range.lo, t.range.hi);
  if (program.zeros.some((z) => program.tensors[z].name === `${t.name} is 0 or 1`)) return [0n, 1n];
  throw new Error(`nothing bounds ${t.name}`);
}

const entriesOf = (t: GadgetTable): bigint => (t.kind === 'range' ? 2n ** BigInt(t.bits) : BigInt(t.values.length));

/**
 * What has to hold once the first k unknowns have values: a check is made as soon as all that it reads is there. Tensors
 * that equations define are found in `values` after the check that computes them.
 */
function checksOf(
  program: GadgetProgram,
  values: Map<number, bigint[]>,
  open: ReadonlySet<number>,
): (() => boolean)[][] {
  // Unknowns stand in the order of their tensors: a tensor is complete after its last one.
  const completeAfter = new Map<number, number>();
  let unknowns = 0;
  for (const id of [...open].sort((a, b) => a - b)) {
    unknowns += values.get(id)?.length ?? 0;
    completeAfter.set(id, unknowns);
  }
  const views = new Map<number, Int32Array>();
  const of = (id: number): bigint[] => {
    const c = program.tensors[id].class;
    if (c.kind === 'view' || c.kind === 'digits') {
      const [{ shape }, viewed] = [program.tensors[id], program.tensors[c.of].shape];
      const made = (): Int32Array =>
        c.kind === 'view' ? viewMap(shape, viewed, c.at, c.guards) : digitMap(shape, viewed, c.axes);
      const map = views.get(id) ?? made();
      views.set(id, map);
      const source = of(c.of);
      return Array.from(map, (k) => (k < 0 ? 0n : source[k]));
    }
    const known = values.get(id);
    if (known) return known;
    const made = fixed(program, id, of);
    // The selector of an output is another with every value that is tried.
    if (c.kind !== 'selector' || !open.has(c.of)) values.set(id, made);
    return made;
  };
  const after = (id: number): number => {
    const c = program.tensors[id].class;
    return c.kind === 'view' || c.kind === 'digits' || c.kind === 'selector'
      ? after(c.of)
      : (completeAfter.get(id) ?? 0);
  };
  const checks: (() => boolean)[][] = Array.from({ length: unknowns + 1 }, () => []);
  for (const e of program.equations) {
    if (e.level === 0) continue;
    const when = Math.max(0, ...e.terms.flatMap((t) => t.factors.map((f) => after(f.tensor))));
    completeAfter.set(e.target, when);
    const t = program.tensors[e.target];
    const isZero = program.zeros.includes(e.target);
    checks[when].push(() => {
      const sums = sumExactly(program, t, e.terms, of);
      values.set(e.target, sums);
      return !isZero || sums.every((v) => v === 0n);
    });
  }
  for (const l of program.lookups) {
    const table = program.tables[l.table];
    const step = 2n ** BigInt(l.shift);
    const when = Math.max(after(l.tensor), l.value === undefined ? 0 : after(l.value));
    checks[when].push(() => {
      const beside = l.value === undefined ? undefined : of(l.value);
      return of(l.tensor).every((v, i) => {
        const k = (v + l.offset) / step;
        if (k * step !== v + l.offset || k < 0n || k >= entriesOf(table)) return false;
        return table.kind === 'range' || table.values[Number(k)] === beside?.[i];
      });
    });
  }
  return checks;
}

/** Constants, rows that public indices name, and selectors of public indices. */
function fixed(program: GadgetProgram, id: number, of: (id: number) => bigint[]): bigint[] {
  const { class: c, shape, name } = program.tensors[id];
  if (c.kind === 'constant') return c.values ? [...c.values] : Array.from(maskValues(shape, c.guards ?? []), BigInt);
  if (c.kind === 'gathered')
    return Array.from(gatherMap(program.tensors[c.of].shape, of(c.indices)), (k) => of(c.of)[k]);
  if (c.kind !== 'selector') throw new Error(`${name} has no value`);
  const index = of(c.of);
  const out: bigint[] = [];
  const length = shape[shape.length - 1];
  forEachIndex(shape, (at, k) => (out[k] = BigInt(at[at.length - 1]) === index[Math.floor(k / length)] ? 1n : 0n));
  return out;
}
