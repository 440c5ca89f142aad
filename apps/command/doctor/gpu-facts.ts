/** What there is of GPUs: the package, the drivers' files, the adapters that answer. */
import { constants as fs } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { homedir, constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { adapterName, isSoftware } from '../../../runtime/device/webgpu/adapters.ts';
import { listNodeAdapters, NodeGpuError } from '../../../runtime/device/webgpu/node.ts';

export interface AdapterFacts {
  readonly name: string;
  readonly backend: string;
  readonly software: boolean;
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

/** Linux only: elsewhere drivers come with the system. */
export interface DriverFacts {
  /** Whether libvulkan.so.1 is found; else what the system says. */
  readonly loader: true | string;
  /** Environment variables that steer the Vulkan loader, those that are set. */
  readonly variables: Readonly<Record<string, string>>;
  /** Files that describe drivers: those that the variables name, else those that are installed. */
  readonly manifests: readonly { readonly path: string; readonly exists: boolean }[];
  /** /dev/nvidia0, /dev/dri/renderD128, ...: the GPUs that the kernel offers to this process's user. */
  readonly devices: readonly { readonly path: string; readonly accessible: boolean }[];
  /** ID and ID_LIKE of /etc/os-release. */
  readonly distribution: readonly string[];
  readonly container: boolean;
}

export interface GpuFacts {
  readonly package: { readonly version: string } | { readonly problem: 'missing' | 'broken'; readonly message: string };
  readonly drivers: DriverFacts | undefined;
  readonly adapters: readonly AdapterFacts[];
}

export async function gatherGpu(): Promise<GpuFacts> {
  const drivers = process.platform === 'linux' ? await gatherDrivers() : undefined;
  try {
    const found = await listNodeAdapters();
    return {
      package: { version: await packageVersion() },
      drivers,
      adapters: found.map(({ backend, name, adapter }) => adapterFacts(backend, name, adapter)),
    };
  } catch (error) {
    if (!(error instanceof NodeGpuError)) throw error;
    return { package: { problem: error.kind, message: error.message }, drivers, adapters: [] };
  }
}

function adapterFacts(backend: string, device: string, { info, limits, features }: GPUAdapter): AdapterFacts {
  const values: Record<string, number> = {};
  // Limits are getters of a prototype.
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') values[name] = value;
  }
  return {
    name: adapterName(info),
    backend,
    software: isSoftware(info),
    vendor: info.vendor,
    architecture: info.architecture,
    device,
    description: info.description,
    limits: values,
    features: [...features].sort(),
  };
}

async function packageVersion(): Promise<string> {
  const { findPackageJSON } = await import('node:module');
  const path = findPackageJSON('webgpu', import.meta.url);
  if (path === undefined) return 'unknown';
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
}

const steering = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES', 'VK_LOADER_DRIVERS_DISABLE'];

async function gatherDrivers(): Promise<DriverFacts> {
  const variables = Object.fromEntries(
    [...steering, 'LD_LIBRARY_PATH', 'NVIDIA_DRIVER_CAPABILITIES'].flatMap((name) => {
      const value = process.env[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const distribution = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids]) => ids.split(' '));
  return {
    loader: findLoader(),
    variables,
    manifests: await findManifests(variables),
    devices: await findDevices(),
    distribution,
    container: (await canAccess('/.dockerenv', fs.F_OK)) || (await canAccess('/run/.containerenv', fs.F_OK)),
  };
}

/** Asks the dynamic linker, as it is the one that has to find it. */
function findLoader(): true | string {
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1', constants.dlopen.RTLD_LAZY);
    return true;
  } catch (error) {
    // Found, and no add-on of Node's.
    const message = error instanceof Error ? error.message : String(error);
    return /did not self-register/.test(message) || message;
  }
}

async function findManifests(variables: Readonly<Record<string, string>>): Promise<DriverFacts['manifests']> {
  const split = (name: string): string[] => (variables[name] ?? '').split(delimiter).filter((path) => path !== '');
  // The loader reads the older variable only where the newer is not set, and folders only where neither is.
  const chosen = [split('VK_DRIVER_FILES'), split('VK_ICD_FILENAMES')].find((paths) => paths.length > 0);
  const home = homedir();
  const folders = ['/etc', '/usr/local/share', '/usr/share', ...(home === '' ? [] : [join(home, '.local/share')])];
  const installed = async (): Promise<string[]> =>
    (await Promise.all(folders.map((folder) => filesIn(join(folder, 'vulkan/icd.d'), /\.json$/)))).flat();
  const paths = [...(chosen ?? (await installed())), ...split('VK_ADD_DRIVER_FILES')];
  return Promise.all(paths.map(async (path) => ({ path, exists: await canAccess(path, fs.R_OK) })));
}

async function findDevices(): Promise<DriverFacts['devices']> {
  const paths = [...(await filesIn('/dev', /^nvidia\d+$|^dxg$/)), ...(await filesIn('/dev/dri', /^renderD\d+$/))];
  return Promise.all(paths.map(async (path) => ({ path, accessible: await canAccess(path, fs.R_OK | fs.W_OK) })));
}

const filesIn = async (folder: string, name: RegExp): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((file) => name.test(file)).map((file) => join(folder, file));

const canAccess = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );
