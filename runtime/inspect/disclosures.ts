/**
 * What a program's public outputs give away of its secrets, whatever the proof system: said by `zkl inspect`, and again by
 * `zkl prove`. Numbers are bounds by counting equations and unknowns: about so many, and fewer may do.
 */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { count, plural } from '../../compiler/ir/words.ts';
import { size, type Dependence } from './dependence.ts';
import { outputDependences } from './outputs.ts';

/**
 * published  a secret, or known sums and products of secrets, with every proof;
 * solvable   what is linear (or quadratic) in public tensors that come with it: it can be solved for;
 * rounded    one of these, up to a rounding;
 * selected   which entries of known tensors a secret index picks;
 * function   a function of the secrets that cannot be solved for like that: tables, quotients, roots, maxima;
 * choice     which of several entries is the largest, and nothing else.
 */
export type DisclosureKind = 'published' | 'solvable' | 'rounded' | 'selected' | 'function' | 'choice';

export interface Disclosure {
  readonly kind: DisclosureKind;
  /** A note is what every useful answer gives away. */
  readonly level: 'warning' | 'note';
  readonly output: string;
  readonly secrets: readonly string[];
  /** Public inputs, and other public outputs, that the output is computed from. */
  readonly inputs: readonly string[];
  /** Rows of the inputs after which the secrets' effect is known, and proofs with that many; about. */
  readonly rows?: number;
  readonly proofs?: number;
  /** Of a choice: with every proof, at most. */
  readonly bits?: number;
  /** All of it as a sentence or two. */
  readonly text: string;
}

/** In the order of the public tensors. An output that depends on secrets through other outputs alone has none. */
export function disclosures(program: GadgetProgram): Disclosure[] {
  const dependences = outputDependences(program);
  return program.publics.flatMap((id) => {
    const d = dependences.get(id);
    return d === undefined || d.form === 'none' ? [] : [disclosure(program, id, d)];
  });
}

/** For a prover, who sees them once: warnings only, and not dozens for an adapter of as many modules. */
export function disclosureWarnings(program: GadgetProgram): string[] {
  const warnings = disclosures(program).filter((d) => d.level === 'warning');
  const rest = warnings.length - MAX_WARNINGS;
  return [
    ...warnings.slice(0, MAX_WARNINGS).map((d) => `warning: ${d.text}`),
    ...(rest > 0
      ? [`warning: ${plural(rest, 'output gives', 'outputs give')} secrets away likewise: zkl inspect`]
      : []),
  ];
}

const MAX_WARNINGS = 3;

/** What the sentences are made of. */
interface Facts {
  readonly output: string;
  readonly values: number;
  readonly secrets: string;
  /** Entries of all secrets that are read. */
  readonly unknown: number;
  readonly inputs: string;
  readonly rounded: string;
  /** A condition on what is said, where secrets are new with every proof. */
  readonly provided: string;
}

function disclosure(program: GadgetProgram, id: number, d: Dependence): Disclosure {
  const { tensors } = program;
  const names = (ids: Iterable<number>): string[] => [...ids].sort((a, b) => a - b).map((t) => tensors[t].name);
  const { name, shape, range } = tensors[id];
  const lasting = [...d.secrets].filter((s) => !program.secrets.includes(s));
  const fresh = [...d.secrets].filter((s) => program.secrets.includes(s));
  const entriesOf = (ids: Iterable<number>): number => [...ids].reduce((n, s) => n + size(tensors[s].shape), 0);
  const facts: Facts = {
    output: name,
    values: size(shape),
    secrets: listed('the secret', 'the secrets', names(d.secrets)),
    unknown: entriesOf(d.secrets),
    inputs: listed('', '', names(d.publics)).trim(),
    rounded: d.rounded ? ', up to rounding' : '',
    provided:
      lasting.length > 0 && fresh.length > 0
        ? ` That holds once ${listed('', '', names(fresh)).trim()}, new with every proof, is known or guessed.`
        : '',
  };
  const common = { output: name, secrets: names(d.secrets), inputs: names(d.publics) };
  switch (d.form) {
    case 'choice': {
      const most = size(shape) * (range.hi - range.lo).toString(2).length;
      const bits = Math.ceil(
        Math.min(
          most,
          [...d.bits.values()].reduce((n, b) => n + b, 0),
        ) - 1e-9,
      );
      return { kind: 'choice', level: 'note', ...common, bits, text: ofChoice(facts, bits) };
    }
    case 'selected':
      return { kind: 'selected', level: 'warning', ...common, text: ofSelected(facts) };
    case 'linear':
    case 'product': {
      const kind = d.rounded ? 'rounded' : undefined;
      const multiplied = [...d.unknowns.keys()].some((k) => k !== '');
      if (!multiplied || lasting.length === 0)
        return {
          kind: kind ?? 'published',
          level: 'warning',
          ...common,
          text: ofPublished(facts, d, lasting.length > 0),
        };
      const rows = [...d.unknowns.values()].reduce((n, m) => n + m, 0);
      const proofs = Math.ceil(rows / size([...d.rows].map((axis) => shape[axis])));
      const text = ofSolvable(facts, d, rows, proofs);
      return { kind: kind ?? 'solvable', level: 'warning', ...common, rows, proofs, text };
    }
    default: {
      const proofs = Math.ceil(entriesOf(lasting) / size(shape));
      const text = ofFunction(facts, lasting.length > 0 ? proofs : undefined);
      return { kind: 'function', level: 'warning', ...common, ...(lasting.length > 0 ? { proofs } : {}), text };
    }
  }
}

