/** Names and what they stand for. Scopes nest; a file's scope is the parent of all its blocks and models. */
import type * as ast from '../../../grammar/ast.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Rational, TensorId } from '../../ir/tensor/program.ts';

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
  /** Its definition has been reported as wrong; uses stay silent. */
  | { readonly kind: 'poison'; readonly span: Span };

export type BlockBinding = Binding & { readonly kind: 'block' };

/** Sources of weights have names of their own: `base` may be a source and a constant at once. */
export const sourceKey = (name: string): string => `source ${name}`;

/** The names of the sources visible from a scope. */
export const sourceNames = (scope: Scope): string[] =>
  scope.names((b) => b.kind === 'source').map((key) => key.slice(sourceKey('').length));

/** The outermost scope: the sources every program has. */
export function rootScope(span: Span): Scope {
  const scope = new Scope();
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
  poison: 'not defined',
};

export const describe = (binding: Binding): string => KINDS[binding.kind];

export class Scope {
  readonly parent: Scope | undefined;
  private readonly bindings = new Map<string, Binding>();
  /** Names that were looked up and found here. */
  readonly used = new Set<string>();

  constructor(parent?: Scope) {
    this.parent = parent;
  }

  find(name: string): Binding | undefined {
    const here = this.bindings.get(name);
    if (here !== undefined) {
      this.used.add(name);
      return here;
    }
    return this.parent?.find(name);
  }

  own(name: string): Binding | undefined {
    return this.bindings.get(name);
  }

  /** Binds a name here, over whatever it stood for. */
  set(name: string, binding: Binding): void {
    this.bindings.set(name, binding);
  }

  *entries(): IterableIterator<readonly [string, Binding]> {
    yield* this.bindings;
  }

  /** All names visible from here. */
  names(keep: (binding: Binding) => boolean = () => true): string[] {
    const found = [...this.bindings].filter(([, b]) => keep(b)).map(([name]) => name);
    return this.parent === undefined ? found : [...found, ...this.parent.names(keep)];
  }
}
