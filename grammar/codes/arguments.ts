/** 2xx: what calls are given. */
import { entries } from './entry.ts';

const calls = (call: string): string => `block scaled<N>(x[M], const factor, const plus) -> y[N] {
  y[i: N] = factor * x[i] + plus
}
model m {
  secret x[4]: fixed<8, 4>
  public y = ${call}
}
`;

export const arguments_ = entries({
  ZKL207: {
    title: '`{name}` takes one argument',
    meaning: '`round`, tables and functions such as `sqrt` take one argument, without a name.',
    remedy: 'Give one, and combine several by what is meant.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i] = round<8, 4>(x[i], 3)
}
`,
    mend: [['x[i], 3', 'x[i] / 3']],
  },
  ZKL211: {
    title: '{given} is not a source of weights',
    meaning: 'Weights come from a source: `base`, `adapter`, or one that the model declares.',
    remedy: 'Name a source, or declare it: `source NAME`.',
    example: `model m {
  source style
  secret A[4]: fixed<8, 4> from stile "a"
  public y[d] = 2 * A[d]
}
`,
    mend: [['stile', 'style']],
  },
  ZKL218: {
    title: 'a derivative of another signature',
    meaning:
      'A derivative takes one cotangent for each result of its block, and gives one result for each tensor parameter that is not an index.',
    remedy: 'Add or leave out what differs.',
    example: `block product(x[N], w[N]) -> y[N] {
  y[i] = x[i] * w[i]
  derivative(dy) -> dx {
    dx[i] = dy[i] * w[i]
  }
}
model m {
  secret x[4]: fixed<8, 4>
  public y = product(x, x)
}
`,
    mend: [
      ['-> dx {', '-> dx, dw {'],
      ['dx[i] = dy[i] * w[i]', 'dx[i] = dy[i] * w[i]\n    dw[i] = dy[i] * x[i]'],
    ],
  },
  ZKL225: {
    title: '`{name}` has {count} results',
    meaning: 'A call stands for one value.',
    remedy: 'Make two blocks of it.',
    example: `block parts(x[N]) -> y[N], z[N] {
  y = 2 * x
  z = 3 * x
}
model m {
  secret x[4]: fixed<8, 4>
  public y = parts(x)
}
`,
    mend: [
      [', z[N]', ''],
      ['  z = 3 * x\n', ''],
    ],
  },
  ZKL226: {
    title: 'a dimension too many',
    meaning:
      'The block takes fewer dimensions between `<` and `>`, or none of this name; others follow from the shapes of its arguments.',
    remedy: 'Leave it out.',
    example: calls('scaled<4, 5>(x, 2, 1)'),
    mend: [['4, 5', '4']],
  },
  ZKL227: {
    title: '`{name}` is given twice',
    meaning: 'A parameter has one value, whether it is given by place or by name.',
    remedy: 'Leave one out.',
    example: calls('scaled<4>(x, 2, factor = 3, plus = 1)'),
    mend: [['factor = 3, ', '']],
  },
  ZKL228: {
    title: '`{name}` needs {missing}',
    meaning: 'Dimensions that do not follow from shapes, and parameters without a default, have to be given.',
    remedy: 'Give what is missing.',
    example: calls('scaled<4>(x, 2)'),
    mend: [['x, 2)', 'x, 2, plus = 1)']],
  },
  ZKL229: {
    title: 'an argument too many',
    meaning: 'There are fewer parameters than arguments.',
    remedy: 'Leave it out.',
    example: calls('scaled<4>(x, 2, 1, 1)'),
    mend: [['2, 1, 1', '2, 1']],
  },
  ZKL230: {
    title: 'no parameter `{name}`',
    meaning: 'An argument has the name of a parameter that is not there.',
    remedy: 'Write the name as it is defined.',
    example: calls('scaled<4>(x, 2, pluss = 1)'),
    mend: [['pluss', 'plus']],
  },
  ZKL231: {
    title: 'parameters of an optimizer',
    meaning:
      'An optimizer is given a weight, its gradient and the number of the step, and if it takes a fourth tensor the norm of all gradients; constants follow.',
    remedy: 'Declare these first: `optimizer sgd(w, g, step, const rate)`.',
    example: `optimizer plain(w, g) {
  w' = round(w - g)
}
model m {
  secret x[4]: fixed<8, 4>
  public y = 2 * x
}
`,
    mend: [['(w, g)', '(w, g, step)']],
  },
  ZKL243: {
    title: 'calls nested over {depth} deep',
    meaning: 'Blocks that call blocks have an end, and deeper ones look as if they had none.',
    remedy: 'Write a `repeat`, or fewer blocks inside each other.',
    example: `${Array.from(
      { length: 66 },
      (_, k) => `block f${k}(x[N]) -> y[N] {
  y = ${k === 65 ? 'x' : `f${k + 1}(x)`}
}
`,
    ).join('')}model m {
  secret x[4]: fixed<8, 4>
  public y = f0(x)
}
`,
    mend: [['y = f0(x)', 'y = f60(x)']],
  },
  ZKL244: {
    title: '`{name}` cannot be given',
    meaning: 'Only a literal `dim` or `const` is a default that may be replaced; this one is derived from others.',
    remedy: 'Give what it is derived from.',
    example: `model m {
  dim T = 4, D = 2 * T
  secret x[D]: fixed<8, 4>
  public y[d] = 2 * x[d]
}
`,
    given: { overrides: { D: 6 } },
    mendedGiven: { overrides: { T: 3 } },
  },
  ZKL245: {
    title: '`{model}` has no dimension or constant `{name}`',
    meaning: 'What `--dim` gives has the name of a `dim` or `const` of the model.',
    remedy: 'Correct the name.',
    example: `model m {
  dim T = 4
  secret x[T]: fixed<8, 4>
  public y[t] = 2 * x[t]
}
`,
    given: { overrides: { tokens: 6 } },
    mendedGiven: { overrides: { T: 6 } },
  },
});
