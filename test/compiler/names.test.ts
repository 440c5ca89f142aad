/** The table of names: every definition once, with every place that uses it. */
import { expect, test } from 'vitest';
import { Files } from '../../compiler/check/names/files.ts';
import { resolveItems } from '../../compiler/check/names/resolve.ts';
import { Reporter } from '../../compiler/check/report.ts';
import { checkModel } from '../../compiler/check/statements/model.ts';
import { parse } from '../../grammar/index.ts';
import { checkText, resolveImport } from './standard.ts';

const TEXT = `import { exp, linear } from "std"
block scale<O>(x[N], const c, source s = adapter) -> y[O] {
  secret W[O, N]: fixed<8, 4> from s "w"
  y[o] = c * sum(i) W[o, i] * x[i]
}
block never(x[N]) -> y[N] {
  y[i] = exp(round(x[i]))
}
model m {
  dim T = 4
  source style
  secret x[T]: fixed<8, 4>
  repeat l: 2 at "layer.{l}" {
    a = scale<T>(x, 2)
    b = scale<T>(x, c = 3, s = style) at "b"
    x' = round<8, 4>(a + b)
  }
  public y = x
}
`;

/** \`NAME LINE:COLUMN KIND\` of every definition in the text, with the places of its uses. */
function namesOf(text: string): Record<string, string> {
  const reporter = new Reporter();
  const { program } = parse(text, 'case.zkl');
  const { scope } = new Files(reporter, resolveImport).main(program, 'case.zkl');
  for (const model of program.items) {
    if (model.kind !== 'model') continue;
    checkModel({ reporter, model, scope, overrides: {}, calibration: {}, provisional: true });
  }
  resolveItems(reporter, program, scope);
  expect(reporter.diagnostics).toEqual([]);
  const at = (start: number): string => {
    const before = text.slice(0, start).split('\n');
    return `${before.length}:${before[before.length - 1].length + 1}`;
  };
  const own = [...scope.table.entries()].filter(({ definition }) => definition.source === 'case.zkl');
  return Object.fromEntries(
    own.map(({ name, kind, definition, uses }) => [
      `${name} ${at(definition.start)} ${kind}`,
      uses
        .filter(({ source }) => source === 'case.zkl')
        .map(({ start }) => start)
        .sort((a, b) => a - b)
        .map(at)
        .join(' '),
    ]),
  );
}

test('a name is one entry, however often its block is read, and knows all its uses', () => {
  expect(namesOf(TEXT)).toMatchObject({
    'exp 1:10 table': '7:10',
    'linear 1:15 block': '',
    'scale 2:7 block': '14:9 15:9',
    'O 2:13 dim': '2:56 3:12',
    'N 2:18 dim': '3:15',
    'c 2:28 const': '4:10 15:21',
    'source s 2:38 source': '3:36 15:28',
    'source style 11:10 source': '15:32',
    'source adapter 1:1 source': '2:42',
    'l 13:10 counter': '13:26',
    // The value before the repeat, and that of the iteration before.
    'x 12:10 tensor': '14:18 15:18 16:5 18:14',
    'x 16:5 tensor': '14:18 15:18 18:14',
    'N 6:15 unread': '6:24',
  });
});

test('an import that only a block uses which nothing calls, or a branch which is never taken, is used', () => {
  const text = `import { exp, silu, gelu, linear } from "std"
block never(x[N]) -> y[N] {
  y[i] = exp(round(x[i]))
}
block f(x[N]) -> y[N] {
  y[i] = if i < N then round<8, 4>(x[i]) else silu(round<8, 4>(x[i]))
}
model a {
  secret x[4]: fixed<8, 4>
  public y = f(x)
}
model b {
  secret x[4]: fixed<8, 4>
  public y = gelu(round<8, 4>(x))
}
`;
  const unused = checkText(text, { model: 'a' }).all.map((d) => `${d.code} ${d.title}`);
  expect(unused).toEqual(['ZKL604 `linear` is imported and not used']);
});
