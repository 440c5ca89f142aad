/** The names of a program: for each where it is defined, and every place that uses it. */
import type { Span } from '../../../grammar/span.ts';
import type { Binding } from './scope.ts';

/** One name. A block's text is read at every call; what it defines there is one name, however often it is read. */
export interface NameEntry {
  readonly name: string;
  /** What it stands for; where nothing has said so yet, `unread` or `poison`. */
  readonly kind: Binding['kind'];
  readonly definition: Span;
  /** In the order in which they were read, which need not be that of the text. */
  readonly uses: readonly Span[];
}

interface Recorded {
  readonly name: string;
  kind: Binding['kind'];
  readonly definition: Span;
  /** By identity, as most spans are those of the syntax tree. */
  readonly uses: Set<Span>;
}

export class NameTable {
  readonly #names = new Map<string, Recorded>();

  /** The entry of a name that is defined at `definition`; the same for the same place. */
  define(name: string, kind: Binding['kind'], definition: Span): { readonly uses: Set<Span> } {
    const key = keyOf(name, definition);
    const known = this.#names.get(key);
    if (known === undefined) {
      const made: Recorded = { name, kind, definition, uses: new Set() };
      this.#names.set(key, made);
      return made;
    }
    if (known.kind === 'unread' || known.kind === 'poison') known.kind = kind;
    return known;
  }

  /** The name that is defined at `definition`, if it is. */
  entry(name: string, definition: Span): NameEntry | undefined {
    const found = this.#names.get(keyOf(name, definition));
    return found && entryOf(found);
  }

  *entries(): IterableIterator<NameEntry> {
    for (const found of this.#names.values()) yield entryOf(found);
  }
}

/** Places inside strings have a span of their own each time they are read; a dimension is read where it is bound. */
function entryOf({ uses, ...found }: Recorded): NameEntry {
  const places = new Map([...uses].map((use) => [`${use.start} ${use.source}`, use]));
  places.delete(`${found.definition.start} ${found.definition.source}`);
  return { ...found, uses: [...places.values()] };
}

const keyOf = (name: string, { source, start }: Span): string => `${name} ${start} ${source}`;
