/** 3xx: indices. */
import { entries } from './entry.ts';

export const indices = entries({
  ZKL301: {
    title: 'no range for `{name}`',
    meaning: 'An index runs over the axis in which it stands alone; this one never does.',
    remedy: 'Say how far it runs: `i: N`.',
    example: `model m {
  secret x[8]: fixed<8, 4>
  public y[j] = x[2 * j]
}
`,
    mend: [['y[j]', 'y[j: 4]']],
  },
  ZKL302: {
    title: 'two ranges for `{name}`',
    meaning: 'An index stands alone in axes of different lengths, and could run over either.',
    remedy: 'Say how far it runs: `i: N`.',
    example: `model m {
  secret x[4, 8]: fixed<8, 4>
  public y[i] = x[i, i]
}
`,
    mend: [['y[i]', 'y[i: 4]']],
  },
  ZKL303: {
    title: 'wrong number of indices',
    meaning: 'An entry has one index for each axis of its tensor.',
    remedy: 'Write an index for each axis.',
    example: `model m {
  secret x[4, 8]: fixed<8, 4>
  public y[i] = x[i]
}
`,
    mend: [['= x[i]', '= x[i, 0]']],
  },
  ZKL304: {
    title: '`{name}` is read outside',
    meaning: 'For some values of the indices there is no such entry.',
    remedy: 'Keep the index inside with a guard, or let it run less far.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i: 4] = x[i + 1]
}
`,
    mend: [['= x[i + 1]', '= if i < 3 then x[i + 1] else 0']],
  },
  ZKL305: {
    title: 'a guard that is always {value}',
    meaning: 'Over the whole range of its indices it decides nothing, so another one was probably meant.',
    remedy: 'Leave the guard out, or correct it.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i] = if i < 4 then x[i] else 0
}
`,
    mend: [['i < 4', 'i < 3']],
  },
  ZKL307: {
    title: 'division leaves a remainder',
    meaning: 'Among indices and dimensions `/` is exact; `div` rounds down.',
    remedy: 'Write `div`, or choose lengths that divide.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i: 8] = x[i / 2]
}
`,
    mend: [['i / 2', 'i div 2']],
  },
  ZKL308: {
    title: 'a length of {length}',
    meaning: 'A dimension is a length of at least 1.',
    remedy: 'Choose lengths that leave at least 1.',
    example: `model m {
  dim T = 4, R = T - 4
  secret x[T, R]: fixed<8, 4>
  public y = 2 * x
}
`,
    mend: [['T - 4', 'T - 3']],
  },
  ZKL309: {
    title: '{what} under indices',
    meaning: 'An equation with indices speaks of entries; views, block calls and tensors without indices are whole.',
    remedy: 'Write the indices of the tensor, or give the whole a name in an equation of its own.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i: 4] = x + 1
}
`,
    mend: [['= x + 1', '= x[i] + 1']],
  },
  ZKL310: {
    title: 'an index of another length',
    meaning: 'The entries of an `index<N>` choose among N; the axis has another length.',
    remedy: 'Use the type of the axis.',
    example: `model m {
  secret x[8]: fixed<8, 4>
  secret i[4]: index<4>
  public y[t] = x[i[t]]
}
`,
    mend: [['index<4>', 'index<8>']],
  },
  ZKL311: {
    title: '`{reduction}` over nothing',
    meaning: 'For some values of the other indices the guard holds for none, or it cannot be seen that it holds.',
    remedy: 'Write a guard that always holds for one at least.',
    example: `model m {
  secret z[4, 4]: fixed<8, 4>
  public y[t] = max(s if s < t) z[t, s]
}
`,
    mend: [['s < t', 's <= t']],
  },
  ZKL313: {
    title: 'cannot prove that this stays inside',
    meaning: 'The index is too involved for the checker to bound it, and it would not try every value.',
    remedy: 'Write a guard that bounds it, or a simpler index.',
    example: `model m {
  dim N = 5000
  secret x[N]: fixed<8, 4>
  public y[i: N, j: N] = if i * j mod 7 == 3 then x[(i * j) mod 5001] else 0
}
`,
    mend: [
      ['mod 5001', 'mod 5000'],
      ['y[i: N, j: N]', 'y[i: 4, j: 4]'],
    ],
  },
  ZKL314: {
    title: 'not a fresh name',
    meaning: 'On the left of an equation, and in a reduction, stand names that run; arithmetic is for the right.',
    remedy: 'Bind a name, and use arithmetic on the right side.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[2 * i] = x[i]
}
`,
    mend: [['y[2 * i] = x[i]', 'y[i: 8] = if i mod 2 == 0 then x[i div 2] else 0']],
  },
  ZKL315: {
    title: 'a guard that depends on data',
    meaning: 'Guards are known when a program is compiled; what depends on data is arithmetic.',
    remedy: 'Use `[v == t[i]]`, one index against an entry of an index tensor, or a table.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret t[4]: index<4>
  public y[i] = if t[i] == 2 then x[i] else 0
}
`,
    mend: [['if t[i] == 2 then x[i] else 0', 'sum(v: 4) [v == t[i]] * (if v == 2 then x[i] else 0)']],
  },
  ZKL316: {
    title: '`argmax` takes one index',
    meaning: 'It gives the value of its index, and could not give two.',
    remedy: 'Reduce one index.',
    example: `model m {
  secret x[4, 8]: fixed<8, 4>
  public y = argmax(i, j) x[i, j]
}
`,
    mend: [['y = argmax(i, j)', 'y[i] = argmax(j)']],
  },
  ZKL321: {
    title: 'the right side of `{operator}` is not a positive number',
    meaning: 'Indices are divided by numbers that are known when a program is compiled, and at least 1.',
    remedy: 'Divide by a positive number or dimension.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i: 8] = x[i div 0]
}
`,
    mend: [['div 0', 'div 2']],
  },
  ZKL322: {
    title: 'a length that is not known',
    meaning: 'A dimension is made of numbers and other dimensions, not of indices or data.',
    remedy: 'Use numbers and dimensions.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret n: index<4>
  public y[i: n] = x[i]
}
`,
    mend: [
      ['  secret n: index<4>\n', ''],
      ['i: n', 'i: 4'],
    ],
  },
  ZKL323: {
    title: '`{what}` is not an index',
    meaning: 'An index is an integer below 2^53.',
    remedy: 'Write an integer.',
    example: `model m {
  const middle = 3 / 2
  secret x[4]: fixed<8, 4>
  public y = x[middle]
}
`,
    mend: [['3 / 2', '2']],
  },
  ZKL324: {
    title: 'arithmetic on an entry of an index tensor',
    meaning: 'An axis takes index arithmetic or an entry of an index tensor, not both: which entry is read is data.',
    remedy: 'Shift what is read instead of the index.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret i[4]: index<3>
  public y[t] = x[i[t] + 1]
}
`,
    mend: [['public y[t] = x[i[t] + 1]', 's[k: 3] = x[k + 1]\n  public y[t] = s[i[t]]']],
  },
  ZKL325: {
    title: '`{name}` is not an index tensor',
    meaning: 'Only the entries of an `index<N>` choose among entries.',
    remedy: 'Declare it as `index<N>`, with N the length of the axis.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret k: fixed<8, 4>
  public y = x[k]
}
`,
    mend: [['k: fixed<8, 4>', 'k: index<4>']],
  },
  ZKL332: {
    title: 'a range in an access',
    meaning: 'Only a name that is being bound takes `: N`.',
    remedy: 'Say on the left how far it runs.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  public y[i] = x[i: 4]
}
`,
    mend: [['y[i] = x[i: 4]', 'y[i: 4] = x[i]']],
  },
  ZKL333: {
    title: 'a stacked axis after an ordinary one',
    meaning: 'Axes that stack files come first, for each file is a tensor as it is.',
    remedy: 'Put them first.',
    example: `model m {
  secret A[4, l: 2]: fixed<8, 4> from adapter "h.{l}"
  public y[d] = A[d, 0] + A[d, 1]
}
`,
    mend: [
      ['A[4, l: 2]', 'A[l: 2, 4]'],
      ['A[d, 0] + A[d, 1]', 'A[0, d] + A[1, d]'],
    ],
  },
});
