/** What files and hashes begin with: versions, and texts that never stand for two things. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { pack, unpack } from '../../../compiler/bundle/container.ts';
import { FORMAT_VERSION, RELEASE } from '../../../compiler/bundle/version.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { decodeOpening, encodeOpening } from '../../../runtime/codec/files.ts';
import { printSource, releaseTag } from '../../../runtime/protocol/statement/statement.ts';

const tensor = { name: 'W', axes: [{ length: 3, columnBits: 2 }], bits: 6, frac: 2, firstRow: 0, rows: 1 };
const source = (name: string, open: boolean, tensors = [tensor]): CommittedSource => ({
  name,
  ...(open ? { open: true } : {}),
  columns: 32,
  rows: 1,
  tensors,
});

describe('layouts as text', () => {
  test('an open source and a secret one of the name "open base" differ', () => {
    expect(printSource(source('base', true))).not.toBe(printSource(source('open base', false)));
  });

  test('one tensor whose name reads like two is not two', () => {
    const two = [tensor, { ...tensor, name: 'V' }];
    const name = 'W" fixed<6, 2> [3:2] rows 0+1\n"V';
    for (const one of [name, name.replaceAll('"', '')])
      expect(printSource(source('a', false, [{ ...tensor, name: one }]))).not.toBe(
        printSource(source('a', false, two)),
      );
  });

  test('any two that differ print differently', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.constantFrom('open ', 'open base', 'base', 'base 1x32', '"base"', 'a 1x32\n"W" fixed<6, 2> [3:2] rows 0+1'),
    );
    const one = fc.tuple(name, fc.boolean());
    fc.assert(
      fc.property(one, one, (a, b) => {
        const same = a[0] === b[0] && a[1] === b[1];
        expect(printSource(source(...a)) === printSource(source(...b))).toBe(same);
      }),
      { seed: 21, numRuns: 2000 },
    );
  });
});

test('the release in the randomness of proofs is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  expect(RELEASE).toBe(version);
  expect(new TextDecoder().decode(releaseTag('statement'))).toBe(`zkl/${FORMAT_VERSION} statement of ${version}\n`);
});

test('a file of another version is refused by name', () => {
  const old = pack('p', { HEAD: new Uint8Array(3) });
  old[4] = 1;
  expect(() => unpack('p', ['HEAD'], old)).toThrow(
    new CodecError(
      `the proof has format version 1, and this zkl reads version ${FORMAT_VERSION}: make it again, or use the zkl that made it`,
    ),
  );
});

test('an opening with one wrong bit anywhere is refused', () => {
  const bytes = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
  const file = encodeOpening({ commitment: bytes(1), matrix: bytes(2), seed: bytes(3) });
  expect(decodeOpening(file).seed).toEqual(bytes(3));
  for (let bit = 0; bit < 8 * file.length; bit++) {
    const bad = file.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    expect(() => decodeOpening(bad), `bit ${bit}`).toThrow(CodecError);
  }
});
