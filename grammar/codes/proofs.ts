/** 5xx: programs that mean something and cannot be proved yet. */
import { entries } from './entry.ts';

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
