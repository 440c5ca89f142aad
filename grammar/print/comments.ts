/**
 * Where comments go when the formatter moves the code around them. Each is tied to something that a line break can
 * follow in the output (a statement, a list element, an operand), so that formatting twice changes nothing.
 */
import type { Node } from '../ast.ts';
import type { Comment } from '../parse/lexer.ts';

/** How a child is printed, which decides what a comment next to it can hold on to. */
type Layout =
  /** one below the other, between braces or in the file */
  | 'member'
  /** between brackets, one a line where they do not fit on one */
  | 'element'
  /** followed by a line break, unless it is the last, where the whole does not fit on a line */
  | 'operand'
  /** after `=`, on a line of its own where a comment precedes it */
  | 'assigned'
  /** on the line of what precedes and follows it */
  | 'inline';

type Fields = readonly (readonly [field: string, layout: Layout])[];

const axes = ['axes', 'element'] as const;
const params = ['params', 'element'] as const;
const results = ['results', 'inline'] as const;
const body = ['body', 'member'] as const;
const assigned = ['value', 'assigned'] as const;

/** The children of each kind of node, in the order of the text. */
const CHILDREN: { readonly [Kind in Node['kind']]: Fields } = {
  program: [
    ['imports', 'member'],
    ['items', 'member'],
  ],
  import: [['path', 'inline']],
  block: [params, results, body, ['derivative', 'member']],
  derivative: [params, results, body],
  optimizer: [params, ['states', 'member'], body],
  state: [['type', 'inline'], assigned],
  table: [['input', 'inline'], ['domain', 'inline'], ['output', 'inline'], assigned],
  domain: [
    ['lower', 'inline'],
    ['upper', 'inline'],
  ],
  model: [['at', 'inline'], body, ['train', 'member']],
  train: [body, ['minimize', 'member']],
  minimize: [
    ['over', 'inline'],
    ['arguments', 'element'],
  ],
  weights: [['pattern', 'inline']],
  'const-parameter': [],
  'source-parameter': [],
  tensor: [axes, ['type', 'inline']],
  type: [['arguments', 'element']],
  axis: [
    ['index', 'inline'],
    ['range', 'inline'],
  ],
  dims: [['dims', 'operand']],
  dim: [['value', 'inline']],
  sources: [],
  consts: [['definitions', 'operand']],
  repeat: [['count', 'inline'], ['at', 'inline'], body],
  input: [axes, ['type', 'inline'], ['file', 'inline']],
  file: [['name', 'inline']],
  output: [axes, assigned],
  define: [axes, assigned],
  conditional: [
    ['guard', 'inline'],
    ['then', 'inline'],
    ['else', 'inline'],
  ],
  binary: [
    ['left', 'operand'],
    ['right', 'inline'],
  ],
  negate: [['operand', 'inline']],
  reduce: [axes, ['guard', 'element'], ['body', 'inline']],
  power: [
    ['base', 'inline'],
    ['exponent', 'inline'],
  ],
  view: [
    ['operand', 'inline'],
    ['shape', 'element'],
  ],
  call: [
    ['dims', 'element'],
    ['arguments', 'element'],
    ['at', 'inline'],
  ],
  'dim-argument': [['value', 'inline']],
  argument: [['value', 'inline']],
  indicator: [['guard', 'element']],
  access: [axes],
  reference: [],
  number: [],
  string: [],
  guard: [['comparisons', 'operand']],
  comparison: [
    ['left', 'inline'],
    ['right', 'inline'],
  ],
  'index-binary': [
    ['left', 'inline'],
    ['right', 'inline'],
  ],
  'index-negate': [['operand', 'inline']],
};

/** As prettier keeps them on the nodes, and expects them back. */
export interface Placed extends Comment {
  leading: boolean;
  trailing: boolean;
  printed: boolean;
}
export type Commented = Node & { comments?: Placed[] };

interface Child {
  readonly node: Node;
  readonly field: string;
  readonly layout: Layout;
}

export const visitorKeys = (node: Node): string[] => CHILDREN[node.kind].map(([field]) => field);

const listed = new WeakMap<Node, readonly Child[]>();

