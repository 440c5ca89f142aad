/** 526 to 531: what a `train` and its optimizer lack. */
import { entries } from '../entry.ts';

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
/** A weight that is stacked over two files is trained, what stands behind its source being a pattern. */
const stacked = (pattern: string): string => `import { sgd } from "std"
model m {
  secret x[4]: fixed<8, 4>
  secret A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"
  public y[l, i] = A[l, i] * x[i]
  train {
    public step: index<10>
    loss = sum(l, i) y[l, i]
    minimize loss over adapter${pattern} by sgd(rate = 1e-3)
  }
}
`;
const WHOLE = ['A[l: 2, 4]: fixed<8, 4> from adapter "layers.{l}.a"', 'A[2, 4]: fixed<8, 4> from adapter "a"'] as const;
const own = (body: string): string => `optimizer own(w, g, step) {\n${body}}\n`;

export const optimizers = entries({
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
    example: stacked(' "layers.0.*"'),
    mend: [['"layers.0.*"', '"a"'], WHOLE],
    checkOnly: true,
  },
  ZKL531: {
    title: 'a trained weight that is stacked over files',
    meaning:
      'What a step makes of a weight leaves the proof under one name; a tensor that is stacked over files has several.',
    remedy: 'Declare a tensor for each file, in a block or a `repeat`.',
    example: stacked(''),
    mend: [WHOLE],
    checkOnly: true,
  },
});
