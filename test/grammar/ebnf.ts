/** Grammars as data: read from EBNF text or from a chevrotain parser, compared, and checked for LL(k) conflicts. */
import type { ISerializedGast } from 'chevrotain';
import { HEAD, NAME, NUMBER, STRING, VOCABULARY } from '../../grammar/parse/tokens.ts';

export type Expression =
  | { readonly kind: 'terminal' | 'rule'; readonly name: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression[] }
  | { readonly kind: 'option' | 'repetition'; readonly of: Expression };

export type Grammar = ReadonlyMap<string, Expression>;

/** A sequence of one is its part; nested sequences are one. */
const sequence = (parts: readonly Expression[]): Expression => {
  const flat = parts.flatMap((part) => (part.kind === 'sequence' ? part.parts : [part]));
  return flat.length === 1 ? flat[0] : { kind: 'sequence', parts: flat };
};
const choice = (parts: readonly Expression[]): Expression =>
  parts.length === 1 ? parts[0] : { kind: 'choice', parts };

/** Terminals are quoted or in capitals, `{}` repeats, `[]` is optional, `()` groups, `(* *)` comments. */
export function parseEbnf(text: string): Grammar {
  const words = [...text.replace(/\(\*[\s\S]*?\*\)/g, '').matchAll(/"[^"]*"|[A-Za-z]+|[=;|{}[\]()]/g)].map(
    ([word]) => word,
  );
  let at = 0;
  const expect = (word: string): void => {
    if (words[at++] !== word)
      throw new Error(`expected ${word} after ${words.slice(Math.max(0, at - 6), at - 1).join(' ')}`);
  };
  const alternatives = (): Expression => {
    const parts = [factors()];
    while (words[at] === '|') {
      at++;
      parts.push(factors());
    }
    return choice(parts);
  };
  const factors = (): Expression => {
    const parts: Expression[] = [];
    while (at < words.length && !['|', ';', '}', ']', ')'].includes(words[at])) parts.push(factor());
    return sequence(parts);
  };
  const enclosed = (close: string): Expression => {
    const inner = alternatives();
    expect(close);
    return inner;
  };
  const factor = (): Expression => {
    const word = words[at++];
    if (word === '(') return enclosed(')');
    if (word === '{') return { kind: 'repetition', of: enclosed('}') };
    if (word === '[') return { kind: 'option', of: enclosed(']') };
    if (word.startsWith('"')) return { kind: 'terminal', name: word.slice(1, -1) };
    return { kind: /^[A-Z]+$/.test(word) ? 'terminal' : 'rule', name: word };
  };
  const rules = new Map<string, Expression>();
  while (at < words.length) {
    const name = words[at++];
    expect('=');
    rules.set(name, alternatives());
    expect(';');
  }
  return rules;
}

const CLASSES = new Set([NAME, HEAD, NUMBER, STRING].map(({ name }) => name));
const terminal = (tokenName: string): Expression => {
  const type = VOCABULARY.find(({ name }) => name === tokenName);
  return { kind: 'terminal', name: CLASSES.has(tokenName) ? tokenName : (type?.PATTERN as string) };
};

/** What chevrotain serializes, with the fields that its type leaves out. */
interface Production extends ISerializedGast {
  readonly name?: string;
  readonly separator?: Production;
  readonly definition?: Production[];
}

/** The grammar that a parser really has. */
export function grammarOf(productions: readonly ISerializedGast[]): Grammar {
  return new Map((productions as readonly Production[]).map((rule) => [rule.name ?? '', convertAll(rule)]));
}

const convertAll = ({ definition = [] }: Production): Expression => sequence(definition.map(convert));

