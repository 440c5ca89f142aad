/** 3xx: shapes and sizes. */
import { entries } from './entry.ts';

export const shapes = entries({
  ZKL306: {
    title: 'shapes differ',
    meaning: 'Operators on whole tensors need equal shapes; only scalars and constants are the same for every entry.',
    remedy: 'Say with indices which entry goes with which.',
    example: `model m {
  secret x[4, 8]: fixed<8, 4>
  secret w[8]: fixed<8, 4>
  public y = x + w
}
`,
    mend: [['y = x + w', 'y[t, d] = x[t, d] + w[d]']],
  },
  ZKL312: {
    title: 'a tensor of more than 2^40 entries',
    meaning: 'No tensor of that size can be committed to or proved.',
    remedy: 'Choose shorter axes.',
    example: `model m {
  secret x[2000000, 2000000]: fixed<8, 4>
  public y = x[0, 0]
}
`,
    mend: [['2000000, 2000000', '20, 20']],
  },
  ZKL317: {
    title: 'a view of another size',
    meaning: '`as` arranges the same entries in other axes, and their number stays.',
    remedy: 'Choose axes with as many entries.',
    example: `model m {
  secret x[4, 8]: fixed<8, 4>
  public y = x as [4, 9]
}
`,
    mend: [['[4, 9]', '[32]']],
  },
  ZKL318: {
    title: '`{name}` has another shape',
    meaning: 'What is given or defined has not the shape that is declared.',
    remedy: 'Correct the declaration, or what it is given.',
    example: `block trace(x[N, N]) -> y {
  y = sum(i) x[i, i]
}
model m {
  secret x[4, 8]: fixed<8, 4>
  public y = trace(x)
}
`,
    mend: [['x[4, 8]', 'x[4, 4]']],
  },
  ZKL319: {
    title: '`{name}` has another number of axes',
    meaning: 'A parameter is declared with one name or length for each axis of what it is given.',
    remedy: 'Pass a tensor with as many axes, or declare another parameter.',
    example: `block twice(x[N]) -> y[N] {
  y = 2 * x
}
model m {
  secret x[4, 8]: fixed<8, 4>
  public y = twice(x)
}
`,
    mend: [['twice(x)', 'twice(x as [32])']],
  },
  ZKL320: {
    title: 'a loss is a scalar',
    meaning: 'Training makes one number smaller.',
    remedy: 'Sum over all indices.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = A[i] * x[i]
  train {
    public step: index<10>
    loss[i] = y[i]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['loss[i] = y[i]', 'loss = sum(i) y[i]']],
    checkOnly: true,
  },
  ZKL326: {
    title: 'a constant of more than 2^22 entries',
    meaning: 'Constants are worked out by compiler and verifier, entry by entry.',
    remedy: 'Choose shorter axes, or read it as a weight.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  const c[i: 3000, j: 3000] = i + j
  public y[i] = c[i, 0] * x[i]
}
`,
    mend: [['c[i: 3000, j: 3000]', 'c[i: 4, j: 4]']],
  },
  ZKL327: {
    title: 'index arithmetic over 2^53',
    meaning: 'Lengths and indices are exact below 2^53.',
    remedy: 'Choose smaller numbers.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i: 4000000000 * 4000000000 * 4] = x[0]
}
`,
    mend: [['4000000000 * 4000000000 * 4', '4']],
  },
  ZKL328: {
    title: 'a tensor stacked over more than 100000 files',
    meaning: 'Each is a tensor of a checkpoint with a name of its own.',
    remedy: 'Stack fewer.',
    example: `model m {
  secret A[l: 200000, 4]: fixed<8, 4> from adapter "h.{l}"
  public y[d] = A[0, d]
}
`,
    mend: [['l: 200000', 'l: 2']],
  },
  ZKL329: {
    title: 'a repeat of more than {most} steps',
    meaning: 'Every iteration is read as if it were written out.',
    remedy: 'Repeat less often.',
    example: `model m {
  secret z[4]: fixed<8, 4>
  x = round<8, 4>(z / 2)
  repeat l: 2000000 {
    x' = round<8, 4>(x / 2)
  }
  public y = x
}
`,
    mend: [['l: 2000000', 'l: 2']],
  },
  ZKL330: {
    title: 'more than {most} statements',
    meaning: 'Statements are counted with all iterations and calls around them.',
    remedy: 'Repeat less often, or take several steps together.',
    example: `model m {
  secret z[4]: fixed<8, 4>
  x = round<8, 4>(z / 2)
  repeat l: 90000 {
    a = round<8, 4>(x / 2)
    x' = round<8, 4>(a + 1)
  }
  public y = x
}
`,
    mend: [['l: 90000', 'l: 2']],
  },
  ZKL331: {
    title: 'too large to compute with',
    meaning: 'Multiplied out, the expression has more terms, or larger numbers, than the checker computes with.',
    remedy: 'Name an inner part, and round it.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y = (x[0] + x[1] + x[2] + x[3] + x[0] * x[1] + 1) ^ 16
}
`,
    mend: [
      [
        'public y = (x[0] + x[1] + x[2] + x[3] + x[0] * x[1] + 1) ^ 16',
        'a = round<8, 4>((x[0] + x[1] + x[2] + x[3] + x[0] * x[1] + 1) / 64)\n  public y = a ^ 16',
      ],
    ],
  },
});
