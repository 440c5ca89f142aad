/** 5xx: programs that mean something and cannot be proved yet; from 520 on, what training asks for. */
import { entries } from './entry.ts';

const trained = (
  train: string,
  optimizer = '',
): string => `${optimizer === '' ? 'import { sgd } from "std"\n' : optimizer}model m {
  secret x[4]: fixed<8, 4>
  open b[4]: fixed<8, 4> from base "b"
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = A[i] * x[i] + b[i]
  train {
${train}
  }
}
`;
const STEP = '    public step: index<10>\n    loss = sum(i) y[i]\n';
const OWN = '    minimize loss over adapter by own()';
const own = (body: string): string => `optimizer own(w, g, step) {\n${body}}\n`;

export const proofs = entries({
  ZKL502: {
    title: '`round` of a quotient or a root under a table that saturates cannot be proved yet',
    meaning: 'A table that saturates takes what exceeds its domain to its ends, which is proved of polynomials only.',
    remedy: 'Round the quotient by itself first.',
    example: `table half(x: fixed<8, 4> in [-2, 2] saturate) -> fixed<8, 4> = x / 2
model m {
  secret x[4]: fixed<8, 4>
  public y[i] = half(round(x[i] / (1 + x[0] ^ 2)))
}
`,
    mend: [
      [
        'public y[i] = half(round(x[i] / (1 + x[0] ^ 2)))',
        'q[i] = round<8, 4>(x[i] / (1 + x[0] ^ 2))\n  public y[i] = half(round(q[i]))',
      ],
    ],
  },
  ZKL504: {
    title: 'integers too wide to prove',
    meaning: 'Sums and products of the proof, rounding included, would wrap around in its field.',
    remedy: 'Use narrower types, or fewer products in a row.',
    example: `model m {
  secret x[4]: fixed<26, 8>
  public y[i] = x[i] ^ 10
}
`,
    mend: [['fixed<26, 8>', 'fixed<16, 8>']],
  },
  ZKL505: {
    title: 'a source of open and of secret tensors',
    meaning: 'A source is committed to as a whole, so all of it is secret or all of it open.',
    remedy: 'Take them from two sources.',
    example: `model m {
  secret A[4]: fixed<8, 4> from adapter "a"
  open B[4]: fixed<8, 4> from adapter "b"
  public y[d] = A[d] * B[d]
}
`,
    mend: [['from adapter "b"', 'from base "b"']],
  },
  ZKL508: {
    title: 'a sum over too many indices at once',
    meaning: 'The tables of such a sum, over all its indices together, would not fit into memory.',
    remedy: 'Give inner sums, and what an index from a tensor selects, names of their own with `round` around them.',
    example: `model m {
  secret x[512, 512]: fixed<8, 4>
  public y = sum(i, j, k) x[i, j] * x[j, k] * x[k, i]
}
`,
    mend: [
      [
        'public y = sum(i, j, k) x[i, j] * x[j, k] * x[k, i]',
        's[i, k] = round<16, 2>(sum(j) x[i, j] * x[j, k])\n  public y = sum(i, k) s[i, k] * x[k, i]',
      ],
    ],
  },
  ZKL509: {
    title: 'a program that no bundle can hold',
    meaning: 'Those who verify read bundles within bounds, and this program is beyond one.',
    remedy: 'Use fewer or smaller tensors: split the model.',
    example: `model m {
  public x[65536]: fixed<8, 4>
  secret w[32768, 65536]: fixed<8, 4> from adapter "w"
  public y[i] = sum(j) w[i, j] * x[j]
}
`,
    mend: [['w[32768, 65536]', 'w[64, 65536]']],
  },
  ZKL510: {
    title: '`round` of a number over a root that may be negative cannot be proved yet',
    meaning: 'P/sqrt(Q) is proved by squares, which lose the sign of P.',
    remedy: 'Round `1 / sqrt(...)`, then multiply.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i] = round<8, 4>(x[i] / sqrt(1 + x[0] ^ 2))
}
`,
    mend: [
      [
        'public y[i] = round<8, 4>(x[i] / sqrt(1 + x[0] ^ 2))',
        'r = round<8, 4>(1 / sqrt(1 + x[0] ^ 2))\n  public y[i] = round<8, 4>(x[i] * r)',
      ],
    ],
  },
  ZKL511: {
    title: 'type too wide to prove',
    meaning: 'What is committed to is proved to be in its range, which is done up to a width.',
    remedy: 'Use fewer bits.',
    example: `model m {
  secret x[4]: fixed<60, 8>
  public y[i] = 2 * x[i]
}
`,
    mend: [['fixed<60, 8>', 'fixed<16, 8>']],
  },
  ZKL512: {
    title: 'an open tensor without a source',
    meaning: 'Open weights are those that anybody can check against a checkpoint.',
    remedy: 'Say where it comes from, `from base "..."`, or declare it `public`.',
    example: `model m {
  open b[4]: fixed<8, 4>
  secret x[4]: fixed<8, 4>
  public y[i] = b[i] * x[i]
}
`,
    mend: [['open b[4]: fixed<8, 4>', 'open b[4]: fixed<8, 4> from base "b"']],
  },
  ZKL520: {
    title: 'the loss depends on nothing that is trained',
    meaning: 'Its gradient by every trained weight is 0: a step would change nothing.',
    remedy: 'Minimise a loss that reads the trained weights.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = A[i] * x[i]
  train {
    public step: index<10>
    loss = sum(i) x[i]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['loss = sum(i) x[i]', 'loss = sum(i) y[i]']],
    checkOnly: true,
  },
  ZKL521: {
    title: 'the gradient of a maximum',
    meaning:
      'A maximum has no derivative where two entries attain it. Blocks that use one say what their derivative is.',
    remedy: 'Put it into a block with a `derivative`, or leave it out of the loss.',
    example: `import { sgd } from "std"
model m {
  secret A[4]: fixed<8, 4> from adapter "a"
  public y = max(i) A[i]
  train {
    public step: index<10>
    loss = y * y
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['max(i) A[i]', 'sum(i) A[i]']],
    checkOnly: true,
  },
  ZKL522: {
    title: 'the gradient of entries that are chosen this way',
    meaning:
      'What flows back to a tensor is found by solving for the indices that read it. Solved are single indices, digits of ' +
      'one (`i div K`, `i mod K`), sums of indices whose strides are nested, and one index plus or minus others.',
    remedy: 'Read the entries by simpler indices, through a tensor in between.',
    example: `import { sgd } from "std"
model m {
  secret x[5, 4]: fixed<8, 4>
  secret A[20]: fixed<8, 4> from adapter "a"
  public y[i: 5, j: 4] = A[(2 * i + 3 * j) mod 20] * x[i, j]
  train {
    public step: index<10>
    loss = sum(i: 5, j: 4) y[i, j]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['(2 * i + 3 * j) mod 20', '4 * i + j']],
    checkOnly: true,
  },
  ZKL523: {
    title: 'a trained weight inside `{name}`, which has a derivative of its own',
    meaning:
      "A `derivative` gives the cotangents of a block's parameters; weights that the block reads get none from it.",
    remedy: 'Give the weight to the block as a parameter.',
    example: `import { sgd } from "std"
block scaled(x[T]) -> y[T] {
  secret A[T]: fixed<8, 4> from adapter "a"
  y[t] = A[t] * x[t]

  derivative(dy) -> dx {
    dx[t] = A[t] * dy[t]
  }
}
model m {
  secret x[4]: fixed<8, 4>
  public y = scaled(x)
  train {
    public step: index<10>
    loss = sum(i) y[i]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['\n\n  derivative(dy) -> dx {\n    dx[t] = A[t] * dy[t]\n  }', '']],
    checkOnly: true,
  },
  ZKL524: {
    title: 'the gradient of this quotient or root',
    meaning:
      'Derivatives are known of P / Q, of c / sqrt(Q) with a constant c, and of roots that are proved to be at least one unit ' +
      'of their type.',
    remedy: 'Round the reciprocal root, `round(1 / sqrt(Q))`, and multiply by it; or add a constant under the root.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  y[i] = round<16, 8>(A[i] / sqrt(1 + A[i] * A[i]))
  public z = round<24, 8>(sum(i) x[i] * y[i])
  train {
    public step: index<10>
    loss = z
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['round<16, 8>(A[i] / sqrt(1 + A[i] * A[i]))', 'A[i] * round<16, 8>(1 / sqrt(1 + A[i] * A[i]))']],
    checkOnly: true,
  },
  ZKL525: {
    title: 'the gradient of a table that is no expression of its argument',
    meaning:
      'The derivative of a table is tabulated as well, and is found from the expression that the table is declared with.',
    remedy: 'Declare the table by sums, products, powers and functions of its argument.',
    example: `import { sgd } from "std"
table part(x: fixed<8, 4>) -> fixed<8, 4> = sum(k: 2) x / 4
model m {
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = part(A[i])
  train {
    public step: index<10>
    loss = sum(i) y[i]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['sum(k: 2) x / 4', 'x / 2']],
    checkOnly: true,
  },
  ZKL526: {
    title: 'no `public step` in `train`',
    meaning:
      'The steps of a run are counted by an input that everybody sees, of as many values as there are steps: schedules are tabulated over it, and who verifies a run asks for one proof of each.',
    remedy: 'Declare it in `train`: `public step: index<K>`, with K the number of steps.',
    example: trained('    loss = sum(i) y[i]\n    minimize loss over adapter by sgd(rate = 1e-3)'),
    mend: [['    loss', '    public step: index<10>\n    loss']],
    checkOnly: true,
  },
  ZKL527: {
    title: 'open weights of `{source}` are trained',
    meaning:
      'A trained weight is secret: it leaves a step as a commitment, and open weights are read from a checkpoint that anybody has.',
    remedy: 'Train an adapter, or declare the weight `secret` with a type.',
    example: trained(`${STEP}    minimize loss over base by sgd(rate = 1e-3)`),
    mend: [['over base', 'over adapter']],
    checkOnly: true,
  },
  ZKL528: {
    title: '`{name}` is not defined by the optimizer',
    meaning: "An optimizer says what the weight is after the step, `w'`, and so it does for each of its states.",
    remedy: 'Define it, or leave the state out.',
    example: trained(STEP + OWN, own("  state m: fixed<16, 8> = 0\n  w' = round(w - m * g / 4)\n")),
    mend: [['= 0\n', "= 0\n  m' = round(m / 2 + g)\n"]],
    checkOnly: true,
  },
  ZKL529: {
    title: 'the first value of a state',
    meaning:
      'Before the first step a state is a number or the weight itself, in a type that holds it: who starts a run works it out without a proof.',
    remedy: 'Write a number, or the name of the weight.',
    example: trained(
      STEP + OWN,
      own("  state m: fixed<16, 8> = w * w\n  m' = round(m / 2 + g)\n  w' = round(w - m' / 4)\n"),
    ),
    mend: [['= w * w', '= w']],
    checkOnly: true,
  },
  ZKL530: {
    title: 'a pattern that matches a part of a tensor',
    meaning: 'A tensor that is stacked over files is trained as a whole.',
    remedy: 'Match all of its names, or declare a tensor for each file.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"
  public y[l, i] = A[l, i] * x[i]
  train {
    public step: index<10>
    loss = sum(l, i) y[l, i]
    minimize loss over adapter "layers.0.*" by sgd(rate = 1e-3)
  }
}
`,
    mend: [
      ['"layers.0.*"', '"a"'],
      ['A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"', 'A[2, 4]: fixed<8, 4> from adapter "a"'],
    ],
    checkOnly: true,
  },
  ZKL531: {
    title: 'a trained weight that is stacked over files',
    meaning:
      'What a step makes of a weight leaves the proof under one name; a tensor that is stacked over files has several.',
    remedy: 'Declare a tensor for each file, in a block or a `repeat`.',
    example: `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"
  public y[l, i] = A[l, i] * x[i]
  train {
    public step: index<10>
    loss = sum(l, i) y[l, i]
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`,
    mend: [['A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"', 'A[2, 4]: fixed<8, 4> from adapter "a"']],
    checkOnly: true,
  },
  ZKL514: {
    title: 'a secret output that has no fixed-point type',
    meaning: 'It leaves as a commitment, of which every entry is shown to be in a type that a later program declares.',
    remedy: 'Round it, or declare it `public`.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret z[i] = x[i] ^ 2
  public y[i] = 3 * x[i]
}
`,
    mend: [['x[i] ^ 2', 'round<12, 4>(x[i] ^ 2)']],
  },
  ZKL515: {
    title: 'open tensors from a state',
    meaning: 'A `source state` is what another program puts out as a commitment, and nobody has its numbers to check.',
    remedy: 'Declare them `secret`, or take them from another source.',
    example: `model m {
  source state before
  secret x[4]: fixed<8, 4>
  open A[4]: fixed<8, 4> from before "a"
  public y[i] = A[i] * x[i]
}
`,
    mend: [['open A', 'secret A']],
  },
});