function convert(production: Production): Expression {
  if (production.type === 'Alternation') return choice((production.definition ?? []).map(convertAll));
  const inner = convertAll(production);
  const separated = (): Expression =>
    sequence([inner, { kind: 'repetition', of: sequence([terminal(production.separator?.name ?? ''), inner]) }]);
  switch (production.type) {
    case 'Terminal':
      return terminal(production.name ?? '');
    case 'NonTerminal':
      return { kind: 'rule', name: production.name ?? '' };
    case 'Option':
      return { kind: 'option', of: inner };
    case 'Repetition':
      return { kind: 'repetition', of: inner };
    case 'RepetitionMandatoryWithSeparator':
      return separated();
    case 'RepetitionWithSeparator':
      return { kind: 'option', of: separated() };
    default:
      throw new Error(`the EBNF has no counterpart of ${production.type}`);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// LL(k): sets of token strings of length at most k, each string joined by blanks

type Strings = ReadonlySet<string>;
const NOTHING: Strings = new Set(['']);
const union = (...sets: Strings[]): Strings => new Set(sets.flatMap((set) => [...set]));
const lengthOf = (text: string): number => (text === '' ? 0 : text.split(' ').length);

/** Every decision of the grammar that `k` tokens do not settle, what follows an option or a loop included. */
export function conflicts(grammar: Grammar, start: string, k: number): string[] {
  const concat = (left: Strings, right: Strings): Strings =>
    new Set(
      [...left].flatMap((a) =>
        lengthOf(a) >= k ? [a] : [...right].map((b) => `${a} ${b}`.trim().split(' ').slice(0, k).join(' ')),
      ),
    );
  const firsts = new Map<string, Strings>([...grammar.keys()].map((name) => [name, new Set()]));
  const follows = new Map<string, Strings>([...grammar.keys()].map((name) => [name, new Set()]));
  follows.set(start, new Set(['$']));

  const first = (expression: Expression): Strings => {
    switch (expression.kind) {
      case 'terminal':
        return new Set([expression.name]);
      case 'rule':
        return firsts.get(expression.name) ?? new Set();
      case 'sequence':
        return expression.parts.reduce((before, part) => concat(before, first(part)), NOTHING);
      case 'choice':
        return union(...expression.parts.map(first));
      case 'option':
        return union(NOTHING, first(expression.of));
      case 'repetition': {
        let strings = NOTHING;
        for (let i = 0; i < k; i++) strings = union(NOTHING, concat(first(expression.of), strings));
        return strings;
      }
    }
  };

  /** Grows `sets` by `step` until nothing changes. */
  const saturate = (sets: Map<string, Strings>, step: () => void): void => {
    const size = (): number => [...sets.values()].reduce((sum, set) => sum + set.size, 0);
    for (let before = -1; before !== size();) {
      before = size();
      step();
    }
  };
  saturate(firsts, () => {
    for (const [name, expression] of grammar) firsts.set(name, union(firsts.get(name) ?? NOTHING, first(expression)));
  });

  /** Walks `expression`, which `after` can follow; `decide` gets the two strings sets of each decision. */
  const walk = (
    expression: Expression,
    after: Strings,
    decide: (a: Strings, b: Strings, what: string) => void,
  ): void => {
    switch (expression.kind) {
      case 'terminal':
        return;
      case 'rule':
        follows.set(expression.name, union(follows.get(expression.name) ?? NOTHING, after));
        return;
      case 'sequence':
        expression.parts.forEach((part, i) => {
          const rest = expression.parts.slice(i + 1);
          walk(
            part,
            rest.reduceRight((strings, next) => concat(first(next), strings), after),
            decide,
          );
        });
        return;
      case 'choice':
        expression.parts.forEach((part, i) => {
          walk(part, after, decide);
          for (const other of expression.parts.slice(i + 1))
            decide(concat(first(part), after), concat(first(other), after), 'alternatives');
        });
        return;
      case 'option':
        walk(expression.of, after, decide);
        decide(concat(first(expression.of), after), after, 'option');
        return;
      case 'repetition': {
        const again = concat(first(expression), after);
        walk(expression.of, again, decide);
        decide(concat(first(expression.of), again), after, 'repetition');
      }
    }
  };
  saturate(follows, () => {
    for (const [name, expression] of grammar) walk(expression, follows.get(name) ?? NOTHING, () => undefined);
  });

  const found: string[] = [];
  for (const [name, expression] of grammar)
    walk(expression, follows.get(name) ?? NOTHING, (a, b, what) => {
      const both = [...a].filter((string) => b.has(string));
      if (both.length > 0) found.push(`${name}: ${what}: ${both.slice(0, 4).join(' | ')}`);
    });
  return found;
}
