/** `zkl doctor`: each thing that can be wrong with a machine is found, and its remedy is said. */
import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../apps/command/doctor/facts.ts';
import { diagnose } from '../../../apps/command/doctor/findings.ts';
import type { AdapterFacts, DriverFacts, GpuFacts } from '../../../apps/command/doctor/gpu-facts.ts';
import { installWebgpu } from '../../../apps/host/place.ts';
import { NEEDED } from '../../../runtime/device/webgpu/limits.ts';
import { softwareEnvironment } from '../../support/swiftshader.ts';
import { runsHere } from '../../support/unpack.ts';
import { testWorkplace } from './run.ts';

const limits: Readonly<Record<string, number>> = NEEDED;
const card: AdapterFacts = {
  name: 'nvidia hopper, NVIDIA: 570.86',
  backend: 'vulkan',
  software: false,
  vendor: 'nvidia',
  architecture: 'hopper',
  device: 'NVIDIA H100',
  description: 'NVIDIA: 570.86',
  limits,
  features: ['subgroups'],
};
const software: AdapterFacts = { ...card, name: 'google swiftshader (software)', software: true };
const drivers: DriverFacts = {
  loader: true,
  variables: {},
  manifests: [{ path: '/usr/share/vulkan/icd.d/nvidia_icd.json', exists: true }],
  devices: [{ path: '/dev/nvidia0', accessible: true }],
  distribution: ['ubuntu', 'debian'],
  container: false,
};
const gpu: GpuFacts = { package: { version: '0.6.2' }, drivers, adapters: [card] };
const facts: Facts = {
  zkl: '1.0.0',
  node: '24.1.0',
  platform: 'linux x64',
  threads: 8,
  memory: { total: 32e9, available: 16e9 },
  sharedMemory: true,
  wasm: { simd: true, fusedMultiplyAdd: true },
  cache: { directory: '/home/me/.cache/zkl', writable: true },
  gpu,
};

/** The findings that are not well: level, title and remedy in a line each. */
const troubles = (f: Facts, required = false): string[] =>
  diagnose(f, required)
    .findings.filter((x) => x.level !== 'ok')
    .map((x) => `${x.level} ${x.id}: ${x.title} > ${x.remedy ?? 'no remedy'}`);

const withGpu = (change: Partial<GpuFacts>): Facts => ({ ...facts, gpu: { ...gpu, ...change } });
const withDrivers = (change: Partial<DriverFacts>): Facts =>
  withGpu({ drivers: { ...drivers, ...change }, adapters: [] });

describe('a machine on which all is well', () => {
  test('has no troubles, and both devices', () => {
    expect(troubles(facts)).toEqual([]);
    expect(troubles(facts, true)).toEqual([]);
    expect(diagnose(facts, true)).toMatchObject({
      ok: true,
      verdict: 'ready: --device wasm proves on 8 threads; --device webgpu proves on nvidia hopper, NVIDIA: 570.86',
    });
  });
});

describe('what is wrong without a look at GPUs', () => {
  test.each<[string, Partial<Facts>, RegExp, boolean]>([
    ['an old Node', { node: '22.4.0' }, /^fail node: Node 22\.4\.0 .* > install Node 24/, false],
    [
      'no SIMD',
      { wasm: { simd: false, fusedMultiplyAdd: false } },
      /^fail wasm: .*without SIMD.* > use a processor/,
      false,
    ],
    [
      'no fused multiply-add',
      { wasm: { simd: true, fusedMultiplyAdd: false } },
      /^warn wasm: .* > .*four times.*-cpu host/,
      true,
    ],
    ['no shared memory', { sharedMemory: false }, /^warn threads: .*one thread > start Node/, true],
    [
      'little memory',
      { memory: { total: 1e9, available: 2e8 } },
      /^warn memory: 200 MB .* > close other programs/,
      true,
    ],
    ['no home', { cache: { directory: undefined, writable: false } }, /^warn cache: .* > set XDG_CACHE_HOME/, true],
    [
      'a cache of others',
      { cache: { directory: '/c', writable: false } },
      /^warn cache: .*\/c > make \/c writable/,
      true,
    ],
  ])('%s', (_, change, expected, ok) => {
    const changed = { ...facts, ...change };
    expect(troubles(changed)).toEqual([expect.stringMatching(expected)]);
    expect(diagnose(changed, false).ok).toBe(ok);
  });
});

