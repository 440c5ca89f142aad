/** Public tensors that hold tokens, as text: what was asked, and what the model says next. */
import type { GadgetProgram, GadgetTensor } from '../../compiler/ir/gadget/program.ts';
import type { IntegerArray } from '../../runtime/integers/arrays.ts';
import { tokenInput } from './texts.ts';
import type { TextTokenizer } from './tokenizer.ts';

export interface TokenText {
  readonly name: string;
  readonly kind: 'input' | 'output';
  /** Of the input: the text, without what fills it up. Of an output: what it says after the text. */
  readonly text: string;
  /** By position, as many as the text has; a token of several that make up one character holds U+FFFD. */
  readonly pieces: readonly string[];
  /** Special tokens, all the same, that follow the text of the input. */
  readonly padding?: { readonly count: number; readonly text: string };
}

/**
 * The public tensors of token ids: the program's input of tokens, and outputs of as many values. Where its last tokens are one special token, repeated
 * or not, they are taken as filling, and outputs are cut with it: each of them depends on no token after it.
 *
 * @param length of the text, where it is known: of a proof of one's own
 */
export function textOfPublics(
  { tensors, publics, secrets }: Pick<GadgetProgram, 'tensors' | 'publics' | 'secrets'>,
  values: ReadonlyMap<string, IntegerArray>,
  tokenizer: TextTokenizer,
  length?: number,
): TokenText[] {
  const inputs = [...publics, ...secrets].flatMap((id) => {
    const { name, shape, type, class: c } = tensors[id];
    return type !== undefined && (c.kind === 'input' || secrets.includes(id)) ? [{ name, shape, type }] : [];
  });
  const input = tokenInput(inputs);
  if (input?.type.kind !== 'index') return [];
  const { name, type, shape } = input;
  const given = values.get(name);
  const tokens = given === undefined ? undefined : Array.from(given, Number);
  const known = (ids: readonly number[]): boolean => ids.every((id) => tokenizer.piece(id) !== undefined);
  if (tokens !== undefined && !known(tokens)) return [];
  const count = length ?? (tokens === undefined ? shape[0] : textLength(tokens, tokenizer));
  const own = tokens?.slice(0, count) ?? [];
  const out: TokenText[] = [];
  if (tokens !== undefined) {
    const rest = tokens.slice(count);
    const padding =
      rest.length === 0 ? {} : { padding: { count: rest.length, text: tokenizer.decode(rest.slice(0, 1)) } };
    out.push({ name, kind: 'input', text: tokenizer.decode(own), pieces: piecesOf(own, tokenizer), ...padding });
  }
  for (const tensor of publics.map((id) => tensors[id])) {
    const ids = Array.from(values.get(tensor.name) ?? [], Number);
    if (tensor.name === name || ids.length === 0 || !isTokens(tensor, type.size) || !known(ids)) continue;
    if (tensor.shape.length === 0) out.push(said(tensor.name, ids, shape[0] === count ? own : [], tokenizer));
    else if (tensor.shape.join() === shape.join()) {
      const next = ids.slice(0, count);
      const { text } = said(tensor.name, next.slice(-1), own, tokenizer);
      out.push({ name: tensor.name, kind: 'output', text, pieces: piecesOf(next, tokenizer) });
    }
  }
  return out;
}

/** Without the special token at the end, as often as it stands there. */
function textLength(tokens: readonly number[], tokenizer: TextTokenizer): number {
  const last = tokens[tokens.length - 1];
  if (!tokenizer.isSpecial(last) && last !== tokenizer.padding) return tokens.length;
  const end = tokens.findLastIndex((id) => id !== last) + 1;
  return end === 0 ? tokens.length : end;
}

/** Integers in the range of the vocabulary that stand for themselves. */
const isTokens = ({ class: c, range, scale }: GadgetTensor, size: number): boolean =>
  c.kind !== 'input' && range.lo === 0n && range.hi === BigInt(size - 1) && scale.num === 1n && scale.den === 1n;

const piecesOf = (ids: readonly number[], tokenizer: TextTokenizer): string[] =>
  ids.map((id) => tokenizer.decode([id]));

/** What one more token adds to a text: alone it may lose its space. */
function said(name: string, next: readonly number[], before: readonly number[], tokenizer: TextTokenizer): TokenText {
  const alone = tokenizer.decode(next);
  const [start, whole] = [tokenizer.decode(before), tokenizer.decode([...before, ...next])];
  const text = whole.startsWith(start) && whole.length > start.length ? whole.slice(start.length) : alone;
  return { name, kind: 'output', text, pieces: [alone] };
}
