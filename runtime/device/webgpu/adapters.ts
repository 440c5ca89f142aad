/** What adapters say of themselves, told to people. */

/**
 * Whether an adapter computes on the CPU: SwiftShader, Mesa's lavapipe, Windows' basic driver. Such an adapter is right and slow:
 * a device for tests, which `auto` never takes.
 */
export function isSoftware(info: GPUAdapterInfo): boolean {
  if (info.isFallbackAdapter) return true;
  const words = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i.test(words);
}

/** `nvidia hopper nvidia-h100, NVIDIA: 570.86`: browsers say little, and may say nothing. */
export function adapterName(info: GPUAdapterInfo): string {
  // Dawn writes a device's name in lower case, with hyphens for all else.
  const device = info.device.replace(/-+$/, '');
  const model = [info.vendor, info.architecture, device].filter((word) => word !== '').join(' ');
  const said = [model, info.description].filter((words) => words !== '').join(', ');
  return `${said === '' ? 'an adapter without a name' : said}${isSoftware(info) ? ' (software)' : ''}`;
}