describe('what is wrong with GPUs', () => {
  const none = (title: RegExp, remedy: RegExp): [RegExp, RegExp] => [title, remedy];
  test.each<[string, Facts, [title: RegExp, remedy: RegExp]]>([
    [
      'no package',
      withGpu({ package: { problem: 'missing', message: '' }, adapters: [] }),
      none(/gpu\.package: .*not installed/, /npm (ci|install)/),
    ],
    [
      'a broken package',
      withGpu({ package: { problem: 'broken', message: 'it does not load: GLIBC_2.34 not found' }, adapters: [] }),
      none(/gpu\.package: .*GLIBC/, /glibc/),
    ],
    [
      'no loader',
      withDrivers({ loader: 'libvulkan.so.1: cannot open' }),
      none(/gpu\.loader: .*cannot open/, /sudo apt-get install libvulkan1/),
    ],
    [
      'no loader, a system unknown',
      withDrivers({ loader: 'no', distribution: ['plan9'] }),
      none(/gpu\.loader/, /LD_LIBRARY_PATH/),
    ],
    [
      'a variable that names no file',
      withDrivers({ variables: { VK_DRIVER_FILES: '/x.json' }, manifests: [{ path: '/x.json', exists: false }] }),
      none(/gpu\.manifests: \/x\.json/, /unset VK_DRIVER_FILES$/),
    ],
    [
      'no rights',
      withDrivers({ devices: [{ path: '/dev/dri/renderD128', accessible: false }] }),
      none(/gpu\.access: .*renderD128/, /usermod -aG render/),
    ],
    [
      'a card without a driver',
      withDrivers({ devices: [{ path: '/dev/dri/renderD128', accessible: true }], manifests: [] }),
      none(/gpu\.drivers/, /mesa-vulkan-drivers/),
    ],
    [
      'a driver for computing only, in a container',
      withDrivers({ manifests: [], container: true }),
      none(/gpu\.drivers/, /NVIDIA_DRIVER_CAPABILITIES=all/),
    ],
    ['a driver for computing only', withDrivers({ manifests: [] }), none(/gpu\.drivers/, /graphics libraries/)],
    [
      'a container without the card',
      withDrivers({ devices: [], container: true }),
      none(/gpu\.devices/, /docker run --gpus all/),
    ],
    ['no card', withDrivers({ devices: [] }), none(/gpu\.devices/, /without a GPU, use --device wasm/)],
    ['a driver that does not answer', withGpu({ adapters: [] }), none(/gpu\.adapters/, /update the driver/)],
  ])('%s', (_, changed, [title, remedy]) => {
    const [first] = troubles(changed);
    expect(first).toMatch(title);
    expect(first).toMatch(remedy);
    // zkl works without a GPU: what was asked for decides whether it is a failure.
    expect(diagnose(changed, false)).toMatchObject({ ok: true, verdict: expect.stringMatching(/^ready/) as string });
    expect(diagnose(changed, true)).toMatchObject({
      ok: false,
      verdict: expect.stringMatching(/^not ready/) as string,
    });
    for (const line of troubles(changed, true)) expect(line).not.toMatch(/no remedy/);
  });

  test.each(Object.entries(NEEDED))('an adapter with too small a %s', (limit, least) => {
    const small = withGpu({ adapters: [{ ...card, limits: { ...limits, [limit]: least - 1 } }] });
    expect(troubles(small)).toEqual([expect.stringMatching(`^warn gpu\\.adapter: .*${limit} too small > update`)]);
    expect(diagnose(small, true)).toMatchObject({
      ok: false,
      verdict: expect.not.stringContaining('webgpu') as string,
    });
    expect(diagnose(withGpu({ adapters: [...small.gpu.adapters, card] }), true).ok).toBe(true);
  });

  test('software is for those who ask for it', () => {
    const only = withGpu({ adapters: [software] });
    expect(diagnose(only, true)).toMatchObject({
      ok: true,
      verdict: expect.stringContaining('webgpu proves on google') as string,
    });
    const both = withGpu({ adapters: [software, card] });
    expect(diagnose(both, true).verdict).toContain('webgpu proves on nvidia');
  });
});

test.each([
  ['/home/me/project/node_modules/zkl', 'cd /home/me/project && npm install webgpu'],
  ['/usr/lib/node_modules/zkl', 'npm install --global webgpu'],
  ['/home/me/zkl', 'cd /home/me/zkl && npm ci'],
])('zkl in %s gets npm webgpu by: %s', (root, command) => {
  expect(installWebgpu(root)).toBe(command);
});

describe('on this machine', () => {
  test('zkl works', () => {
    const { status, stdout } = testWorkplace().zkl(['doctor']);
    expect(stdout).toMatch(/^ready.*--device wasm proves on/m);
    expect(status).toBe(0);
  });

  test.skipIf(!runsHere)('a software adapter is reported, in full to programs', async () => {
    const place = testWorkplace();
    const { status, stdout } = place.zkl(['doctor', '--device', 'webgpu', '--json'], await softwareEnvironment());
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      verdict: expect.stringContaining('swiftshader') as string,
      facts: {
        gpu: {
          package: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string },
          drivers: { loader: true, manifests: [{ exists: true }] },
          adapters: [{ architecture: 'swiftshader', software: true, limits: { maxBufferSize: 2 ** 30 } }],
        },
      },
    });
  });

  test('without the package nothing of GPUs is asked, and the package is what is prescribed', () => {
    const script = `import{registerHooks}from'node:module';registerHooks({resolve(s,c,n){if(s!=='webgpu')return n(s,c);throw Object.assign(new Error("Cannot find package 'webgpu'"),{code:'ERR_MODULE_NOT_FOUND'})}})`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(script)}`;
    const { status, stdout, stderr } = testWorkplace().zkl(['doctor', '--device', 'webgpu'], { NODE_OPTIONS });
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toMatch(/^FAIL {2}npm webgpu is not installed.*\n {6}> cd .* && npm ci$/m);
  });

  test('a device it knows nothing about is refused', () => {
    expect(testWorkplace().zkl(['doctor', '--device', 'cuda'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('"cuda"') as string,
    });
  });
});
