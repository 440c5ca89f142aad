/** 6xx: warnings. The program means something, and perhaps not what was meant. */
import { entries } from './entry.ts';

export const warnings = entries({
  ZKL601: {
    title: 'doc comment that belongs to nothing',
    meaning: '`///` describes the item or statement that begins on the next line, and none does.',
    remedy: 'Put it directly above what it describes, or write `//`.',
    example: `/// Twice its input.

model m {
  secret x[4]: fixed<8, 4>
  public y = 2 * x
}
`,
    mend: [['input.\n\n', 'input.\n']],
  },
  ZKL602: {
    title: 'a definition that no output needs',
    meaning: 'Nothing that is proved depends on it, so it is left out of the program.',
    remedy: 'Delete it, or use it.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  z = sum(i) x[i]
  public y = 2 * x
}
`,
    mend: [['  z = sum(i) x[i]\n', '']],
  },
  ZKL603: {
    title: 'an input that nothing uses',
    meaning: 'It is part of the statement, and no output says anything about it.',
    remedy: 'Delete it, or use it.',
    example: `model m {
  secret x[4]: fixed<8, 4>
  secret z[4]: fixed<8, 4>
  public y = 2 * x
}
`,
    mend: [['  secret z[4]: fixed<8, 4>\n', '']],
  },
  ZKL604: {
    title: '`{name}` is imported and not used',
    meaning: 'Nothing in the file uses it.',
    remedy: 'Leave it out.',
    example: `import { relu, silu } from "std"
model m {
  secret x[4]: fixed<8, 4>
  public y = relu(x)
}
`,
    mend: [[', silu', '']],
  },
});
