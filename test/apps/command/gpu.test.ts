/** Commands on the WebGPU device: a proof is a proof, and whatever is missing is said with its remedy. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adapterName, isSoftware } from '../../../runtime/device/webgpu/adapters.ts';
import { softwareEnvironment } from '../../support/swiftshader.ts';
import { runsHere } from '../../support/unpack.ts';
import { mainFile, makeProof, makeWorkplace, small, type Result, type Workplace } from './run.ts';

const software = runsHere ? await softwareEnvironment() : {};

/** Node as if npm's `webgpu` were not installed. */
const noPackage = (() => {
  const script = `import{registerHooks}from'node:module';registerHooks({resolve(s,c,n){if(s!=='webgpu')return n(s,c);throw Object.assign(new Error("Cannot find package 'webgpu'"),{code:'ERR_MODULE_NOT_FOUND'})}})`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
})();

const proveArgs = (output: string, ...more: string[]): string[] => [
  ...['prove', 'p.zkb', '--weights', 'adapter', '--opening', 'keys/opening.zko', '--inputs', 'random:1'],
  ...['-o', output, ...small, ...more],
];

describe.skipIf(!runsHere)('on a software GPU', () => {
  let place: Workplace;
  beforeAll(() => {
    place = makeWorkplace();
    makeProof(place);
  });
  afterAll(() => place.remove());

  const accepted = (proof: string, ...more: string[]): void => {
    const args = ['verify', 'p.zkb', '--commitment', 'keys/commitment.zkc', proof, ...small, ...more];
    expect(place.zkl(args, software)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^accepted: /) as string,
    });
  };

  function refused({ status, stdout, stderr }: Result, thing: RegExp, remedy: RegExp): void {
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    // Dawn speaks first, where it finds no driver.
    const [first, ...rest] = stderr.slice(Math.max(0, stderr.search(/^zkl /m))).split('\n');
    expect(first).toMatch(thing);
    expect(rest.join('\n')).toMatch(remedy);
    expect(stderr).not.toMatch(/internal error|\n {4}at .*\.ts/);
  }

  test('--device webgpu proves and verifies, and says on what', () => {
    const { status, stdout } = place.zkl(proveArgs('gpu.zkp', '--device', 'webgpu', '--json'), software);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ device: expect.stringMatching(/^webgpu \(.*swiftshader/i) as string });
    accepted('gpu.zkp', '--device', 'wasm');
    accepted('gpu.zkp', '--device', 'webgpu');
  });

  test('--device auto leaves software alone, and says what it took and why', () => {
    const { status, stdout, stderr } = place.zkl(proveArgs('auto.zkp', '--device', 'auto'), software);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^zkl prove: device wasm \(1 thread\), as no GPU answers \(zkl doctor says more\)$/m);
    expect(stdout).toMatch(/^on wasm \(1 thread\)/m);
  });

  test('--device auto works without the package', () => {
    const { status, stderr } = place.zkl(proveArgs('auto.zkp', '--device', 'auto'), noPackage);
    expect(status).toBe(0);
    expect(stderr).toMatch(/device wasm \(1 thread\), as .*"webgpu" is not installed$/m);
  });

  test('an explicit device that is missing is an error, with its remedy', () => {
    const on = (env: Readonly<Record<string, string>>): Result =>
      place.zkl(proveArgs('bad.zkp', '--device', 'webgpu'), env);
    refused(on(noPackage), /the package "webgpu" is not installed/, /npm ci.*--device wasm/);
    const none = { ...software, VK_DRIVER_FILES: '/none.json', VK_ICD_FILENAMES: '/none.json' };
    refused(on(none), /no WebGPU adapter answers/, /zkl doctor --device webgpu.*--device wasm/);
    expect(existsSync(place.file('bad.zkp'))).toBe(false);
  });

  test('too little --gpu-memory is said, and nothing is written', () => {
    place.ok('import', 'adapter', '--rows', '2', '-o', 'wide.zkl');
    place.ok('compile', 'wide.zkl', '-o', 'wide.zkb');
    const commit = ['commit', 'wide.zkb', '--weights', 'adapter', '-o', 'small', ...small];
    refused(
      place.zkl([...commit, '--device', 'webgpu', '--gpu-memory', '16K'], software),
      /of GPU memory/,
      /allow more \(--gpu-memory\).*--device wasm/,
    );
    expect(existsSync(place.file('small/commitment.zkc'))).toBe(false);
  });

  test.each([
    [['--device', 'webgpu', '--gpu-memory', 'lots'], /--gpu-memory is "lots"/, /4G/],
    [['--device', 'webgpu', '--gpu-memory', '0'], /--gpu-memory is "0"/, /4G/],
    [['--gpu-memory', '1G'], /the wasm device has no GPU memory/, /--device webgpu/],
    [['--device', 'gpu'], /there is no device "gpu"/, /did you mean|use wasm, webgpu, auto, reference/],
  ])('%j is refused', (args, thing, remedy) => {
    refused(place.zkl(proveArgs('bad.zkp', ...args), software), thing, remedy);
  });

  test('two processes on one GPU at once', async () => {
    const prove = (output: string): Promise<number | null> =>
      new Promise((resolve) => {
        const env = { PATH: process.env['PATH'], HOME: place.file('home'), ...software };
        const args = [mainFile, ...proveArgs(output, '--device', 'webgpu')];
        spawn(process.execPath, args, { cwd: place.path, env, stdio: 'ignore' }).once('exit', resolve);
      });
    expect(await Promise.all([prove('one.zkp'), prove('two.zkp')])).toEqual([0, 0]);
    accepted('one.zkp');
    accepted('two.zkp');
  });
});

describe('adapters', () => {
  const info = (said: Partial<GPUAdapterInfo>): GPUAdapterInfo =>
    ({
      vendor: '',
      architecture: '',
      device: '',
      description: '',
      isFallbackAdapter: false,
      ...said,
    }) as GPUAdapterInfo;

  test.each<[Partial<GPUAdapterInfo>, string, boolean]>([
    [{ vendor: 'nvidia', architecture: 'hopper', description: 'NVIDIA: 570' }, 'nvidia hopper, NVIDIA: 570', false],
    [{ vendor: 'apple', architecture: 'metal-3' }, 'apple metal-3', false],
    [{}, 'an adapter without a name', false],
    [{ vendor: 'mesa', description: 'llvmpipe (LLVM 19)' }, 'mesa, llvmpipe (LLVM 19) (software)', true],
    [
      { vendor: 'microsoft', description: 'Microsoft Basic Render Driver' },
      'microsoft, Microsoft Basic Render Driver (software)',
      true,
    ],
    [{ vendor: 'x', isFallbackAdapter: true }, 'x (software)', true],
  ])('%j', (said, name, isSoft) => {
    expect(adapterName(info(said))).toBe(name);
    expect(isSoftware(info(said))).toBe(isSoft);
  });
});
