/** 520 to 525: what has no gradient, or none that is known. */
import { entries } from '../entry.ts';

/** A model whose loss is minimised over its adapter; `before` stands in front of it. */
const trained = (body: string, loss: string, before = ''): string => `import { sgd } from "std"
${before === '' ? '' : `${before}\n`}model m {
${body}
  train {
    public step: index<10>
    loss = ${loss}
    minimize loss over adapter by sgd(rate = 1e-3)
  }
}
`;

export const gradients = entries({
  ZKL520: {
    title: 'the loss depends on nothing that is trained',
    meaning: 'Its gradient by every trained weight is 0: a step would change nothing.',
    remedy: 'Minimise a loss that reads the trained weights.',
    example: trained(
      `  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = A[i] * x[i]`,
      'sum(i) x[i]',
    ),
    mend: [['loss = sum(i) x[i]', 'loss = sum(i) y[i]']],
    checkOnly: true,
  },
  ZKL521: {
    title: 'the gradient of a maximum',
    meaning:
      'A maximum has no derivative where two entries attain it. Blocks that use one say what their derivative is.',
    remedy: 'Put it into a block with a `derivative`, or leave it out of the loss.',
    example: trained(
      `  secret A[4]: fixed<8, 4> from adapter "a"
  public y = max(i) A[i]`,
      'y * y',
    ),
    mend: [['max(i) A[i]', 'sum(i) A[i]']],
    checkOnly: true,
  },
  ZKL522: {
    title: 'the gradient of entries that are chosen this way',
    meaning:
      'What flows back to a tensor is found by solving for the indices that read it. Solved are single indices, digits of ' +
      'one (`i div K`, `i mod K`), sums of indices whose strides are nested, and one index plus or minus others.',
    remedy: 'Read the entries by simpler indices, through a tensor in between.',
    example: trained(
      `  secret x[5, 4]: fixed<8, 4>
  secret A[20]: fixed<8, 4> from adapter "a"
  public y[i: 5, j: 4] = A[(2 * i + 3 * j) mod 20] * x[i, j]`,
      'sum(i: 5, j: 4) y[i, j]',
    ),
    mend: [['(2 * i + 3 * j) mod 20', '4 * i + j']],
    checkOnly: true,
  },
  ZKL523: {
    title: 'a trained weight inside `{name}`, which has a derivative of its own',
    meaning:
      "A `derivative` gives the cotangents of a block's parameters; weights that the block reads get none from it.",
    remedy: 'Give the weight to the block as a parameter.',
    example: trained(
      `  secret x[4]: fixed<8, 4>
  public y = scaled(x)`,
      'sum(i) y[i]',
      `block scaled(x[T]) -> y[T] {
  secret A[T]: fixed<8, 4> from adapter "a"
  y[t] = A[t] * x[t]

  derivative(dy) -> dx {
    dx[t] = A[t] * dy[t]
  }
}`,
    ),
    mend: [['\n\n  derivative(dy) -> dx {\n    dx[t] = A[t] * dy[t]\n  }', '']],
    checkOnly: true,
  },
  ZKL524: {
    title: 'the gradient of this quotient or root',
    meaning:
      'Derivatives are known of P / Q, of c / sqrt(Q) with a constant c, and of roots that are proved to be at least one unit ' +
      'of their type.',
    remedy: 'Round the reciprocal root, `round(1 / sqrt(Q))`, and multiply by it; or add a constant under the root.',
    example: trained(
      `  secret x[4]: fixed<8, 4>
  secret A[4]: fixed<8, 4> from adapter "a"
  y[i] = round<16, 8>(A[i] / sqrt(1 + A[i] * A[i]))
  public z = round<24, 8>(sum(i) x[i] * y[i])`,
      'z',
    ),
    mend: [['round<16, 8>(A[i] / sqrt(1 + A[i] * A[i]))', 'A[i] * round<16, 8>(1 / sqrt(1 + A[i] * A[i]))']],
    checkOnly: true,
  },
  ZKL525: {
    title: 'the gradient of a table that is no expression of its argument',
    meaning:
      'The derivative of a table is tabulated as well, and is found from the expression that the table is declared with.',
    remedy: 'Declare the table by sums, products, powers and functions of its argument.',
    example: trained(
      `  secret A[4]: fixed<8, 4> from adapter "a"
  public y[i] = part(A[i])`,
      'sum(i) y[i]',
      `table part(x: fixed<8, 4>) -> fixed<8, 4> = sum(k: 2) x / 4`,
    ),
    mend: [['sum(k: 2) x / 4', 'x / 2']],
    checkOnly: true,
  },
});
