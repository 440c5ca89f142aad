import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeSafetensors, type TensorToWrite } from '../../../models/files/safetensors-writer.ts';
import {
  mainFile,
  makeProof,
  makeWorkplace,
  small,
  tinyShape,
  withoutProgress,
  type Result,
  type Workplace,
} from './run.ts';

const matrix = (name: string, rows: number, columns: number, fill = 0.25): [string, TensorToWrite] => [
  `base_model.model.layers.${name}.weight`,
  { dtype: 'F32', shape: [rows, columns], values: new Float32Array(rows * columns).fill(fill) },
];

describe('bad input', () => {
  let place: Workplace;

  beforeAll(() => {
    place = makeWorkplace();
    makeProof(place);
  });
  afterAll(() => place.remove());

  /** One screen that names the thing and the remedy, status 2, and no trace of the inside. */
  function refused(result: Result, thing: string | RegExp, remedy: string | RegExp): void {
    expect(result.status).toBe(2);
    expect(result.stdout).toBe('');
    const lines = withoutProgress(result.stderr).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines[0]).toMatch(thing);
    expect(lines.slice(1).join('\n')).toMatch(remedy);
    expect(result.stderr).not.toMatch(/internal error|\n {4}at /);
  }

  const commit = (weights: string): Result =>
    place.zkl(['commit', 'p.zkb', '--weights', weights, '-o', 'other', ...small]);
  const prove = (inputs: string, output = 'bad.zkp', weights = 'adapter'): Result =>
    place.zkl([
      'prove',
      'p.zkb',
      '--weights',
      weights,
      '--opening',
      'keys/opening.zko',
      '--inputs',
      inputs,
      '-o',
      output,
      ...small,
    ]);

  /** An adapter directory whose tensors are given; the configuration is the honest one. */
  function adapterOf(name: string, tensors: readonly [string, TensorToWrite][] | Uint8Array): string {
    place.adapter(name, tinyShape);
    place.write(
      `${name}/adapter_model.safetensors`,
      tensors instanceof Uint8Array ? tensors : writeSafetensors(new Map(tensors)),
    );
    return name;
  }
  const zeroth = [matrix('0.q_proj.lora_A', 3, 6), matrix('0.q_proj.lora_B', 5, 3)];
  const first = [matrix('1.q_proj.lora_A', 3, 6), matrix('1.q_proj.lora_B', 5, 3)];

  test('a missing tensor', () => {
    refused(commit(adapterOf('missing', zeroth)), /layers\.1\.q_proj\.lora_[AB]/, /it has/);
  });

  test('a wrong shape', () => {
    const tensors = [...zeroth, matrix('1.q_proj.lora_A', 3, 7), matrix('1.q_proj.lora_B', 5, 3)];
    refused(commit(adapterOf('shape', tensors)), /layers\.1\.q_proj\.lora_A.*\[3, 7\].*\[3, 6\]/, /compile again/);
    place.write('shape.json', '{"x": [[0, 0]]}');
    refused(prove('shape.json'), /shape\.json: x.*\[2, 2, 6\]/, /reshape/);
  });

  test.each([
    ['NaN', NaN],
    ['infinity', Infinity],
  ])('%s', (name, value) => {
    refused(
      commit(adapterOf(name, [...zeroth, first[0], matrix('1.q_proj.lora_B', 5, 3, value)])),
      /lora_B\.weight\[0, 0\] is (NaN|Infinity)/,
      /./,
    );
    place.write(
      `${name}.safetensors`,
      writeSafetensors(
        new Map([['x', { dtype: 'F32', shape: [2, 2, 6], values: new Float32Array(24).fill(value, 7) }]]),
      ),
    );
    refused(prove(`${name}.safetensors`), /x\[0, 1, 1\] is (NaN|Infinity)/, /finite/);
  });

  test('truncated files', () => {
    const whole = place.read('adapter/adapter_model.safetensors');
    refused(
      commit(adapterOf('cut', whole.subarray(0, whole.length - 8))),
      /cut\/adapter_model\.safetensors: .*the file has only/,
      /cut short/,
    );
    place.write('cut.zkb', place.read('p.zkb').subarray(0, 500));
    refused(place.zkl(['inspect', 'cut.zkb']), /cut\.zkb/, /compile/);
    place.write('cut.zko', place.read('keys/opening.zko').subarray(0, 80));
    refused(
      place.zkl([
        'prove',
        'p.zkb',
        '--weights',
        'adapter',
        '--opening',
        'cut.zko',
        '--inputs',
        'random:1',
        '-o',
        'bad.zkp',
        ...small,
      ]),
      /cut\.zko/,
      /opening/,
    );
  });

  test('headers that claim 2^60 bytes', () => {
    const huge = place.read('adapter/adapter_model.safetensors');
    huge.writeBigUInt64LE(2n ** 60n);
    refused(commit(adapterOf('huge', huge)), /its header claims 1152921504606846976 bytes/, /safetensors/);
    const bundle = place.read('p.zkb');
    bundle.writeBigUInt64LE(2n ** 60n, 10);
    place.write('huge.zkb', bundle);
    refused(place.zkl(['inspect', 'huge.zkb']), /huge\.zkb/, /compile/);
  });

  test('a value outside its range', () => {
    refused(
      commit(adapterOf('large', [...zeroth, first[0], matrix('1.q_proj.lora_B', 5, 3, 7)])),
      /lora_B\.weight\[0, 0\] is 7, which needs \d+ bits/,
      /type/,
    );
    place.write('large.json', JSON.stringify({ x: [0, 1].map(() => [0, 1].map(() => [1, 2, 3, 4, 5, 1e6])) }));
    refused(prove('large.json'), /x\[0, 0, 5\] is 1000000, which needs \d+ bits/, /type/);
  });

  test('a value inside the program outside its range: which, but not what it is', () => {
    place.write(
      'h.zkl',
      'model m {\n  dim N = 2\n  public x[N]: fixed<12, 0>\n  h[i] = round<8, 0>(x[i] * 3)\n  public y[i] = h[i]\n}\n',
    );
    place.ok('compile', 'h.zkl', '-o', 'h.zkb');
    place.write('h.json', '{"x": [1, 1259]}');
    const attempt = (...more: string[]): Result =>
      place.zkl(['prove', 'h.zkb', '--inputs', 'h.json', '-o', 'bad.zkp', ...more, ...small]);
    const told = attempt();
    refused(told, /h\.json: h\[1\] does not fit the 8 bits of its type, fixed<8, 0>/, /headroom.*--verbose/);
    expect(told.stderr + attempt('--json').stdout).not.toMatch(/3777|\b13\b/);
    refused(attempt('--verbose'), /h\[1\] .*: it is 3777, which needs 13 bits/, /headroom/);
  });

  test('a stale opening for changed weights', () => {
    const stale = place.adapter('retrained', { ...tinyShape, seed: 2 });
    refused(
      prove('random:1', 'bad.zkp', stale),
      /retrained with keys\/opening\.zko.*commit to them again/,
      /one and the same commitment/,
    );
  });

  test('inputs that are no tensors', () => {
    place.write('broken.json', '{"x": [[[');
    refused(prove('broken.json'), /broken\.json.*not JSON/, /./);
    place.write('names.json', '{"y": [1]}');
    refused(prove('names.json'), /names\.json.*"x"/, /the file has "y"/);
    refused(prove('random:'), /random: needs a seed/, /random:1/);
  });

  test('pipes that nobody writes to', () => {
    place.run('mkfifo', ['pipe', 'pipe.zkl']);
    refused(commit('pipe'), /pipe: it is a named pipe, and may never end/, /--weights - < pipe/);
    refused(commit('/dev/zero'), /zero: it is a device, and may never end/, /give a file/);
    place.write('imports.zkl', 'import { f } from "pipe"\n');
    expect(place.zkl(['check', 'imports.zkl']).status).toBe(1);
    const script = `"${process.execPath}" ${mainFile} commit p.zkb --weights <(cat p.zkl) -o other`;
    refused(place.run('bash', ['-c', script]), /\/dev\/fd\/\d+: /, /safetensors/);
  });

  test('files that are something else', () => {
    refused(place.zkl(['inspect', 'p.zkp']), /p\.zkp: this is a zkl proof, expected a bundle/, /compile/);
    refused(place.zkl(['inspect', 'none.zkb']), /none\.zkb: there is no such file/, /check the path/);
    refused(place.zkl(['inspect', 'keys']), /keys: it is a directory/, /name a file/);
    refused(commit('p.zkl'), /p\.zkl: /, /safetensors/);
    refused(commit('none'), /none: there is no such file/, /check the path/);
  });

  test('directories that do not exist', () => {
    refused(place.zkl(['compile', 'p.zkl', '-o', 'none/p.zkb']), /the directory none does not exist/, /mkdir -p none/);
    refused(prove('random:1', 'none/p.zkp'), /the directory none does not exist/, /mkdir -p none/);
    refused(
      place.zkl(['commit', 'p.zkb', '--weights', 'adapter', '-o', 'p.zkl', ...small]),
      /p\.zkl: it is a file/,
      /name a directory/,
    );
    symlinkSync('nowhere', place.file('nothing'));
    refused(
      place.zkl(['commit', 'p.zkb', '--weights', 'adapter', '-o', 'nothing/new', ...small]),
      /nothing is a link to what is not there/,
      /name a directory/,
    );
  });

  test('devices that there are not', () => {
    const run = (...args: string[]): Result =>
      place.zkl(['verify', 'p.zkb', 'p.zkp', '--commitment', 'keys/commitment.zkc', ...args]);
    refused(run('--device', 'wsam'), /no device "wsam"/, /did you mean wasm/);
    refused(run('--device', 'wasm', '--threads', '1000'), /--threads is "1000"/, /whole number/);
  });

  test('a full disk', () => {
    refused(
      place.zkl(['compile', 'p.zkl', '-o', '/dev/full']),
      /cannot write \/dev\/full: no space left/,
      /free some space/,
    );
    refused(prove('random:1', '/dev/full'), /cannot write \/dev\/full: no space left/, /free some space/);
    symlinkSync('/dev/full', place.file('link.zkb'));
    refused(
      place.zkl(['compile', 'p.zkl', '-o', 'link.zkb']),
      /cannot write link\.zkb: no space left/,
      /free some space/,
    );
  });

  test('a limit of the size of files', () => {
    const shell = ['-c', 'ulimit -f 1 && exec "$@"', 'bash', process.execPath, mainFile];
    const result = place.run('bash', [...shell, 'compile', 'p.zkl', '-o', 'limited.zkb']);
    refused(result, /cannot write limited\.zkb: the file would be larger than allowed/, /ulimit -f/);
    expect(readdirSync(place.path).filter((name) => name.includes('limited'))).toEqual([]);
  });

  test('a disk that is full for one of two outputs leaves neither', () => {
    const mounted = (script: string): Result =>
      place.run('unshare', [
        '-rm',
        'bash',
        '-c',
        `mkdir -p small && mount -t tmpfs -o size=4k tmpfs small && ${script}`,
      ]);
    if (mounted('true').status !== 0) return;
    // The opening fits, the commitment does not.
    const main = mainFile;
    const run = mounted(
      `("${process.execPath}" "${main}" commit p.zkb --weights adapter -o small --threads 1; echo "status $?"; ls -A small)`,
    );
    expect(run.stderr).toMatch(/cannot write small\/commitment\.zkc: no space left on the device\n {2}free some space/);
    expect(run.stdout).toBe('status 2\n');
  });

  test('nothing of the failures is left behind', () => {
    for (const name of ['bad.zkp', 'none', 'other']) expect(existsSync(place.file(name))).toBe(false);
    expect(readdirSync(place.path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
