/** Names and what they stand for. Scopes nest; a file's scope is the parent of all its blocks and models. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Rational, TensorId } from '../../ir/tensor/program.ts';
import { NameTable } from './table.ts';

export type Binding =
  /** A dimension, or the counter of a `repeat`: an integer known at compile time. */
  | { readonly kind: 'dim' | 'counter'; readonly value: number; readonly span: Span }
  | { readonly kind: 'const'; readonly value: Rational; readonly span: Span }
  | { readonly kind: 'tensor'; readonly tensor: TensorId; readonly span: Span }
  | { readonly kind: 'source'; readonly source: string; readonly span: Span }
  /** An index of an equation or reduction, by the id of its variable. */
  | { readonly kind: 'index'; readonly variable: number; readonly span: Span }
  | { readonly kind: 'block'; readonly node: ast.Block; readonly scope: Scope; readonly span: Span }
  | { readonly kind: 'table'; readonly node: ast.Table; readonly scope: Scope; readonly span: Span }
  | { readonly kind: 'optimizer'; readonly node: ast.Optimizer; readonly scope: Scope; readonly span: Span }
  | { readonly kind: 'model'; readonly span: Span }
  /** A name in what no call has read: that there is one, and not what it stands for. */
  | { readonly kind: 'unread'; readonly span: Span }
  /** Its definition has been reported as wrong; uses stay silent. */
  | { readonly kind: 'poison'; readonly span: Span };

export type BlockBinding = Binding & { readonly kind: 'block' };
export type OptimizerBinding = Binding & { readonly kind: 'optimizer' };

/** Sources of weights have names of their own: `base` may be a source and a constant at once. */
export const sourceKey = (name: string): string => `source ${name}`;

/** The names of the sources visible from a scope. */
export const sourceNames = (scope: Scope): string[] =>
  scope.names((b) => b.kind === 'source').map((key) => key.slice(sourceKey('').length));

/** The outermost scope of a file: the sources every program has. Files of one program share `table`. */
export function rootScope(span: Span, table: NameTable): Scope {
  const scope = new Scope(undefined, table);
  for (const source of ['base', 'adapter']) scope.set(sourceKey(source), { kind: 'source', source, span });
  return scope;
}

const KINDS: Record<Binding['kind'], string> = {
  dim: 'a dimension',
  counter: 'the index of a repeat',
  const: 'a constant',
  tensor: 'a tensor',
  source: 'a source of weights',
  index: 'an index',
  block: 'a block',
  table: 'a table',
  optimizer: 'an optimizer',
  model: 'a model',
  unread: 'not read',
  poison: 'not defined',
};

export const describe = (binding: Binding): string => KINDS[binding.kind];

interface Bound {
  readonly binding: Binding;
  /** Where its uses are recorded. */
  readonly uses: Set<Span>;
}

export class Scope {
  readonly parent: Scope | undefined;
  /** Definitions and uses of every name, of this scope and all around and inside it. */
  readonly table: NameTable;
  readonly #bindings = new Map<string, Bound>();

  constructor(parent?: Scope, table: NameTable = parent?.table ?? new NameTable()) {
    this.parent = parent;
    this.table = table;
  }

  /** What a name stands for; `use` is where the text mentions it, if it does, and is recorded. */
  find(name: string, use?: Span): Binding | undefined {
    const here = this.#bindings.get(name);
    if (here === undefined) return this.parent?.find(name, use);
    if (use !== undefined) here.uses.add(use);
    return here.binding;
  }

  own(name: string): Binding | undefined {
    return this.#bindings.get(name)?.binding;
  }

  /**
   * Binds a name here, over whatever it stood for.
   *
   * @param definition where the text defines it: not `binding.span` for a parameter, which messages show at the call
   */
  set(name: string, binding: Binding, definition: Span = binding.span): void {
    this.#bindings.set(name, { binding, uses: this.table.define(name, binding.kind, definition).uses });
  }

  *entries(): IterableIterator<readonly [string, Binding]> {
    for (const [name, { binding }] of this.#bindings) yield [name, binding];
  }

  /** All names visible from here. */
  names(keep: (binding: Binding) => boolean = () => true): string[] {
    const found = [...this.#bindings].filter(([, { binding }]) => keep(binding)).map(([name]) => name);
    return this.parent === undefined ? found : [...found, ...this.parent.names(keep)];
  }
}
