/** The files beside a program: scales, samples, references. */
import { describe, expect, test } from 'vitest';
import { readCalibration, writeCalibration, type CalibrationFile } from '../../../models/calibrate/file.ts';
import { randomSamples, referenceFromJson, samplesFromJson } from '../../../models/calibrate/samples.ts';
import type { WantedInput } from '../../../models/files/inputs.ts';

describe('calibration files', () => {
  const file: CalibrationFile = {
    about: 'values of 16 bits',
    weights: new Map([['base:a.weight', { bits: 16, frac: 14 }]]),
    values: new Map([
      ['net.0/x', { bits: 16, frac: -3 }],
      ["net.0/x'", { bits: 17, frac: 10 }],
    ]),
  };

  test('are read as they were written', () => {
    const text = writeCalibration(file);
    expect(text).toBe(`{
  "about": "values of 16 bits",
  "weights": {
    "base:a.weight": "fixed<16, 14>"
  },
  "values": {
    "net.0/x": "fixed<16, -3>",
    "net.0/x'": "fixed<17, 10>"
  }
}
`);
    expect(readCalibration(text, 'c.json')).toEqual(file);
    const empty = { about: '', weights: new Map(), values: new Map() };
    expect(readCalibration(writeCalibration(empty), 'c.json')).toEqual(empty);
    expect(readCalibration('{}', 'c.json')).toEqual(empty);
  });

  test.each([
    ['[]', 'it is no JSON object'],
    ['{"scales": {}}', 'it has "scales"'],
    ['{"about": 3}', '"about" is no text'],
    ['{"values": []}', '"values" is no object'],
    ['{"values": {"x": "fixed<16>"}}', '"x" is "fixed<16>"; write a type'],
    ['{"values": {"x": {"bits": 16}}}', '"x" is'],
    ['{"values": {"x": "fixed<65, 3>"}}', 'from 1 to 64 bits'],
    ['{"values": {"x": "fixed<16, 129>"}}', 'from -64 to 128'],
    ['{"values": {"x": "index<4>"}}', '"x" is "index<4>"'],
    ['{"values": {"x": "fixed<16, 1>", "x": "fixed<16, 2>"}}', 'the name "x" twice'],
  ])('%s is refused', (text, message) => {
    expect(() => readCalibration(text, 'c.json')).toThrow(message);
  });
});

const tokens: WantedInput = { name: 'tokens', shape: [3], type: { kind: 'index', size: 10 } };
const x: WantedInput = { name: 'x', shape: [2, 2], type: { kind: 'fixed', bits: 16, frac: 8 } };

