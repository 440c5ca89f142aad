/** Typed access to chevrotain's concrete syntax tree, in which recovery may have left anything out. */
import type { CstElement, CstNode, IToken } from 'chevrotain';
import type { Name, StringLiteral } from '../ast.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { spanOf } from './lexer.ts';
import type { Span } from '../span.ts';

/** Thrown where the tree lacks a part, after the parser has reported it; caught around each item and statement. */
export class Incomplete extends Error {}

export interface Context {
  readonly source: string;
  /** The doc comment of what begins at an offset. */
  readonly docs: ReadonlyMap<number, string>;
  readonly diagnostics: Diagnostic[];
}

export class Cursor {
  readonly node: CstNode;
  readonly context: Context;

  constructor(node: CstNode, context: Context) {
    this.node = node;
    this.context = context;
  }

  /** From the first to the last token read for this node. */
  get span(): Span {
    const start = Math.max(0, this.node.location?.startOffset ?? 0);
    const end = Math.max(start, (this.node.location?.endOffset ?? 0) + 1);
    return { source: this.context.source, start: start || 0, end: end || 0 };
  }

  get doc(): string | undefined {
    return this.context.docs.get(this.span.start);
  }

  /** This node, if recovery skipped nothing in it. */
  get intact(): this {
    if (this.node.recoveredNode) throw new Incomplete();
    return this;
  }

  has(name: string): boolean {
    return this.#elements(name).length > 0;
  }

  nodes(name: string): Cursor[] {
    return this.#elements(name).map((element) => {
      if (!('children' in element)) throw new Incomplete();
      return new Cursor(element, this.context);
    });
  }

  child(name: string, i = 0): Cursor {
    const node = this.nodes(name).at(i);
    if (!node) throw new Incomplete();
    return node;
  }

  optional(name: string): Cursor | undefined {
    return this.nodes(name).at(0);
  }

  /** The one child of a rule that is a choice between rules. */
  only(): Cursor {
    const [name] = Object.keys(this.node.children);
    return this.child(name);
  }

  tokens(name: string): IToken[] {
    return this.#elements(name).map((element) => {
      if ('children' in element) throw new Incomplete();
      return element;
    });
  }

  token(name: string): IToken {
    const token = this.tokens(name).at(0);
    if (!token) throw new Incomplete();
    return token;
  }

  /** The text of the first token labelled `operator`. */
  operator<Text extends string>(): Text {
    return this.token('operator').image as Text;
  }

  name(label = 'NAME'): Name {
    return this.#toName(this.token(label));
  }

  optionalName(label = 'NAME'): Name | undefined {
    return this.has(label) ? this.name(label) : undefined;
  }

  names(label = 'NAME'): Name[] {
    const tokens = this.tokens(label);
    if (tokens.length === 0) throw new Incomplete();
    return tokens.map((token) => this.#toName(token));
  }

  string(): StringLiteral {
    const token = this.token('STRING');
    return { kind: 'string', text: token.image.replace(/^"|"$/g, ''), span: spanOf(token, this.context.source) };
  }

  optionalString(): StringLiteral | undefined {
    return this.has('STRING') ? this.string() : undefined;
  }

  #elements(name: string): CstElement[] {
    return Object.hasOwn(this.node.children, name) ? this.node.children[name] : [];
  }

  #toName(token: IToken): Name {
    return { text: token.image, span: spanOf(token, this.context.source) };
  }
}

/** The results of `build` over `nodes`, without those that are incomplete. */
export function complete<T>(nodes: readonly Cursor[], build: (node: Cursor) => T): T[] {
  return nodes.flatMap((node) => {
    try {
      return [build(node)];
    } catch (error) {
      if (error instanceof Incomplete) return [];
      throw error;
    }
  });
}
