/** Random models whose `A` is trained: views, sums, gathers, guards, roundings, tables and quotients, one upon the other. */
import fc from 'fast-check';

/** What shrinks; every number is taken modulo what there is to choose from. */
interface Sketch {
  readonly shapes: readonly (readonly number[])[];
  readonly statements: readonly {
    readonly shape: readonly number[];
    readonly around: number;
    readonly terms: readonly { readonly factors: readonly Choice[]; readonly sign: boolean; readonly guard: number }[];
  }[];
}

interface Choice {
  readonly tensor: number;
  readonly axes: readonly number[];
}

const SIZES = [1, 2, 3, 4, 6] as const;
const shape = fc.array(fc.constantFrom(...SIZES), { minLength: 1, maxLength: 2 });

const sketches: fc.Arbitrary<Sketch> = fc.record({
  shapes: fc.tuple(shape, shape, shape),
  statements: fc.array(
    fc.record({
      shape,
      around: fc.nat(9),
      terms: fc.array(
        fc.record({
          factors: fc.array(
            fc.record({ tensor: fc.nat(30), axes: fc.array(fc.nat(60), { minLength: 2, maxLength: 2 }) }),
            { minLength: 1, maxLength: 2 },
          ),
          sign: fc.boolean(),
          guard: fc.nat(9),
        }),
        { minLength: 1, maxLength: 2 },
      ),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Texts of models with a scalar `loss`, which reads `A` where the program happens to. */
export const trainedModels = (): fc.Arbitrary<string> => sketches.map(write);

interface Named {
  readonly name: string;
  readonly shape: readonly number[];
}

function write({ shapes: [a, x, i], statements }: Sketch): string {
  const tensors: Named[] = [
    { name: 'A', shape: a },
    { name: 'x', shape: x },
  ];
  const lines = [
    `secret A[${a.join(', ')}]: fixed<16, 12> from adapter "A"`,
    `secret x[${x.join(', ')}]: fixed<16, 12>`,
    // Chooses among the entries of the first axis of A.
    `secret n[${i[0]}]: index<${a[0]}>`,
  ];
  for (const [k, made] of statements.entries()) {
    const axes = made.shape.map((size, j) => ({ name: `i${j}`, size }));
    const terms = made.terms.map((term, t) => {
      const reduced: { name: string; size: number }[] = [];
      const factors = term.factors.map((choice, f) => {
        // The newest ones most: what is not read has no gradient.
        const tensor = tensors[Math.max(0, tensors.length - 1 - (choice.tensor % 3))];
        const at = tensor.shape.map((size, axis) => {
          const index = { tensor: tensor.name, axis, size, indices: i[0], choice: choice.axes[axis] };
          return position(index, axes, reduced, `r${t}${f}${axis}`);
        });
        return `${tensor.name}[${at.join(', ')}]`;
      });
      const over = [...axes, ...reduced];
      const product = `${term.sign ? '' : '-'}${factors.join(' * ')}`;
      const guard = term.guard < 3 ? guardOf(term.guard, over) : '';
      const body = guard === '' ? product : `(if ${guard} then ${product} else 0)`;
      return reduced.length === 0
        ? `(${body})`
        : `(sum(${reduced.map((r) => `${r.name}: ${r.size}`).join(', ')}) ${body})`;
    });
    const name = `t${k}`;
    const target = `${name}[${axes.map((v) => `${v.name}: ${v.size}`).join(', ')}]`;
    lines.push(...around(made.around, name, target, axes, terms.join(' + ')));
    tensors.push({ name, shape: made.shape });
  }
  const last = tensors[tensors.length - 1];
  const own = last.shape.map((_, j) => `i${j}`).join(', ');
  lines.push(`loss = sum(${own}) (${last.name}[${own}] * ${last.name}[${own}] + ${last.name}[${own}])`);
  return `import { silu } from "std"\nmodel m {\n  ${lines.join('\n  ')}\n}`;
}

/** An index that stays inside its axis, of one of the forms that are turned around. */
function position(
  of: { tensor: string; axis: number; size: number; indices: number; choice: number },
  axes: readonly { name: string; size: number }[],
  reduced: { name: string; size: number }[],
  fresh: string,
): string {
  const { size, choice } = of;
  const known = [...axes, ...reduced];
  const any = known[choice % known.length];
  const fitting = known.filter((v) => v.size <= size);
  const fits = fitting.at(choice % Math.max(1, fitting.length));
  switch (choice % 8) {
    case 0:
    case 1:
    case 2:
      if (fits !== undefined) return fits.name;
      break;
    case 3:
      return `${any.name} mod ${size}`;
    case 4:
      return `${any.name} div ${Math.ceil(any.size / size)}`;
    case 5:
      if (fits !== undefined) return `${size - 1} - ${fits.name}`;
      break;
    case 6: {
      const chooser = known.find((v) => v.size <= of.indices);
      if (of.tensor === 'A' && of.axis === 0 && chooser !== undefined) return `n[${chooser.name}]`;
      break;
    }
    case 7:
      return String(choice % size);
  }
  reduced.push({ name: fresh, size });
  return fresh;
}

function guardOf(choice: number, over: readonly { name: string; size: number }[]): string {
  // A guard that always or never holds is refused.
  const long = over.filter((v) => v.size > 1);
  const [first] = long;
  const last = long.at(-1);
  if (last === undefined) return '';
  if (first === last) return `${first.name} ${['<', '>=', '=='][choice]} ${Math.floor(first.size / 2)}`;
  return `${first.name} ${['<=', '!=', '>'][choice]} ${last.name}`;
}

/** What is put around a sum: mostly a rounding. */
function around(
  choice: number,
  name: string,
  target: string,
  axes: readonly { name: string }[],
  sum: string,
): string[] {
  const at = `[${axes.map((v) => v.name).join(', ')}]`;
  const rounded = `${name}r${target.slice(name.length)} = round<16, 8>((${sum}) / 4)`;
  switch (choice) {
    case 0:
    case 1:
    case 2:
      return [`${target} = ${sum}`];
    case 3:
      return [rounded, `${target} = silu(${name}r${at})`];
    case 4:
      return [rounded, `${target} = round<16, 8>(${name}r${at} / (2 + ${name}r${at} * ${name}r${at}))`];
    case 5:
      return [rounded, `${target} = round<16, 8>(1 / sqrt(1 + ${name}r${at} * ${name}r${at}))`];
    case 6:
      return [rounded, `${target} = round<16, 8>(sqrt(1 + ${name}r${at} * ${name}r${at}))`];
    default:
      return [`${target} = round<16, 8>(${sum})`];
  }
}
