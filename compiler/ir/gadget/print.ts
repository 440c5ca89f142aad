/** The gadget program as text: stable, the golden form of the stage; `zkl inspect` shows its terms. */
import type { AxisBinding, GadgetLookup, GadgetProgram, GadgetTensor, GadgetTerm } from './program.ts';

export function printGadgetProgram(p: GadgetProgram): string {
  return [
    `program ${p.name}: ${p.levels} levels, ${p.columns} columns, ${p.folds} folds`,
    ...(p.witnessRows > 0 ? [`the proof: ${p.witnessRows} rows x ${p.columns} columns`] : []),
    ...p.sources.flatMap((s) => [
      `${s.open ? 'open ' : ''}source ${s.name}: ${s.rows} rows x ${s.columns} columns`,
      ...s.tensors.map((t) => {
        const axes = t.axes
          .map((a) => `${a.length}${a.columnBits > 0 ? ` (${a.columnBits} bits in columns)` : ''}`)
          .join(' x ');
        return `  rows ${t.firstRow}..${t.firstRow + t.rows - 1}: ${t.name} fixed<${t.bits}, ${t.frac}> ${axes}`;
      }),
    ]),
    ...p.tensors.map(
      (t, id) =>
        `t${id} ${t.name}[${t.shape.join(', ')}] ${describeClass(t)} in [${t.range.lo}, ${t.range.hi}] x ${t.scale.num}/${t.scale.den}`,
    ),
    ...p.tables.map(
      (t, i) => `table ${i}: ${t.kind === 'range' ? `0 .. 2^${t.bits} - 1` : `${t.name}, ${t.values.length} values`}`,
    ),
    ...p.lookups.map((l) => `lookup ${describeLookup(p, l)}`),
    ...p.zeros.map((id) => `zero: ${p.tensors[id].name}`),
    ...p.equations.flatMap((e) => [
      `level ${e.level}: ${p.tensors[e.target].name} =`,
      ...e.terms.map((t) => `  ${describeTerm(p, e.target, t)}`),
    ]),
    '',
  ].join('\n');
}

function describeLookup(p: GadgetProgram, l: GadgetLookup): string {
  const offset = l.offset === 0n ? '' : ` ${l.offset < 0n ? '-' : '+'} ${l.offset < 0n ? -l.offset : l.offset}`;
  const moved = `${p.tensors[l.tensor].name}${offset}`;
  const argument = l.shift === 0 ? moved : `(${moved}) / 2^${l.shift}`;
  return `${argument}${l.value === undefined ? '' : ` -> ${p.tensors[l.value].name}`} in table ${l.table}`;
}

function describeClass(t: GadgetTensor): string {
  const c = t.class;
  switch (c.kind) {
    case 'committed':
      return `committed (source ${c.source}, files ${c.files.join(' ')})`;
    case 'digits':
      return `digits of t${c.of} [${c.axes.map((axis) => axis.map((d) => (typeof d === 'number' ? d : `i${d.variable}.${d.bit}`)).join(' ')).join(', ')}]`;
    case 'view':
      return `view of t${c.of}${c.level > 0 ? `, level ${c.level}` : ''}`;
    case 'witness': {
      const columns = c.axes.reduce((n, a) => n * 2 ** a.columnBits, 1);
      return `row${c.rows > 1 ? `s ${c.firstRow}..${c.firstRow + c.rows - 1}` : ` ${c.firstRow}`}, ${columns} columns from ${c.firstColumn}`;
    }
    case 'selector':
      return `selector of t${c.of}`;
    case 'defined':
      return `defined, level ${c.level}`;
    case 'constant':
      return c.values ? `constant` : `indicator of ${c.guards?.length ?? 0} guards`;
    default:
      return `public ${c.kind}`;
  }
}

/** e.g. `+ 2 * sum(v0: 8, eq o0) t3[o1, v0] * t2[v0]` */
export function describeTerm(p: GadgetProgram, target: number, term: GadgetTerm): string {
  const binding = (a: AxisBinding): string =>
    a.kind === 'output' ? `o${a.output}` : a.kind === 'summed' ? `v${a.variable}` : '1/2';
  const variables = term.variables.map(
    (n, v) => `v${v}: ${n}${v < term.shared.length ? ` eq o${term.shared[v]}` : ''}`,
  );
  const free = term.free.map((o) => `ones o${o}: ${p.tensors[target].shape[o]}`);
  const sum = variables.length > 0 ? `sum(${variables.join(', ')}) ` : '';
  const factors = term.factors.map((f) => `t${f.tensor}[${f.axes.map(binding).join(', ')}]`);
  return `${term.coefficient < 0n ? '-' : '+'} ${[`${term.coefficient < 0n ? -term.coefficient : term.coefficient}`, ...free].join(' * ')} * ${sum}${factors.join(' * ') || '1'}`;
}

/** The summand of every sumcheck, as the expression its kernels are generated from. */
export function printKernels(p: GadgetProgram): string {
  const lines = p.equations.flatMap((e) =>
    e.terms.map((t) => {
      const tables = t.factors.map((f, k) => `t${k} = ${p.tensors[f.tensor].name}`).join(', ');
      return `level ${e.level} ${p.tensors[e.target].name}: ${t.factors.map((_, k) => `t${k}`).join(' * ') || '1'} where ${tables || 'nothing'}`;
    }),
  );
  return [...lines, ''].join('\n');
}
