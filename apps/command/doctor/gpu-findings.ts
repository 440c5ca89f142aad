/** From facts about GPUs to findings: why there is no adapter, or why it will not do. */
import { NEEDED } from '../../../runtime/device/webgpu/limits.ts';
import { installWebgpu } from '../../host/place.ts';
import { bytes } from '../show/text.ts';
import type { Finding, Level } from './findings.ts';
import type { AdapterFacts, DriverFacts, GpuFacts } from './gpu-facts.ts';

/** @param required whether a missing GPU is a failure. */
export function gpuFindings(
  facts: GpuFacts,
  required: boolean,
): { readonly findings: readonly Finding[]; readonly usable: string | undefined } {
  const adapters = facts.adapters.map((a) => adapterFinding(a, required, facts.adapters));
  const suitable = facts.adapters.filter((a) => lacking(a).length === 0);
  const good = suitable.find((a) => !a.software);
  const chosen = good ?? suitable[0];
  const usable = chosen && `--device webgpu proves on ${chosen.name}`;
  if ('problem' in facts.package) return { findings: [packageFinding(facts.package, required)], usable: undefined };
  const drivers = facts.drivers === undefined ? [] : driverFindings(facts.drivers, good !== undefined);
  const cause = drivers.find((f) => f.level !== 'ok');
  const nothing: Finding = {
    id: 'gpu.adapters',
    // Without a GPU that the kernel knows of there is nothing to mend.
    level: required ? 'fail' : (cause?.level ?? 'warn'),
    title: 'no WebGPU adapter answers',
    evidence: [],
    remedy: cause?.remedy ?? 'update the driver of your GPU, or use --device wasm',
  };
  return {
    findings: [
      { id: 'gpu.package', level: 'ok', title: `npm webgpu ${facts.package.version}`, evidence: [] },
      ...drivers,
      ...(adapters.length > 0 ? adapters : [nothing]),
    ],
    usable,
  };
}

function packageFinding(found: { problem: 'missing' | 'broken'; message: string }, required: boolean): Finding {
  const common = { id: 'gpu.package', evidence: [] };
  if (found.problem === 'missing')
    return {
      ...common,
      level: required ? 'fail' : 'skip',
      title: 'npm webgpu is not installed: --device webgpu is not available',
      remedy: installWebgpu(),
    };
  return {
    ...common,
    level: required ? 'fail' : 'warn',
    title: found.message,
    remedy: `install it again (${installWebgpu()}); it needs 64-bit Windows, macOS, or Linux with glibc`,
  };
}

const lacking = ({ limits }: AdapterFacts): readonly (keyof typeof NEEDED)[] =>
  limitNames.filter((limit) => (limits[limit] ?? 0) < NEEDED[limit]);

const limitNames = Object.keys(NEEDED) as (keyof typeof NEEDED)[];

function adapterFinding(a: AdapterFacts, required: boolean, all: readonly AdapterFacts[]): Finding {
  const short = lacking(a);
  const show = (limit: string, n: number): string => (/Size$/.test(limit) && n >= 1024 ? bytes(n) : n.toString());
  const evidence = limitNames.map(
    (limit) =>
      `${limit} ${show(limit, a.limits[limit] ?? 0)}${short.includes(limit) ? `, needs ${show(limit, NEEDED[limit])}` : ''}`,
  );
  const title = `${a.name}, through ${a.backend}`;
  const base = { id: 'gpu.adapter', title, evidence };
  if (short.length > 0)
    return {
      ...base,
      level: required && !all.some((b) => b !== a && lacking(b).length === 0) ? 'fail' : 'warn',
      title: `${title}: ${short.join(', ')} too small`,
      remedy: 'update the driver of this GPU, or use another GPU, or --device wasm',
    };
  if (a.software)
    return {
      ...base,
      level: 'skip',
      title: `${title}: computes on the processor, for tests`,
      remedy: 'taken only with --device webgpu where no GPU answers',
    };
  return { ...base, level: 'ok' };
}

