/** The expressions that kernels are generated from, WASM and WGSL alike. */
import type { GadgetProgram } from './program.ts';
import { printAccess, printBindings, printSummand, quoted } from './terms.ts';

/**
 * The summands of all levels, by the expression of their kernel: equal ones are one kernel. `t0`, `t1`, ... are the
 * tables that it reads, with `o0`, ... bound at the claim's point and `v0`, ... left to sum over; eq and coefficients
 * are multiplied on outside of it.
 */
export function printKernels(p: GadgetProgram): string {
  const kernels = new Map<string, string[]>();
  const add = (tables: readonly string[], line: (factors: readonly string[]) => string): void => {
    const factors = tables.map((_, k) => `t${k}`);
    const head = tables.length === 0 ? 'no kernel:' : `kernel ${factors.join(' * ')}:`;
    const where = tables.length === 0 ? '' : ` where ${tables.map((t, k) => `t${k} = ${t}`).join(', ')}`;
    const lines = kernels.get(head) ?? [];
    lines.push(`  ${line(factors)}${where}`);
    kernels.set(head, lines);
  };
  const name = (id: number): string => quoted(p.tensors[id].name);
  for (const e of p.equations)
    for (const t of e.terms) {
      const tables = t.factors.map((f) => `${name(f.tensor)}${printBindings(f)}`);
      add(tables, (factors) => `level ${e.level} ${name(e.target)}: ${printSummand(p, e.target, t, factors)}`);
    }
  for (const [id, t] of p.tensors.entries()) {
    const c = t.class;
    if (c.kind !== 'view' || c.level === 0) continue;
    // Summed over the positions of what is viewed, so that each is read once however often the view has it.
    const { shape } = p.tensors[c.of];
    const axes = shape.map((_, variable) => ({ kind: 'summed', variable }) as const);
    const all = { coefficient: 1n, variables: shape, shared: [], free: [], factors: [] };
    const tables = [`reads of ${printAccess(c, name)}`, `${name(c.of)}${printBindings({ tensor: c.of, axes })}`];
    add(tables, (factors) => `level ${c.level} ${name(id)}: ${printSummand(p, id, all, factors)}`);
  }
  const lookups =
    p.lookups.length === 0 ? [] : ['lookups: the kernels of the fraction tree, the same in every program'];
  return [
    `kernels of ${quoted(p.name)}`,
    ...[...kernels].flatMap(([head, lines]) => [head, ...lines]),
    ...lookups,
    '',
  ].join('\n');
}
