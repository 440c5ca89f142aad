import { readBundle, type BundleFile } from '../steps/bundle.ts';
import type { Json, Run } from '../parse/command.ts';
import {
  inspectBundle,
  type Inspected,
  type Plan,
  type PlannedLevel,
  type PlannedLookups,
} from '../../../runtime/inspect/index.ts';
import { measuredFrom } from '../../../models/calibrate/file.ts';
import { fidelityWords } from '../show/measured.ts';
import { availableMemory } from '../../host/limits.ts';
import { proofMemory, type ProofMemory } from '../../../runtime/inspect/memory.ts';
import { statementText } from '../show/statement.ts';
import { bytes, columns, count, duration, hex, plural } from '../show/text.ts';

export const run: Run = async (args) => {
  const file = await readBundle(args.positionals[0]);
  const { bundle } = file;
  const inspected = await inspectBundle(bundle);
  const { program, digest, statement, disclosures, sources, plan, kernels } = inspected;
  const json = {
    program,
    digest: hex(digest),
    bundleBytes: file.bytes.length,
    statement: statement as unknown as Json,
    disclosures: disclosures as unknown as Json,
    sources: sources as unknown as Json,
    plan: plan as unknown as Json,
    memory: { ...proofMemory(bundle.gadgets, file.bytes.length) },
    kernels,
    measured: (measuredFrom(bundle.sources) ?? null) as Json,
  };
  return { exit: 0, text: textOf(file, inspected, args.flag('kernels')), json };
};

function textOf(
  { path, bytes: data, bundle }: BundleFile,
  { plan, disclosures, kernels }: Inspected,
  withKernels: boolean,
): string {
  const section = (title: string, body: string): string[] => (body === '' ? [] : ['', title, body]);
  return [
    `${path}: ${bundle.gadgets.name}, ${bytes(data.length)}`,
    `program digest ${hex(bundle.digest)}`,
    ...section('Statement', statementText(bundle)),
    ...section(
      'Published',
      [
        `  ${bytes(plan.publicBytes)} of public tensors with every proof`,
        ...disclosures.map((d) => `  ${d.level}: ${d.text}`),
      ].join('\n'),
    ),
    ...section('Fidelity', indented(fidelityWords(bundle))),
    ...section('Committed', committed(bundle.gadgets.sources)),
    ...section('Put out, in rows of the proof', committed(bundle.gadgets.outputs ?? [])),
    ...section('Lookups, in one argument', plan.lookups ? lookupsText(plan.lookups) : ''),
    ...section('Proof, by level', plan.levels.map(levelText).join('\n')),
    ...section('Size and cost', costs(plan, proofMemory(bundle.gadgets, data.length))),
    ...(withKernels ? section('Kernels', kernels.map((line) => `  ${line}`).join('\n')) : []),
  ].join('\n');
}

const indented = (text: string | undefined): string => (text === undefined ? '' : `  ${text}`);

/** So that an adapter of hundreds of modules stays on the screen. */
const MAX_TENSORS = 12;

type Sources = BundleFile['bundle']['gadgets']['sources'];

const committed = (sources: Sources): string =>
  sources
    .map((s) => {
      const tensors = s.tensors.map((t) => [
        (t.rows === 1 ? `    row ${t.firstRow}` : `    rows ${t.firstRow} to ${t.firstRow + t.rows - 1}`) +
          (t.firstColumn === undefined ? '' : ` from column ${t.firstColumn}`),
        t.name,
        t.axes.map((a) => `${a.length}${a.columnBits > 0 ? ` (2^${a.columnBits} in columns)` : ''}`).join(' x '),
        `fixed<${t.bits}, ${t.frac}>`,
      ]);
      const rest = tensors.length - MAX_TENSORS;
      const more = rest > 0 ? `\n    and ${plural(rest, 'tensor')} more; --json has them all` : '';
      return `  ${s.name}: ${plural(s.rows, 'row')} of ${s.columns} columns, one point each${s.open ? ', without blinding' : ''}\n${columns(tensors.slice(0, MAX_TENSORS))}${more}`;
    })
    .join('\n');

const lookupsText = (l: PlannedLookups): string =>
  [
    `  ${plural(l.lookups, 'tensor')} looked up, ${count(l.leaves)} leaves in a tree of depth ${l.depth}, ${plural(l.messages, 'message')}`,
    columns(
      l.tables.map((t) => [
        `    ${t.name}`,
        plural(t.entries, 'entry', 'entries'),
        `for ${plural(t.lookups, 'tensor')}`,
      ]),
    ),
  ].join('\n');

function levelText(l: PlannedLevel): string {
  const head = `  level ${l.level}: one sumcheck of ${plural(l.rounds, 'round')}, ${plural(l.messages, 'message')}`;
  const equations = l.equations.flatMap((e) => [
    `    ${e.target}  ${[e.at, e.line].filter((x) => x !== undefined).join('  ')}`,
    ...e.terms.map((t) => `      ${t}`),
    `      ${count(e.products)} integer products, ${plural(e.rounds, 'round')}, ${count(e.tableEntries)} table entries`,
  ]);
  return [head, ...equations].join('\n');
}

const costs = (p: Plan, memory: ProofMemory): string =>
  columns([
    ['  messages', `${count(p.messages)} masked scalars, ${count(p.products)} products of hidden values`],
    [
      '  pads',
      `${count(p.pads)} in ${plural(p.rows, 'row')} of ${p.columns} columns; response of ${count(p.response)} scalars`,
    ],
    ['  proof', `${bytes(p.proofBytes)} (${count(p.proofBytes)} bytes) besides the public tensors`],
    ['  soundness', `error below 2^-${Math.floor(p.soundnessBits)}, besides breaking the commitments`],
    ['  committed', `${count(p.committedValues)} values beforehand`],
    ...(p.witness.rows > 0
      ? [
          [
            '',
            `${count(p.witness.values)} with every proof, in ${plural(p.witness.rows, 'row')} of ${p.columns} columns`,
          ],
        ]
      : []),
    [
      '  verifier',
      `may spend ${duration(p.verifierNeeds.milliseconds)} and ${bytes(p.verifierNeeds.bytes)}, first validations included: \`verify --limit\``,
    ],
    [
      '  estimate',
      `prove ${duration(p.model.prove)}, verify ${duration(p.model.verify)}: one thread, by unit costs; npm run bench measures`,
    ],
    [
      '',
      `${bytes(memory.total)} of memory to prove on the device wasm, ${bytes(memory.device)} of it the device's for ${memory.phase}; ${bytes(availableMemory())} are available here`,
    ],
  ]);