const ofChoice = (f: Facts, bits: number): string =>
  `${f.output} tells which entries are the largest, hence at most ${plural(bits, 'bit')} about ${f.secrets} with every proof. ` +
  'From very many answers a model like it can be learnt all the same.';

const ofSelected = (f: Facts): string =>
  `${f.output} publishes entries of known tensors that ${f.secrets} picks${f.rounded}. Wherever they differ from the others, they tell which.`;

/** With known coefficients, public tensors among them where the secrets are new with every proof. */
function ofPublished(f: Facts, d: Dependence, lasting: boolean): string {
  const fixed = [...d.unknowns.keys()].every((k) => k === '');
  const known = fixed ? 'known coefficients' : `coefficients from ${f.inputs}`;
  if (d.form === 'linear' && d.alone)
    return `${f.output} publishes ${f.secrets}, times ${known}${f.rounded}: up to ${count(d.entries)} of its ${plural(f.unknown, 'entry', 'entries')} with every proof.`;
  const values = Math.min(f.values, f.unknown);
  const again = lasting && fixed && d.form === 'linear' && d.secrets.size === 1 ? ', the same each time' : '';
  if (d.form === 'linear') {
    const solved =
      f.values >= f.unknown ? ' As many as there are entries determine them, where they are independent.' : '';
    return `${f.output} publishes up to ${plural(values, 'sum')} with ${known} of the ${plural(f.unknown, 'entry', 'entries')} of ${f.secrets} with every proof${again}${f.rounded}.${solved}`;
  }
  return (
    `${f.output} publishes ${plural(f.values, 'sum')} of products of ${f.secrets} with every proof${f.rounded}. ` +
    `Whoever knows or guesses some of them can solve for the others.`
  );
}

function ofSolvable(f: Facts, d: Dependence, rows: number, proofs: number): string {
  const what =
    d.form === 'linear'
      ? d.secrets.size === 1
        ? f.secrets
        : `what ${f.secrets} add up to`
      : 'what the secrets do together (for LoRA: the product B A)';
  const after = `After about ${plural(rows, 'row')} (${plural(proofs, 'proof')}), or fewer, the public tensors tell ${what}`;
  const more = d.rounded ? ', up to rounding, and with more rows ever more exactly' : '';
  return `${f.output} is published with ${f.inputs}, and depends on ${f.secrets}. ${after}${more}.${f.provided}`;
}

const ofFunction = (f: Facts, proofs: number | undefined): string =>
  `${f.output} publishes ${plural(f.values, 'number')} with every proof that depend on ${f.secrets} through tables, quotients or maxima. ` +
  'What known weights alone turn into it follows from it. ' +
  (proofs === undefined
    ? 'Whoever guesses the secrets sees whether the guess is right.'
    : `The rest can be fitted: after about ${plural(proofs, 'proof')} there are as many numbers as the secrets have entries.`);

/** At most three names, so that a model of hundreds of tensors is a sentence still. */
function listed(one: string, many: string, names: readonly string[]): string {
  const rest = names.length - 3;
  const shown = rest > 1 ? `${names.slice(0, 3).join(', ')} and ${count(rest)} more` : names.join(', ');
  return `${names.length === 1 ? one : many} ${shown}`;
}
