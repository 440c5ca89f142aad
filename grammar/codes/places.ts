/** 2xx: statements where they mean nothing. */
import { entries } from './entry.ts';

export const places = entries({
  ZKL210: {
    title: 'an input in {place}',
    meaning:
      "A block reads its parameters, and weights from a source; a derivative or an optimizer what it is given. Other inputs are the model's.",
    remedy: 'Declare it in the model and pass it.',
    example: `block shifted(x[N]) -> y[N] {
  secret shift: fixed<8, 4>
  y[i] = x[i] + shift
}
model m {
  secret x[4]: fixed<8, 4>
  public y = shifted(x)
}
`,
    mend: [
      ['x[N])', 'x[N], shift)'],
      ['  secret shift: fixed<8, 4>\n', ''],
      ['  secret x[4]: fixed<8, 4>\n', '  secret x[4]: fixed<8, 4>\n  secret shift: fixed<8, 4>\n'],
      ['shifted(x)', 'shifted(x, shift)'],
    ],
  },
  ZKL232: {
    title: '`{index}` is not in the name',
    meaning: 'An axis with a name stacks the tensors of several files or layers, and the name says which.',
    remedy: 'Write the index between braces where the names differ, or leave it out of the axis.',
    example: `model m {
  secret A[layer: 2, 4]: fixed<8, 4> from adapter "h.weight"
  public y[l, d] = A[l, d]
}
`,
    mend: [['h.weight', 'h.{layer}.weight']],
  },
  ZKL233: {
    title: 'a `public` input in {place}',
    meaning: 'What is public is part of the statement, which the model alone declares.',
    remedy: 'Declare it in the model and pass it.',
    example: `block shifted(x[N]) -> y[N] {
  public shift: fixed<8, 4>
  y[i] = x[i] + shift
}
model m {
  secret x[4]: fixed<8, 4>
  public y = shifted(x)
}
`,
    mend: [
      ['x[N])', 'x[N], shift)'],
      ['  public shift: fixed<8, 4>\n', ''],
      ['  secret x[4]: fixed<8, 4>\n', '  secret x[4]: fixed<8, 4>\n  public shift: fixed<8, 4>\n'],
      ['shifted(x)', 'shifted(x, shift)'],
    ],
  },
  ZKL234: {
    title: 'a `public` tensor in an optimizer',
    meaning: 'What is public in an optimizer, the verifier works out by itself: a scalar for each step.',
    remedy: 'Define it without `public`, or without indices.',
    example: `optimizer plain(w, g, step, const rate) {
  public r[i: 2] = rate
  w' = round(w - rate * g)
}
model m {
  secret x[4]: fixed<8, 4>
  public y = 2 * x
}
`,
    mend: [['r[i: 2]', 'r']],
  },
  ZKL235: {
    title: 'a source outside a model',
    meaning: 'The model says where weights come from; a block takes a source as a parameter.',
    remedy: 'Declare the source in the model.',
    example: `block scaled(x[N]) -> y[N] {
  source style
  secret A[N]: fixed<8, 4> from adapter "a"
  y[i] = A[i] * x[i]
}
model m {
  secret x[4]: fixed<8, 4>
  public y = scaled(x)
}
`,
    mend: [['{\n  source style\n', '{\n']],
  },
  ZKL236: {
    title: 'a prime outside a repeat',
    meaning: 'A prime marks what the next iteration, or the next step, is given.',
    remedy: 'Leave the prime out.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  h' = 2 * x
  public y = x
}
`,
    mend: [
      ["h' = 2 * x", 'h = 2 * x'],
      ['y = x', 'y = h'],
    ],
  },
  ZKL237: {
    title: 'an output in {place}',
    meaning: 'Outputs are part of the statement, which the model alone makes.',
    remedy: 'Define it without `public`, and mark in the model what is proved.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  repeat l: 2 {
    public y = 2 * x
  }
  public z = x
}
`,
    mend: [['public y = 2 * x', "x' = round<8, 4>(x / 2)"]],
  },
  ZKL238: {
    title: 'an `open` output',
    meaning: 'Weights that all may know are open; an output is `public` or `secret`.',
    remedy: 'Write `public`.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  open y = 2 * x
}
`,
    mend: [['open', 'public']],
  },
  ZKL239: {
    title: 'a prime on {what}',
    meaning: 'Primes are for values that `repeat` carries; an input or output is one value.',
    remedy: 'Leave the prime out.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y' = 2 * x
}
`,
    mend: [["y'", 'y']],
  },
  ZKL240: {
    title: 'nothing to train',
    meaning: 'No weight that the model reads has the source, or a name of the pattern, after `over`.',
    remedy: 'Name a source that the model reads, and a pattern that matches.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = A[i] * x[i]
  train {
    public step: index<10>
    loss = sum(i) y[i]
    minimize loss over adapter "b*" by sgd(rate = 1e-3)
  }
}
`,
    mend: [['"b*"', '"a*"']],
    checkOnly: true,
  },
  ZKL241: {
    title: 'no model `{name}`',
    meaning: 'The file has no model of the name that `--model` gives.',
    remedy: 'Give the name of one that it has.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y = 2 * x
}
`,
    given: { model: 'first' },
    mendedGiven: { model: 'm' },
  },
  ZKL242: {
    title: 'no model to compile',
    meaning: 'Blocks and tables are for models to use; a bundle is made of a `model`.',
    remedy: 'Add `model NAME { ... }`.',
    example: `block twice(x[N]) -> y[N] {
  y = 2 * x
}
`,
    mend: [['2 * x\n}\n', '2 * x\n}\nmodel m {\n  secret x[4]: fixed<8, 4>\n  public y = twice(x)\n}\n']],
  },
});
