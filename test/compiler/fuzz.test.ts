/** Damaged programs: whatever the text, the checker answers with diagnostics whose spans lie in their files. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderDiagnostics } from '../../grammar/render.ts';
import { verifyTensorProgram } from '../../compiler/ir/tensor/verify.ts';
import { cases } from '../golden/golden.ts';
import { checkText, textOf } from './standard.ts';

/** Cases that are quick to check. */
const SOURCES = [...cases('compiler/programs'), ...cases('compiler/problems')]
  .filter(({ name }) => !/llama|train|too_many|attention/.test(name))
  .map(({ source }) => source);

const TOKEN = /"[^"\n]*"|[A-Za-z_]\w*'?|\d+(?:\.\d+)?|->|<=|>=|==|!=|\s+|./g;

/** One change of a token: dropped, doubled, swapped with the next, or replaced by one from elsewhere. */
function damage(tokens: readonly string[], [kind, where, other]: readonly [number, number, number]): string[] {
  const at = where % tokens.length;
  const before = tokens.slice(0, at);
  const after = tokens.slice(at + 1);
  if (kind === 0) return [...before, ...after];
  if (kind === 1) return [...before, tokens[at], ' ', tokens[at], ...after];
  if (kind === 2) return [...before, ...after.slice(0, 1), tokens[at], ...after.slice(1)];
  return [...before, tokens[other % tokens.length], ...after];
}

const changes = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 5000 }), fc.nat({ max: 5000 })), {
  minLength: 1,
  maxLength: 4,
});

test('damaged programs are refused or understood, never thrown at', () => {
  fc.assert(
    fc.property(fc.constantFrom(...SOURCES), changes, (source, list) => {
      const text = list.reduce(damage, source.match(TOKEN) ?? []).join('');
      const { all, programs } = checkText(text);
      for (const program of programs) expect(verifyTensorProgram(program)).toEqual([]);
      for (const { span, notes = [] } of all)
        for (const place of [span, ...notes.map((note) => note.span)]) {
          const length = textOf(place.source, text)?.length ?? -1;
          expect(place.start >= 0 && place.start <= place.end && place.end <= length).toBe(true);
        }
      renderDiagnostics(all, (name) => textOf(name, text));
    }),
    { numRuns: 300 },
  );
});
