/** Which accesses are gathered from a source, and which are still products with a selector. */
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/index.ts';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';

const text = (body: string, rows = 6): string => `model m { dim M = ${rows}, N = 2, T = 3, V = 4
  source data
  public rows[N]: index<M>
  public step: index<M>
  public column[N]: index<T>
  secret X[M, T]: fixed<8, 0> from data "x"
  secret Y[M]: fixed<8, 0> from data "y"
  secret tokens[M, T]: index<V> from data "tokens"
  open W[M, T]: fixed<8, 0> from base "w"
  open E[V]: fixed<8, 0> from base "e"
  public P[M, T]: fixed<8, 0>
  ${body} }`;

function lowered(body: string, rows?: number): GadgetProgram {
  const { gadgets, diagnostics } = compile({ text: text(body, rows), source: 'm.zkl' });
  if (!gadgets) throw new Error(diagnostics.map((d) => `${d.code} ${d.label}`).join('; '));
  return gadgets;
}

const names = ({ tensors }: GadgetProgram, kind: string): string[] =>
  tensors.filter((t) => t.class.kind === kind).map((t) => t.name);

describe('rows that a public input names', () => {
  test.each([
    ['of a secret source', 'public y[n, t] = X[rows[n], t]', 'X at rows'],
    ['of open weights', 'public y[n, t] = W[rows[n], t]', 'W at rows'],
    ['of one axis', 'public y[n] = Y[rows[n]]', 'Y at rows'],
    ['by one index', 'public y[t] = X[step, t]', 'X at step'],
    ['along any indices', 'public y[i: 6] = X[rows[i div 3], (i + 1) mod 3]', 'X at rows'],
    ['twice', 'public y = sum(n, t) X[rows[n], t] * X[rows[1 - n], t]', 'X at rows'],
    ['two of them', 'public y[n] = sum(t) X[rows[n], t] * W[rows[n], t]', 'X at rows', 'W at rows'],
    ['where a guard holds', 'public y[n] = sum(t) (if t < 2 then X[rows[n], t] else 0)', 'X at rows'],
  ])('are gathered: %s', (_, body, ...expected) => {
    const gadgets = lowered(body);
    expect(names(gadgets, 'gathered')).toEqual(expected);
    expect(names(gadgets, 'selector')).toEqual([]);
  });

  test('have a selector where they are indices, of their own number', () => {
    const gadgets = lowered('public y[n, t] = E[tokens[rows[n], t]]');
    expect(names(gadgets, 'gathered')).toEqual(['tokens at rows']);
    const selector = gadgets.tensors.find((t) => t.name === 'selector of tokens at rows');
    expect(selector).toMatchObject({ shape: [2, 3, 4], class: { kind: 'witness' } });
    const number = lowered('public y[n, t] = tokens[rows[n], t] * P[0, t]');
    expect(names(number, 'witness')).toEqual(['selector of tokens at rows']);
  });

  test.each([
    ['by what is hidden', 'secret h[N]: index<M>\n public y[n, t] = X[h[n], t]', []],
    ['along another axis', 'public y[n, i: 6] = X[i, column[n]]', ['selector of column']],
    ['along two axes', 'public y[n] = X[rows[n], column[n]]', ['selector of rows', 'selector of column']],
    [
      'of stacked files',
      'secret parts[l: 6, T]: fixed<8, 0> from data "part.{l}"\n public y[n, t] = parts[rows[n], t]',
      ['selector of rows'],
    ],
    ['of a public tensor', 'public y[n, t] = P[rows[n], t]', ['selector of rows']],
    [
      'of a secret without a source',
      'secret S[M, T]: fixed<8, 0>\n public y[n, t] = S[rows[n], t]',
      ['selector of rows'],
    ],
  ])('and nothing else is: %s', (_, body, selectors) => {
    const gadgets = lowered(body);
    expect(names(gadgets, 'gathered')).toEqual([]);
    expect(names(gadgets, 'selector')).toEqual(selectors);
  });

  test('cost no message more for more rows that there are', async () => {
    const messages = async (rows: number): Promise<readonly string[]> =>
      (await planProgram(lowered('public y[n] = sum(t) X[rows[n], t] * W[rows[n], t]', rows))).pads.labels;
    expect(await messages(5000)).toEqual(await messages(6));
  });
});
