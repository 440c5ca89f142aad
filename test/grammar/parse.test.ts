import { describe, expect, test, vi } from 'vitest';
import type { Name, Node, Value } from '../../grammar/ast.ts';
import { visitorKeys } from '../../grammar/print/comments.ts';
import { DEPTH_LIMIT } from '../../grammar/parse/depth.ts';
import { parse } from '../../grammar/index.ts';
import { cases } from '../golden/golden.ts';
import { bare } from './arbitrary.ts';
import { showTree } from './show.ts';

vi.setConfig({ testTimeout: 60_000 });

const inModel = (...lines: string[]): string => `model m {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
const codes = (text: string): string[] => parse(text, 'x').diagnostics.map(({ code }) => code);
const statements = (text: string): string[] => {
  const { program } = parse(text, 'x');
  return program.items.flatMap((item) => (item.kind === 'table' ? [] : item.body.map((each) => showTree(each))));
};
/** The value of `x = ...`, as text. */
const valueOf = (text: string): string => {
  const source = inModel(`x = ${text}`);
  expect(codes(source), text).toEqual([]);
  return statements(source)[0].replace(/^\(define x (.*)\)$/, '$1');
};

describe('values', () => {
  test.each([
    ['a - b - c', '(binary - (binary - a b) c)'],
    ['a / b * c', '(binary * (binary / a b) c)'],
    ['a + b * c', '(binary + a (binary * b c))'],
    ['-a * b', '(binary * (negate a) b)'],
    ['-a ^ 2', '(negate (power a 2))'],
    ['a * -b * c', '(binary * (binary * a (negate b)) c)'],
    ['a ^ -b ^ c', '(power a (negate (power b c)))'],
    ['a as [T] ^ 2', '(power (view a (shape T)) 2)'],
    ['sum(i) a * b + c', '(binary + (reduce sum (axes i) (body (binary * a b))) c)'],
    ['a * sum(i) b * c / d', '(binary * a (reduce sum (axes i) (body (binary / (binary * b c) d))))'],
    ['-sum(i) b', '(negate (reduce sum (axes i) (body b)))'],
    ['a / (sum(i) b) * c', '(binary * (binary / a (reduce sum (axes i) (body b))) c)'],
    ['x[-i div 2]', '(access x (axes (index-negate (index-binary div i 2))))'],
    ['x[i - j + -1]', undefined],
  ])('%s', (text, tree) => {
    if (tree === undefined) expect(codes(inModel(`x = ${text}`))).toEqual(['ZKL104']);
    else expect(valueOf(text)).toBe(tree);
  });
});

describe('where statements begin', () => {
  test('an operator, a comma or an open bracket lets the next line go on', () => {
    const text = inModel(
      'x = a +',
      '    b',
      'const c = 1,',
      '    d = 2',
      'y = f(',
      '    a,',
      '    b',
      ')',
      'z = a',
      '  * b',
    );
    expect(codes(text)).toEqual([]);
    expect(statements(text).length).toBe(4);
  });

  test('a name no further right than the statement begins another, whatever is open', () => {
    const text = inModel('x = f(a', 'y = 1', 'z = (b +', 'w = 2');
    expect(codes(text)).toEqual(['ZKL105', 'ZKL110']);
    expect(statements(text)).toEqual(expect.arrayContaining(['(define y 1)', '(define w 2)']));
  });

  test('after a brace a statement may begin on the same line', () => {
    expect(codes('block f(x) -> y { y = x }\nmodel m { repeat l: 2 { x = 1 } y = 2 }')).toEqual([]);
    expect(codes(inModel('x = 1 y = 2'))).toEqual(['ZKL104']);
  });

  test('line ends of all systems and a byte order mark make no difference', () => {
    const text = inModel('/// Doc.', 'x = a', '// note', 'y = b');
    for (const other of [text.replaceAll('\n', '\r\n'), text.replaceAll('\n', '\r'), `\uFEFF${text}`])
      expect(bare(parse(other, 'x').program)).toEqual(bare(parse(text, 'x').program));
  });
});

describe('depth', () => {
  const nested = (open: string, close: string, n: number): string =>
    inModel(`x = ${open.repeat(n)}1${close.repeat(n)}`);

  test.each([
    ['(', ')'],
    ['-', ''],
    ['a * ', ''],
    ['a + ', ''],
    ['a ^ ', ''],
    ['sum(i) ', ''],
    ['if i < j then 1 else ', ''],
    ['f(a, ', ')'],
    ['a[', ']'],
    ['[i < a[', ']]'],
  ])('%s', (open, close) => {
    const limit = parse(nested(open, close, 10_000), 'x');
    expect(limit.diagnostics.map(({ code }) => code)).toEqual(['ZKL103']);
    expect(limit.program.items).toEqual([]);
    expect(codes(nested(open, close, DEPTH_LIMIT / 4))).not.toContain('ZKL103');
  });

  test('blocks', () => {
    expect(codes(`model m {${'repeat l: 2 {'.repeat(10_000)}`)).toEqual(['ZKL103']);
  });

  test('long lists and bodies are not deep', () => {
    const list = Array.from({ length: 3000 }, (_, i) => `a[i + ${i}] * 2`);
    expect(codes(inModel(`x = f(${list.join(', ')})`))).toEqual([]);
    expect(codes(inModel(...list.map((value, i) => `x${i} = ${value}`)))).toEqual([]);
  });
});

test('thousands of errors in one list are reported without running out of stack', () => {
  const text = `optimizer o(${'\n  x = : \n  x = - ,'.repeat(3000)}`;
  expect(codes(text)[0]).toBe('ZKL104');
  expect(codes(inModel('x = 1'))).toEqual([]);
});

describe('spans', () => {
  const sources = cases('grammar').filter(({ name }) => !name.startsWith('errors'));

  test.each(sources)('$name: nodes lie in their parents, in order, and names where they stand', ({ source }) => {
    const visit = (node: Node): void => {
      let end = node.span.start;
      for (const field of visitorKeys(node)) {
        const value = (node as unknown as Record<string, Node | Node[] | undefined>)[field];
        for (const child of [value ?? []].flat()) {
          expect(child.span.start).toBeGreaterThanOrEqual(end);
          expect(child.span.end).toBeGreaterThan(child.span.start);
          end = child.span.end;
          visit(child);
        }
      }
      expect(end).toBeLessThanOrEqual(node.span.end);
      for (const value of Object.values(node).flat()) if (isName(value)) expect(slice(value)).toBe(value.text);
      if (node.kind === 'string') expect(slice(node)).toBe(`"${node.text}"`);
      if (node.kind === 'number') expect(slice(node)).toBe(node.text);
      if (node.kind !== 'program') expect(slice(node)).toBe(slice(node).trim());
    };
    const slice = ({ span }: Name | Node): string => source.slice(span.start, span.end);
    const { program } = parse(source, 'x');
    expect(program.items.length).toBeGreaterThan(0);
    visit(program);
  });

  const isName = (value: unknown): value is Name =>
    typeof value === 'object' && value !== null && 'text' in value && !('kind' in value);

  test('a value in parentheses has its own text, what contains it the parentheses too', () => {
    const text = inModel('x = (a + b) * c');
    const [item] = parse(text, 'x').program.items;
    const [define] = item.kind === 'model' ? item.body : [];
    const value = (define.kind === 'define' ? define.value : undefined) as Extract<Value, { kind: 'binary' }>;
    expect(text.slice(value.span.start, value.span.end)).toBe('(a + b) * c');
    expect(text.slice(value.left.span.start, value.left.span.end)).toBe('a + b');
  });
});

test('one error for a statement, and the statements around it stay', () => {
  const text = inModel('a = 1', 'b = (1 + * 2] / ) 3 3', 'c = 2', 'd = , = ,', 'e = 3');
  expect(codes(text)).toEqual(['ZKL104', 'ZKL104']);
  expect(statements(text)).toEqual(['(define a 1)', '(define c 2)', '(define e 3)']);
});

test('the fixes that errors offer mend the text', () => {
  const broken = 'modle m {\n  secrt x[T]: index<V>\n  y = if i = j then 1 else 0\n  z = f(x) at "a\n}\n';
  const mended = parse(broken, 'x').diagnostics.reduceRight(
    (text, { fix }) => (fix ? text.slice(0, fix.span.start) + fix.text + text.slice(fix.span.end) : text),
    broken,
  );
  const again = parse(mended, 'x').diagnostics.reduceRight(
    (text, { fix }) => (fix ? text.slice(0, fix.span.start) + fix.text + text.slice(fix.span.end) : text),
    mended,
  );
  expect(codes(again)).toEqual([]);
});