/** In the order of the text. Kept, as a long body is asked for them once a comment. */
function childrenOf(node: Node): readonly Child[] {
  const before = listed.get(node);
  if (before) return before;
  const children = CHILDREN[node.kind].flatMap(([field, layout]) => {
    const value = (node as unknown as Record<string, Node | readonly Node[] | undefined>)[field] ?? [];
    return [value].flat().map((child) => ({ node: child, field, layout }));
  });
  listed.set(node, children);
  return children;
}

/** How many of the children, which are in the order of the text, end before an offset. */
function endedBy(children: readonly Child[], offset: number): number {
  let [low, high] = [0, children.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (children[middle].node.span.end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A node between braces. */
export const hasBody = ({ kind }: Node): boolean => CHILDREN[kind].some(([, layout]) => layout === 'member');

/** Ties `comment` to a node of `root`, where prettier then prints it. */
export function place(comment: Placed, text: string, root: Node): void {
  const path: (readonly [Node, Child | undefined, Child | undefined])[] = [];
  for (let node: Node | undefined = root; node;) {
    const children = childrenOf(node);
    const ended = endedBy(children, comment.span.start);
    const next = children.at(ended);
    const inside = next && contains(next.node, comment) ? next : undefined;
    const before = inside ?? (ended > 0 ? children[ended - 1] : undefined);
    const after = inside ? children.at(ended + 1) : next;
    path.unshift([node, before, after]);
    node = inside?.node;
  }
  const { start } = comment.span;
  const alone = text.slice(start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1, start).trim() === '';
  for (const [node, before, after] of path) {
    const bracketed = before?.layout === 'element' && start <= closingBracket(text, before.node, node);
    if (attach(comment, { alone, bracketed }, node, before, after)) return;
  }
}

const closings = new WeakMap<Node, number>();

/** Where the first `]` outside comments follows a list element, infinity if none does in the parent. Kept, as above. */
function closingBracket(text: string, element: Node, parent: Node): number {
  let found = closings.get(element);
  if (found === undefined) {
    const { end } = element.span;
    const rest = text.slice(end, parent.span.end).matchAll(/\/\/.*|\]/g);
    const bracket = rest.find(([match]) => match === ']');
    found = bracket ? end + bracket.index : Infinity;
    closings.set(element, found);
  }
  return found;
}

const contains = (node: Node, { span }: Comment): boolean => node.span.start <= span.start && span.end <= node.span.end;

interface Position {
  /** alone on its line */
  readonly alone: boolean;
  /** in the brackets of the list that `before` stands in */
  readonly bracketed: boolean;
}

/** Tries in `node`, for a comment in or after the child `before` and ahead of `after`. */
function attach(
  comment: Placed,
  { alone, bracketed }: Position,
  node: Node,
  before: Child | undefined,
  after: Child | undefined,
): boolean {
  if (after?.layout === 'assigned' && !bracketed) return add(after.node, comment, 'leading');
  const first = before === undefined || (alone && before.field === after?.field);
  if (after?.layout === 'element' && first) return add(after.node, comment, 'leading');
  if (hasBody(node)) {
    if (before?.layout === 'element' && (after?.layout === 'element' || after?.layout === 'inline'))
      return add(before.node, comment, 'trailing');
    if (before?.layout === 'member' && !(alone && after)) return add(before.node, comment, 'trailing');
    const member = after?.layout === 'member' ? after : childrenOf(node).find(({ layout }) => layout === 'member');
    return member ? add(member.node, comment, 'leading') : add(node, comment, 'dangling');
  }
  if (node.kind === 'conditional' && before?.field !== 'else') return add(node.then, comment, 'trailing');
  const breaks = before?.layout === 'operand' && before.node !== childrenOf(node).at(-1)?.node;
  if (breaks || before?.layout === 'element') return add(before.node, comment, 'trailing');
  return false;
}

function add(node: Commented, comment: Placed, side: 'leading' | 'trailing' | 'dangling'): true {
  Object.assign(comment, { leading: side === 'leading', trailing: side === 'trailing', printed: false });
  (node.comments ??= []).push(comment);
  return true;
}
