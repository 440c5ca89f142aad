import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeBundle } from '../../../compiler/bundle/bundle.ts';
import { printKernels } from '../../../compiler/ir/gadget/kernels.ts';
import { printGadgetProgram } from '../../../compiler/ir/gadget/print.ts';
import { compile } from '../../../compiler/index.ts';
import { bodySize } from '../../../runtime/protocol/argument.ts';
import { planProgram } from '../../../runtime/protocol/program.ts';
import { soundnessBits } from '../../../runtime/protocol/soundness.ts';
import { cases, golden } from '../../golden/golden.ts';

const resolveImport = (): undefined => undefined;

describe('lowering to the gadget program', () => {
  test.each(cases('gadget'))('$name', async ({ file, source }) => {
    const compiled = compile({ text: source, source: 'case.zkl', resolveImport });
    const sections: Record<string, string> = { SOURCE: source };
    sections.PROBLEMS = compiled.diagnostics
      .map(
        (d) =>
          `${d.code} ${d.severity}: ${d.title} (${source.slice(d.span.start, d.span.end)}): ${d.label}; ${d.help ?? ''}`,
      )
      .join('\n');
    if (compiled.gadgets) {
      const argument = await planProgram(compiled.gadgets);
      const { plain, triples, copies, labels } = argument.pads;
      sections.GADGETS = printGadgetProgram(compiled.gadgets);
      sections.KERNELS = printKernels(compiled.gadgets);
      sections.COST = `${labels.length} messages, ${plain} plain pads, ${triples} products, ${copies.size} copies, ${bodySize(argument)} bytes, 2^-${soundnessBits(argument).toFixed(1)}`;
    }
    golden(`gadget/${basename(file)}`, sections);
  });

  test('the same source gives the same bytes, and a bundle decodes to what was encoded', () => {
    for (const { source } of cases('gadget')) {
      const [a, b] = [0, 1].map(() => compile({ text: source, source: 'case.zkl', resolveImport }));
      expect(a.bundle).toEqual(b.bundle);
      if (a.bundle) expect(printGadgetProgram(decodeBundle(a.bundle).gadgets)).toBe(printGadgetProgram(a.gadgets!));
    }
  });

  test('comments and blank lines change neither program nor digest', () => {
    const [{ source }] = cases('gadget').filter((c) => c.name.includes('module'));
    const moved = `// a comment\n\n${source}`;
    const digests = [source, moved].map(
      (text) => decodeBundle(compile({ text, source: 'case.zkl', resolveImport }).bundle!).digest,
    );
    expect(digests[0]).toEqual(digests[1]);
  });
});
