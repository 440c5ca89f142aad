/** 2xx: names and their definitions. */
import { entries } from './entry.ts';

export const definitions = entries({
  ZKL201: {
    title: 'unknown name `{name}`',
    meaning: 'Nothing of this name is defined before it, imported, or a dimension or index here.',
    remedy: 'Correct the spelling, define it, or import it.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  activations[i] = x[i] + 1
  public y[i] = 2 * activation[i]
}
`,
    mend: [['activation[', 'activations[']],
  },
  ZKL202: {
    title: '`{name}` is defined twice',
    meaning: 'A name stands for one value. What a `repeat` carries to its next iteration has a prime.',
    remedy: 'Give the second another name.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  y[i] = x[i] + 1
  y[i] = 2 * x[i]
  public z = y
}
`,
    mend: [['  y[i] = x[i] + 1\n', '']],
  },
  ZKL203: {
    title: 'nothing to import from "{path}"',
    meaning: 'There is no file of this name. The standard library is "std"; other files are found by their paths.',
    remedy: 'Correct the path.',
    example: `import { relu } from "standard"
model m {
  secret x[4]: fixed<8, 4>
  public y = relu(x)
}
`,
    mend: [['standard', 'std']],
  },
  ZKL204: {
    title: '"{path}" has no `{name}`',
    meaning: 'The file defines other blocks, tables and optimizers, but not this one. Models are not imported.',
    remedy: 'Import one that it has.',
    example: `import { relus } from "std"
model m {
  secret x[4]: fixed<8, 4>
  public y = relus(x)
}
`,
    mend: [
      ['{ relus }', '{ relu }'],
      ['= relus', '= relu'],
    ],
  },
  ZKL205: {
    title: 'files that import each other',
    meaning: 'What a file is made of would be made of the file itself.',
    remedy: 'Move what both need to a third file.',
    example: `import { twice } from "other.zkl"
model m {
  secret x[4]: fixed<8, 4>
  public y = twice(x)
}
`,
    files: {
      'other.zkl': 'import { twice } from "another.zkl"\n',
      'another.zkl': 'import { twice } from "other.zkl"\n',
      'third.zkl': 'block twice(x[N]) -> y[N] {\n  y = 2 * x\n}\n',
    },
    mend: [['other.zkl', 'third.zkl']],
  },
  ZKL206: {
    title: '`{name}` is {kind}',
    meaning:
      'The name is defined, but as something that cannot stand here: a block is no value, a dimension no function.',
    remedy: 'Use what is expected here.',
    example: `import { relu } from "std"
model m {
  secret x[4]: fixed<8, 4>
  public y = relu + x
}
`,
    mend: [['relu + x', 'relu(x) + x']],
  },
  ZKL208: {
    title: '`{name}` is declared twice',
    meaning: 'Two declarations read one tensor of a checkpoint, which is committed to once.',
    remedy: 'Pass it on, or give the two calls different `at` paths.',
    example: `block scaled(x[N]) -> y[N] {
  secret A[N]: fixed<8, 4> from adapter "scale"
  y[i] = A[i] * x[i]
}
model m {
  secret x[4]: fixed<8, 4>
  a = scaled(x) at "layer"
  b = scaled(x) at "layer"
  public y = a + b
}
`,
    mend: [['b = scaled(x) at "layer"', 'b = scaled(x) at "other"']],
  },
  ZKL209: {
    title: 'unknown index `{name}` in a name',
    meaning:
      'Between braces in a name or path stands the index of a `repeat` around it, or of an axis that stacks files.',
    remedy: 'Write an index that is known there.',
    example: `model m {
  secret A[layer: 2, 4]: fixed<8, 4> from adapter "h.{layer}.{part}"
  public y[l, d] = A[l, d]
}
`,
    mend: [['.{part}', '.weight']],
  },
  ZKL212: {
    title: '`{name}` has no outputs',
    meaning: 'A proof is about what is public: a model without outputs states nothing.',
    remedy: 'Mark what is to be proved with `public`.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  y = sum(i) x[i]
}
`,
    mend: [['y = sum', 'public y = sum']],
  },
  ZKL213: {
    title: 'more than one model to compile',
    meaning: 'A bundle holds one model, and the file has several.',
    remedy: 'Choose one: `--model NAME`.',
    example: `model first {
  secret x[4]: fixed<8, 4>
  public y = 2 * x
}
model second {
  secret x[4]: fixed<8, 4>
  public y = 3 * x
}
`,
    mendedGiven: { model: 'first' },
  },
  ZKL214: {
    title: '`{name}` calls itself',
    meaning:
      'Calls are replaced by what blocks say, and this would never end. What is done several times is a `repeat`.',
    remedy: 'Take the call out, or write a `repeat`.',
    example: `block power(x[N]) -> y[N] {
  a = power(x)
  y = x + a
}
model m {
  secret x[4]: fixed<8, 4>
  public y = power(x)
}
`,
    mend: [['a = power(x)', 'a = 2 * x']],
  },
  ZKL215: {
    title: '`{name}` is never defined',
    meaning:
      'A block, derivative or optimizer has to define what it promises after `->`; an optimizer, the next weight.',
    remedy: 'Define it.',
    example: `block twice(x[N]) -> y[N] {
  z = 2 * x
}
model m {
  secret x[4]: fixed<8, 4>
  public y = twice(x)
}
`,
    mend: [['z = 2', 'y = 2']],
  },
  ZKL216: {
    title: 'two scales under one calibration key, `{key}`',
    meaning: 'Calibration gives scales by path and name, and here two values have the same.',
    remedy: 'Name the calls: each in an equation of its own, or with its own `at`.',
    example: `block third(x[N]) -> y[N] {
  y[i] = round(x[i] / 3)
}
model m {
  secret x[4]: fixed<8, 4>
  public y = third(x) + third(2 * x)
}
`,
    given: { calibration: { 'y/third/y': { bits: 8, frac: 4 } } },
    mendedGiven: { calibration: { 'a/y': { bits: 8, frac: 4 }, 'b/y': { bits: 8, frac: 4 } } },
    mend: [['public y = third(x) + third(2 * x)', 'a = third(x)\n  b = third(2 * x)\n  public y = a + b']],
  },
  ZKL217: {
    title: '`{name}` is given {value}',
    meaning: 'What `--dim` gives is a number, and for a dimension a length of at least 1.',
    remedy: 'Give a number that it can have.',
    example: `model m {
  dim T = 4
  secret x[T]: fixed<8, 4>
  public y[t] = 2 * x[t]
}
`,
    given: { overrides: { T: 'four' } },
    mendedGiven: { overrides: { T: 8 } },
  },
  ZKL219: {
    title: 'a name that cannot be shown',
    meaning: 'Names in a bundle are read by those who judge a proof: they hide nothing and move no text on a screen.',
    remedy: 'Give it another name.',
    example: `model m {
  secret A[4]: fixed<8, 4> from adapter "two  blanks"
  public y[d] = 2 * A[d]
}
`,
    mend: [['two  blanks', 'two.blanks']],
  },
  ZKL220: {
    title: 'no table `{name}` here',
    meaning: 'Functions of data that are no polynomials are tables, and no table of this name is known here.',
    remedy: 'Import it from "std", or declare `table NAME(...)`.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i] = exp(x[i])
}
`,
    mend: [['model m', 'table exp(x: fixed<8, 4>) -> fixed<20, 4> = exp(x)\nmodel m']],
  },
  ZKL221: {
    title: '`{name}` has no value before the repeat',
    meaning: 'What a `repeat` carries from one iteration to the next, the first one needs as well.',
    remedy: 'Define it before the repeat.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  repeat l: 2 {
    h' = round<8, 4>(x / 2)
  }
  public y = x
}
`,
    mend: [["h'", "x'"]],
  },
  ZKL222: {
    title: '`{name}` already has a meaning',
    meaning: 'An index hides nothing: a tensor or dimension of its name stands around it.',
    remedy: 'Choose a fresh name.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[x] = 1
}
`,
    mend: [['y[x] = 1', 'y[i] = x[i]']],
  },
  ZKL223: {
    title: '`{name}` is imported twice',
    meaning: 'The second import would hide the first, or say it again.',
    remedy: 'Leave one out.',
    example: `import { relu } from "std"
import { relu } from "std"
model m {
  secret x[4]: fixed<8, 4>
  public y = relu(x)
}
`,
    mend: [['import { relu } from "std"\nimport', 'import']],
  },
  ZKL224: {
    title: 'the source `{name}` is declared twice',
    meaning: 'A source of weights is declared once, whatever is read from it.',
    remedy: 'Leave the second out.',
    example: `model m {
  source style
  source style
  secret A[4]: fixed<8, 4> from style "a"
  public y[d] = 2 * A[d]
}
`,
    mend: [['  source style\n  source style\n', '  source style\n']],
  },
});
