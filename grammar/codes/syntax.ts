/** 1xx: text that is no program. */
import { entries } from './entry.ts';

const model = (statement: string): string => `model m {
  secret x[4]: fixed<8, 4>
  ${statement}
}
`;

export const syntax = entries({
  ZKL101: {
    title: 'unexpected {characters}',
    meaning:
      'The language has no such sign: products are `*`, comparisons `<=`, names letters of the English alphabet.',
    remedy: 'Write what the language has for it.',
    example: model('public y[i] = 2 · x[i]'),
    mend: [['·', '*']],
  },
  ZKL102: {
    title: 'string without its closing quote',
    meaning: 'A string ends on the line on which it begins.',
    remedy: 'Close it with `"`.',
    example: `import { relu } from "std
${model('public y = relu(x)')}`,
    mend: [['"std', '"std"']],
  },
  ZKL103: {
    title: 'expression too long or nested too deeply',
    meaning:
      'Expressions have at most 100 brackets and operators inside each other, so that reading one never takes long.',
    remedy: 'Give parts of it names of their own.',
    example: model(`public y[i] = ${'('.repeat(120)}x[i]${')'.repeat(120)}`),
    mend: [
      ['('.repeat(120), ''],
      [')'.repeat(120), ''],
    ],
  },
  ZKL104: {
    title: 'expected {expected}, found {found}',
    meaning: 'Something else would have to stand here for the text to be a program.',
    remedy: 'Write what is expected, or take away what stands before it.',
    example: model('public y[i] = * x[i]'),
    mend: [['* x', 'x']],
  },
  ZKL105: {
    title: '`{opener}` is never closed',
    meaning: 'The next statement begins, or the file ends, before the bracket is closed.',
    remedy: 'Close the bracket where its contents end.',
    example: model(`y[i] = 2 * (x[i] + 1
  public z = y`),
    mend: [['+ 1', '+ 1)']],
  },
  ZKL106: {
    title: '`{word}` is a word of the language',
    meaning: 'Words such as `index`, `in`, `max` and `repeat` have a meaning of their own everywhere.',
    remedy: 'Choose another name.',
    example: model('public index = 2 * x'),
    mend: [['index', 'doubled']],
  },
  ZKL107: {
    title: '`{operator}` directly after `/`',
    meaning:
      'A reduction reaches over the whole product to its right, so how much is divided by would be easily misread.',
    remedy: 'Put the divisor between brackets.',
    example: model('public y = round<8, 4>(x[0] / sum(i) x[i] * x[i])'),
    mend: [['sum(i) x[i] * x[i])', '(1 + sum(i) x[i] * x[i]))']],
  },
  ZKL108: {
    title: 'comment of another language',
    meaning: 'Comments begin with `//` and end with their line; `#` and `/*` mean nothing.',
    remedy: 'Write `//`.',
    example: model(`# twice
  public y[i] = 2 * x[i]`),
    mend: [['# twice', '// twice']],
  },
  ZKL109: {
    title: '{found} cannot stand here',
    meaning:
      '`state` lines come first in an `optimizer`, and `derivative`, `train` and `minimize` last in what they belong to.',
    remedy: 'Move it to its place.',
    example: `block square(x[N]) -> y[N] {
  derivative(dy) -> dx {
    dx[i] = 2 * dy[i] * x[i]
  }
  y[i] = x[i] * x[i]
}
${model('public y = square(x)')}`,
    mend: [
      ['  y[i] = x[i] * x[i]\n', ''],
      ['-> y[N] {\n', '-> y[N] {\n  y[i] = x[i] * x[i]\n'],
    ],
  },
  ZKL110: {
    title: 'expected {expected} after {previous}',
    meaning: 'A statement ends, or the next one begins, before this one is complete.',
    remedy: 'Complete the statement, or delete what opens it.',
    example: model(`y[i] = x[i] +
  public z = y`),
    mend: [['x[i] +', 'x[i] + 1']],
  },
});
