import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { makeWorkplace, small, type Workplace } from './run.ts';

const program = `model m {
  source style, task
  dim T = 2, I = 4
  public x[T, I]: fixed<16, 8>
  secret a[I]: fixed<8, 6> from style "a"
  secret b[I]: fixed<8, 6> from task "b"
  public y[t] = sum(i) x[t, i] * a[i]
  public z[t] = sum(i) x[t, i] * b[i]
}
`;

describe('a program with two sources', () => {
  let place: Workplace;
  const keep = (source: string): string[] => [
    '--weights',
    `${source}=${source}.safetensors`,
    '--opening',
    `${source}=${source}/opening.zko`,
  ];
  const commitments = ['--commitment', 'task/commitment.zkc', '--commitment', 'style/commitment.zkc'];

  beforeAll(() => {
    place = makeWorkplace();
    place.write('m.zkl', program);
    place.ok('compile', 'm.zkl', '-o', 'm.zkb');
    const tensor = (values: number[]) => ({ dtype: 'F32', shape: [4], values }) as const;
    place.write('style.safetensors', writeSafetensors(new Map([['a', tensor([0.5, -1, 0.25, 1])]])));
    place.write('task.safetensors', writeSafetensors(new Map([['b', tensor([1, 1, -1, 0.5])]])));
  });
  afterAll(() => place.remove());

  test('commits to one at a time, and has to be told which', () => {
    const { status, stderr } = place.zkl([
      'commit',
      'm.zkb',
      '--weights',
      'style.safetensors',
      '-o',
      'style',
      ...small,
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /takes tensors from 2 sources: style, task\n {2}say whose these weights are: --weights style=DIR/,
    );
    for (const source of ['style', 'task'])
      place.ok(
        'commit',
        'm.zkb',
        '--source',
        source,
        '--weights',
        `${source}=${source}.safetensors`,
        '-o',
        source,
        ...small,
      );
  });

  test('proves with the weights and openings of both', () => {
    place.write('x.json', '{"x": [[1, 2, 3, 4], [0, -1, 0.5, 8]]}');
    const rest = ['--inputs', 'x.json', '-o', 'm.zkp', ...small];
    const lacking = place.zkl(['prove', 'm.zkb', ...keep('style'), ...rest]);
    expect(lacking).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/no --weights for the source "task"\n {2}add --weights task=PATH/) as string,
    });
    const nameless = place.zkl(['prove', 'm.zkb', '--weights', 'style.safetensors', ...rest]);
    expect(nameless.stderr).toContain('does not say which of the program');
    const swapped = ['--weights', 'style=task.safetensors', '--opening', 'style=style/opening.zko', ...keep('task')];
    expect(place.zkl(['prove', 'm.zkb', ...swapped, ...rest]).stderr).toContain('there is no tensor "a"');
    place.ok('prove', 'm.zkb', ...keep('style'), ...keep('task'), ...rest);
  });

  test('verifies against both commitments, in any order, and says what the outputs are', () => {
    // y = x · a and z = x · b, by hand.
    place.write('out.json', '{"y": [3.25, 9.125], "z": [2, 2.5]}');
    place.ok('verify', 'm.zkb', 'm.zkp', ...commitments, '--public', 'out.json', ...small);
    place.write('wrong.json', '{"z": [2, 2.515625]}');
    const wrong = place.zkl(['verify', 'm.zkb', 'm.zkp', ...commitments, '--public', 'wrong.json', ...small]);
    expect(wrong).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('z[1] is 2.515625 in the file, 2.5 in the proof') as string,
    });
    const one = place.zkl(['verify', 'm.zkb', 'm.zkp', ...commitments.slice(0, 2), ...small]);
    expect(one).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('needs 2 commitments (style, task), 1 given') as string,
    });
    const twice = place.zkl([
      'verify',
      'm.zkb',
      'm.zkp',
      ...commitments.slice(0, 2),
      ...commitments.slice(0, 2),
      ...small,
    ]);
    expect(twice).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('could not verify: no valid commitment for "style"') as string,
    });
  });
});