const packages: readonly (readonly [distribution: RegExp, loader: string, mesa: string])[] = [
  [/^(debian|ubuntu)$/, 'sudo apt-get install libvulkan1', 'sudo apt-get install mesa-vulkan-drivers'],
  [/^(fedora|rhel|centos)$/, 'sudo dnf install vulkan-loader', 'sudo dnf install mesa-vulkan-drivers'],
  [/^(opensuse|suse|sles)/, 'sudo zypper install libvulkan1', 'sudo zypper install libvulkan_radeon libvulkan_intel'],
  [/^arch$/, 'sudo pacman -S vulkan-icd-loader', 'sudo pacman -S vulkan-radeon vulkan-intel'],
  [/^alpine$/, 'apk add vulkan-loader', 'apk add mesa-vulkan-ati mesa-vulkan-intel'],
];

/** @param answered whether a GPU answers all the same: then nothing about drivers is wrong. */
function driverFindings(d: DriverFacts, answered: boolean): Finding[] {
  const variables = Object.entries(d.variables).map(([name, value]) => `${name}=${value}`);
  const manifests = d.manifests.filter((m) => m.exists).map((m) => m.path);
  const evidence = [
    ...variables,
    ...manifests,
    ...d.devices.map((x) => `${x.path}${x.accessible ? '' : ' (no access)'}`),
  ];
  const finding = (id: string, level: Level, title: string, remedy?: string): Finding => ({
    id: `gpu.${id}`,
    level: answered && level !== 'ok' ? 'skip' : level,
    title,
    evidence,
    ...(remedy === undefined ? {} : { remedy }),
  });
  const named = packages.find(([id]) => d.distribution.some((x) => id.test(x)));
  const missing = d.manifests.filter((m) => !m.exists);
  const closed = d.devices.filter((x) => !x.accessible);
  const nvidia = d.devices.some((x) => /nvidia/.test(x.path));

  if (d.devices.length === 0)
    return [
      finding(
        'devices',
        'skip',
        'the kernel offers no GPU to this process',
        d.container
          ? 'start the container with the GPU (docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all, or --device /dev/dri)'
          : 'install the driver of your GPU; without a GPU, use --device wasm',
      ),
    ];
  if (d.loader !== true)
    return [
      finding(
        'loader',
        'warn',
        `the Vulkan loader is missing: ${d.loader}`,
        named?.[1] ?? "install your system's package with libvulkan.so.1, or put its folder into LD_LIBRARY_PATH",
      ),
    ];
  if (missing.length > 0)
    return [
      finding(
        'manifests',
        'warn',
        `${missing.map((m) => m.path).join(', ')}: named in the environment, and cannot be read`,
        `unset ${['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'].filter((v) => v in d.variables).join(' ')}`,
      ),
    ];
  if (closed.length > 0)
    return [
      finding(
        'access',
        'warn',
        `no access to ${closed.map((x) => x.path).join(', ')}`,
        d.container
          ? 'start the container with the GPU (docker run --gpus all, or --device /dev/dri with the group of the device: --group-add)'
          : 'sudo usermod -aG render,video $USER, then log in again',
      ),
    ];
  if (manifests.length === 0)
    return [
      finding(
        'drivers',
        'warn',
        'there is a GPU, and no Vulkan driver for it',
        nvidia
          ? d.container
            ? 'start the container with NVIDIA_DRIVER_CAPABILITIES=all: "compute" alone leaves Vulkan out'
            : 'install NVIDIA\'s driver with its graphics libraries (not the "headless" or "compute" package)'
          : (named?.[2] ?? 'install the Vulkan driver of your GPU (Mesa for AMD and Intel)'),
      ),
    ];
  return [finding('drivers', 'ok', `Vulkan, ${manifests.length === 1 ? 'one driver' : `${manifests.length} drivers`}`)];
}
