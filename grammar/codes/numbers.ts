/** 4xx: constants, `round`, types and ranges. */
import { entries } from './entry.ts';

const model = (statement: string): string => `model m {
  secret x[4]: fixed<16, 8>
  ${statement}
}
`;

export const numbers = entries({
  ZKL401: {
    title: 'not a rational constant',
    meaning: 'Constants are exact, and this one is not a quotient of integers.',
    remedy: 'Round it: `round<16, 15>(...)`.',
    example: model(`const c = sqrt(2)
  public y[i] = c * x[i]`),
    mend: [['sqrt(2)', 'round<16, 14>(sqrt(2))']],
  },
  ZKL402: {
    title: '`{type}` does not hold this constant',
    meaning: 'A constant is rounded to a type with too few bits for it.',
    remedy: 'Choose more bits, or fewer after the point.',
    example: model(`const c = round<8, 7>(2)
  public y[i] = c * x[i]`),
    mend: [['round<8, 7>', 'round<8, 4>']],
  },
  ZKL403: {
    title: 'not a form that `round` takes',
    meaning: 'A proof rounds P, P/Q, sqrt(P) or P/sqrt(Q), with polynomials P and Q.',
    remedy: 'Name the inner part with a `round` of its own.',
    example: model('public y[i] = round<16, 8>(sqrt(x[i] ^ 2 + 1) + 1)'),
    mend: [['round<16, 8>(sqrt(x[i] ^ 2 + 1) + 1)', 'round<16, 8>(sqrt(x[i] ^ 2 + 1)) + 1']],
  },
  ZKL404: {
    title: 'a scale that is not known',
    meaning:
      'Without a type, `round` and open weights get their scale from a calibration, and there is none for this one.',
    remedy: 'Write the type, `round<bits, frac>(...)`, or let `zkl calibrate` choose it.',
    example: model('public y[i] = round(x[i] / 3)'),
    mend: [['round(', 'round<16, 8>(']],
  },
  ZKL405: {
    title: '`{name}` has another type',
    meaning: 'What is defined has not the type that its declaration says, or none, for nothing was rounded.',
    remedy: 'Round it: a bare `round(...)` takes the declared type.',
    example: `block twice(x[N]) -> y[N]: fixed<16, 8> {
  y = x + x
}
${model('public y = twice(x)')}`,
    mend: [['y = x + x', 'y = round(x + x)']],
  },
  ZKL407: {
    title: 'division by zero',
    meaning: 'The divisor is 0 whatever the inputs are.',
    remedy: 'Divide by something else.',
    example: model(`const k = 0
  public y[i] = x[i] / k`),
    mend: [['k = 0', 'k = 2']],
  },
  ZKL408: {
    title: 'a fixed-point type is `fixed<bits, frac>`',
    meaning: 'It has from 1 to 64 bits, with the sign, of which `frac`, from -64 to 128, stand after the point.',
    remedy: 'Give both, within these bounds.',
    example: model('public y[i] = round<8>(x[i] / 3)'),
    mend: [['round<8>', 'round<16, 8>']],
  },
  ZKL409: {
    title: '`{type}` never holds this',
    meaning: 'By its range the value overflows whatever the inputs are.',
    remedy: 'Choose more bits, or fewer after the point.',
    example: model('public y[i] = round<8, 4>(1000 + x[i])'),
    mend: [['round<8, 4>', 'round<16, 4>']],
  },
  ZKL410: {
    title: 'a `{visibility}` tensor without a type',
    meaning: 'Its scale is part of the program, and only `open` tensors may take theirs from the checkpoint.',
    remedy: 'Write the type: `: fixed<16, 14>`.',
    example: `model m {
  secret A[4] from adapter "a"
  public y[d] = 2 * A[d]
}
`,
    mend: [['A[4]', 'A[4]: fixed<16, 14>']],
  },
  ZKL411: {
    title: '`{name}` has no type to keep',
    meaning: 'What a `repeat` carries has one type in all iterations, and its first value is not rounded.',
    remedy: 'Round it before the repeat.',
    example: model(`y[i] = x[i] / 3
  repeat l: 2 {
    y' = round<16, 8>(y / 2)
  }
  public z = y`),
    mend: [['= x[i] / 3', '= round<16, 8>(x[i] / 3)']],
  },
  ZKL412: {
    title: 'not known at compile time',
    meaning: 'Constants are made of numbers, dimensions, other constants and functions of these.',
    remedy: 'Define it as a tensor, without `const`.',
    example: model(`const c = x[0]
  public y[i] = c * x[i]`),
    mend: [['const c', 'c']],
  },
  ZKL413: {
    title: 'an index as a number',
    meaning: 'An index chooses entries; as a number it has to be said that it is one.',
    remedy: 'Give its values a name in a constant tensor.',
    example: model('public y[i] = i * x[i]'),
    mend: [['public y[i] = i * x[i]', 'const is[i: 4] = i\n  public y[i] = is[i] * x[i]']],
  },
  ZKL415: {
    title: 'integers of {bits} bits',
    meaning: 'A proof computes in a field of 255 bits, in which larger integers would wrap around.',
    remedy: 'Round an inner part to fewer bits.',
    example: `model m {
  secret x[4]: fixed<64, 8>
  public y[i] = round<16, 8>(x[i] ^ 5 / 2 ^ 500)
}
`,
    mend: [
      ['fixed<64, 8>', 'fixed<16, 8>'],
      ['x[i] ^ 5 / 2 ^ 500', 'x[i] ^ 5 / 2 ^ 30'],
    ],
  },
  ZKL416: {
    title: '`{key}` has {bits} bits, `{other}` has {width}',
    meaning: 'Iterations of a `repeat` may differ in scale, not in width: they are proved as instances of one plan.',
    remedy: 'Give both keys the larger width in the calibration.',
    example: model(`repeat l: 2 at "layers.{l}" {
    h  = round(x / 3)
    x' = round<16, 8>(x + h)
  }
  public y = x`),
    given: { calibration: { 'layers.0/h': { bits: 16, frac: 8 }, 'layers.1/h': { bits: 17, frac: 8 } } },
    mendedGiven: { calibration: { 'layers.0/h': { bits: 17, frac: 8 }, 'layers.1/h': { bits: 17, frac: 8 } } },
  },
  ZKL417: {
    title: 'a number out of reach',
    meaning: 'Numbers are exact, and their exponents at most 1000.',
    remedy: 'Write a number of another order.',
    example: model('public y[i] = 1e9999 * x[i]'),
    mend: [['1e9999', '1e3']],
  },
  ZKL418: {
    title: 'not a real number',
    meaning: 'The logarithm or root of a negative number, a quotient by zero, or a number too large has no value here.',
    remedy: 'Correct what it is of.',
    example: model(`const c = round<16, 8>(log(0))
  public y[i] = c * x[i]`),
    mend: [['log(0)', 'log(2)']],
  },
  ZKL419: {
    title: 'a sum of quotients',
    meaning: 'The divisor depends on what is summed over, so that there is no common one.',
    remedy: 'Name the quotient with a `round` of its own, and sum that.',
    example: model('public y = round<16, 8>(sum(i) 1 / (1 + x[i] ^ 2))'),
    mend: [
      [
        'public y = round<16, 8>(sum(i) 1 / (1 + x[i] ^ 2))',
        'q[i] = round<16, 8>(1 / (1 + x[i] ^ 2))\n  public y = sum(i) q[i]',
      ],
    ],
  },
  ZKL420: {
    title: 'a quotient or root outside `round`',
    meaning: 'It is no polynomial, and `round(...)` says to which precision it is taken.',
    remedy: 'Put `round(...)` around it.',
    example: model('public y[i] = 1 / (1 + x[i] ^ 2)'),
    mend: [['1 / (1 + x[i] ^ 2)', 'round<16, 8>(1 / (1 + x[i] ^ 2))']],
  },
  ZKL421: {
    title: 'a `round` without a type inside an expression',
    meaning: 'Calibration gives scales by name, and an inner part has none.',
    remedy: 'Write the type, or give it a name in an equation of its own.',
    example: model('public y[i] = 1 + round(x[i] / 3)'),
    mend: [['round(', 'round<16, 8>(']],
  },
  ZKL422: {
    title: 'a constant rounded to what?',
    meaning: 'Calibration measures data and gives constants no scale.',
    remedy: 'Write the type: `round<bits, frac>(...)`.',
    example: model(`const c = round(1 / 3)
  public y[i] = c * x[i]`),
    mend: [['round(', 'round<16, 14>(']],
  },
  ZKL423: {
    title: 'another type than the one expected',
    meaning: 'The type of `round` is written, and the declaration, the table or the value that is carried has another.',
    remedy: 'Leave it out: a bare `round(...)` takes the one expected.',
    example: `block third(x[N]) -> y[N]: fixed<16, 8> {
  y = round<8, 3>(x / 3)
}
${model('public y = third(x)')}`,
    mend: [['round<8, 3>', 'round']],
  },
  ZKL424: {
    title: 'rounding to an index',
    meaning: '`round` gives numbers; an index comes from an input, or from `argmax`.',
    remedy: 'Declare a fixed-point type, or define it with `argmax`.',
    example: `block chosen(x[N]) -> y: index<4> {
  y = round(x[0])
}
${model('public y = chosen(x)')}`,
    mend: [['round(x[0])', 'argmax(i) x[i]']],
  },
  ZKL426: {
    title: '`{name}` is `{type}`',
    meaning: 'A parameter with a type takes a tensor of that type, and is given another, or one that is not rounded.',
    remedy: 'Round what is given to this type, or leave the type of the parameter out.',
    example: `block twice(x[N]: fixed<8, 4>) -> y[N] {
  y = 2 * x
}
${model('public y = twice(x)')}`,
    mend: [['x[N]: fixed<8, 4>', 'x[N]: fixed<16, 8>']],
  },
  ZKL427: {
    title: '`{name}` has another type than before',
    meaning: 'What a `repeat` or a step carries keeps its type.',
    remedy: 'Round it: a bare `round(...)` takes the type.',
    example: model(`repeat l: 2 {
    x' = x + x
  }
  public y = x`),
    mend: [['x + x', 'round(x / 2)']],
  },
  ZKL429: {
    title: 'a divisor that is never positive',
    meaning: 'A rounded quotient has a positive divisor, and by its range this one is 0 or less.',
    remedy: 'Turn the signs of both around, or correct the divisor.',
    example: model('public y[i] = round<16, 8>(x[i] / (0 - x[0] ^ 2 - 1))'),
    mend: [['x[i] / (0 - x[0] ^ 2 - 1)', '-x[i] / (x[0] ^ 2 + 1)']],
  },
  ZKL430: {
    title: 'the root of what is never positive',
    meaning: 'By its range this is below 0 whatever the inputs are.',
    remedy: 'Correct what stands under the root.',
    example: model('public y = round<16, 8>(sqrt(0 - x[0] ^ 2 - 1))'),
    mend: [['0 - x[0] ^ 2 - 1', 'x[0] ^ 2 + 1']],
  },
  ZKL431: {
    title: 'an index type is `index<N>`, N at least 1',
    meaning: 'It chooses among N entries.',
    remedy: 'Write one number of at least 1.',
    example: `model m {
  secret x[4]: fixed<16, 8>
  secret i[2]: index<4, 2>
  public y[t] = x[i[t]]
}
`,
    mend: [['index<4, 2>', 'index<4>']],
  },
  ZKL432: {
    title: '`round` takes `<bits, frac>` without names',
    meaning: 'What stands between `<` and `>` after `round` is two numbers, by their places.',
    remedy: 'Write the two numbers.',
    example: model('public y[i] = round<B = 16, F = 8>(x[i] / 3)'),
    mend: [['B = 16, F = 8', '16, 8']],
  },
  ZKL433: {
    title: 'an exponent that is not constant',
    meaning: 'A power is a product of as many factors as a constant says.',
    remedy: 'Write a constant, or a table for other functions.',
    example: model('public y[i] = x[i] ^ x[0]'),
    mend: [['^ x[0]', '^ 2']],
  },
  ZKL434: {
    title: 'a view in a constant',
    meaning: 'Constants are worked out entry by entry, and a view is of a whole tensor.',
    remedy: 'Write its entries.',
    example: model(`const a[i: 4] = i
  const c[i: 4] = a as [4]
  public y[i] = c[i] * x[i]`),
    mend: [['a as [4]', 'a[i]']],
  },
  ZKL435: {
    title: '`{operator}` in a constant',
    meaning: 'Only sums are taken over indices of constants.',
    remedy: 'Write the constant that it would be.',
    example: model(`const c = max(i: 3) 1
  public y[i] = c * x[i]`),
    mend: [['max(i: 3)', 'sum(i: 3)']],
  },
});