describe('samples', () => {
  test('of tokens, with and without what follows', () => {
    const [short, long] = samplesFromJson(
      '{"sequences": [[1, 2, 3], [4, 5, 6, 7, 8]], "about": "x"}',
      's.json',
      [tokens],
      ['about'],
    );
    expect([...(short.inputs.get('tokens') ?? [])]).toEqual([1, 2, 3]);
    expect(short.targets).toBeUndefined();
    expect([...(long.inputs.get('tokens') ?? [])]).toEqual([4, 5, 6]);
    expect([...(long.targets ?? [])]).toEqual([5, 6, 7]);
    expect([short.length, long.length]).toEqual([undefined, undefined]);
  });

  test('of fewer tokens are filled up, and only their own positions count', () => {
    const [two] = samplesFromJson('{"tokens": [[4, 5]]}', 's.json', [tokens]);
    expect([...(two.inputs.get('tokens') ?? [])]).toEqual([4, 5, 0]);
    expect([two.length, ...(two.targets ?? [])]).toEqual([2, 5]);
    expect(() => samplesFromJson('{"tokens": [[]]}', 's.json', [tokens])).toThrow('has 0 entries');
  });

  test('what they were measured at is read as it was written', () => {
    const measured = {
      samples: 2,
      positions: 32,
      overflows: 0,
      agreement: 1,
      ties: 1,
      clearAgreement: 1,
      lastAgreement: 1,
    };
    const measuredFile: CalibrationFile = { about: 'a', measured, weights: new Map(), values: new Map() };
    expect(readCalibration(writeCalibration(measuredFile), 'c.json')).toEqual(measuredFile);
    for (const bad of ['3', '{}', '{"samples": 1, "positions": 2, "overflows": "0"}', '{"other": 1}'])
      expect(() => readCalibration(`{"measured": ${bad}}`, 'c.json')).toThrow('"measured"');
  });

  test('of several inputs', () => {
    const [only] = samplesFromJson('{"x": [[[1, 2], [3, -0.5]]], "tokens": [[0, 9, 0]]}', 's.json', [x, tokens]);
    expect([...(only.inputs.get('x') ?? [])]).toEqual([1, 2, 3, -0.5]);
    expect(samplesFromJson('{}', 's.json', [])).toEqual([]);
  });

  test.each([
    ['[]', 'it is no JSON object'],
    ['{"x": [[[1, 2], [3, 4]]]}', 'there is no list of samples "tokens"'],
    ['{"x": [], "tokens": []}', 'there is no list of samples "x"'],
    ['{"x": [[[1, 2], [3, 4]]], "tokens": [[1, 2, 3], [1, 2, 3]]}', '"x" has 1 samples, "tokens" has 2'],
    ['{"x": [[[1, 2], [3, 4]]], "tokens": [[1, 2, 3]], "y": []}', 'no input "y"'],
    ['{"x": [[[1, 2], [3]]], "tokens": [[1, 2, 3]]}', '"x"[0][1] has 1 entries, the program\'s x is [2, 2]'],
    ['{"x": [[[1, 2], [3, null]]], "tokens": [[1, 2, 3]]}', '"x"[0][1][1] is no finite number'],
    ['{"x": [[[1, 2], [3, 1e999]]], "tokens": [[1, 2, 3]]}', 'no finite number'],
    ['{"x": [[[1, 2], [3, 4]]], "tokens": [[1, 2]]}', '"tokens"[0] has 2 entries'],
    ['{"x": [[[1, 2], [3, 4]]], "tokens": [[1, 2, 10]]}', '"tokens"[0][2] is 10, outside index<10>'],
    ['{"x": [[[1, 2], [3, 4]]], "tokens": [[1, 2, 3, 1.5]]}', '"tokens"[0][3] is 1.5'],
  ])('%s is refused', (text, message) => {
    expect(() => samplesFromJson(text, 's.json', [x, tokens])).toThrow(message);
  });

  test('made up ones are the same for the same seed', () => {
    const [a, b, c] = [
      randomSamples('1', 2, [tokens, x]),
      randomSamples('1', 3, [tokens, x]),
      randomSamples('2', 1, [x]),
    ];
    expect(b.slice(0, 2)).toEqual(a);
    expect(a[0]).not.toEqual(a[1]);
    expect(c[0].inputs.get('x')).not.toEqual(a[0].inputs.get('x'));
  });
});

describe('references', () => {
  test('of one sample and of several', () => {
    const one = referenceFromJson(
      '{"logits": [[1, 2, 3], [4, 5, 6]], "cross_entropy": [1.5], "sequences": []}',
      'r.json',
      [2, 3],
    );
    expect(one).toEqual({ logits: [Float64Array.of(1, 2, 3, 4, 5, 6)], crossEntropy: [1.5] });
    const two = referenceFromJson('{"logits": [[[1], [2]], [[3], [4]]]}', 'r.json', [2, 1]);
    expect(two.logits).toEqual([Float64Array.of(1, 2), Float64Array.of(3, 4)]);
    expect(referenceFromJson('{"cross_entropy": []}', 'r.json', [2, 3])).toEqual({ logits: [], crossEntropy: [] });
  });

  test.each([
    ['{}', 'it has neither'],
    ['{"logits": 3}', '"logits" is no list'],
    ['{"logits": [[1, 2], [3, 4]]}', 'is [2, 3]'],
    ['{"cross_entropy": ["a"]}', 'no list of numbers'],
  ])('%s is refused', (text, message) => {
    expect(() => referenceFromJson(text, 'r.json', [2, 3])).toThrow(message);
  });
});
