/**
 * Tensors of a folder, in one safetensors file or in several: those that STEM.safetensors.index.json lists, else those
 * that are numbered, STEM-00001-of-00003.safetensors.
 */
import { FormatError, quote, quoteSome } from './errors.ts';
import { readFolderObject, type Folder } from './folder.ts';
import type { JsonObject } from './json.ts';
import { isObject } from './json.ts';
import { readerOf, readSafetensors, type SafetensorsFile, type TensorInfo } from './safetensors.ts';

export interface Stem {
  /** `model` of model.safetensors. */
  readonly stem: string;
  /** Files of other formats that hold the same, where a folder cannot be listed. */
  readonly pickled: readonly string[];
  /** Files of other formats that hold the same. */
  readonly others: RegExp;
  /** How to save them as safetensors. */
  readonly save: string;
}

/** @throws FormatError naming the file and what is wrong with it, or what is there instead */
export async function openTensors(folder: Folder, kind: Stem): Promise<SafetensorsFile> {
  const single = await folder.open(`${kind.stem}.safetensors`);
  if (single) return readSafetensors(single);
  const index = await readFolderObject(folder, `${kind.stem}.safetensors.index.json`);
  if (index !== undefined) return joined(folder, kind, await indexed(folder, kind, index));
  const names = (await folder.files?.()) ?? [];
  const parts = numbered(folder, kind, names);
  if (parts.length > 0) {
    const files = await Promise.all(parts.map((name) => openPart(folder, name)));
    return joined(folder, kind, files);
  }
  throw await nothing(folder, kind, names);
}

/** What is there instead. */
async function nothing(
  folder: Folder,
  { stem, pickled, others, save }: Stem,
  names: readonly string[],
): Promise<Error> {
  const found = new Set(names.filter((name) => others.test(name)));
  for (const name of pickled) if (!found.has(name) && (await folder.open(name)) !== undefined) found.add(name);
  if (found.size > 0)
    return new FormatError(
      folder.name,
      `its weights are in ${[...found].slice(0, 3).join(', ')}: pickled or in another format, which is not read here`,
      save,
    );
  const further = names.filter((name) => name.endsWith('.safetensors'));
  const instead = further.length > 0 ? `; it has ${quoteSome(further, 3)}` : '';
  return new FormatError(folder.name, `there is no ${stem}.safetensors${instead}`, save);
}

/** The files STEM-00001-of-0000N.safetensors in their order, none if there are none. */
function numbered(folder: Folder, { stem, save }: Stem, names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const match = /^(.+)-(\d{5})-of-(\d{5})\.safetensors$/.exec(name);
    return match?.[1] === stem ? [{ name, total: Number(match[3]) }] : [];
  });
  if (found.length === 0) return [];
  const [{ total }] = found;
  const other = found.find((file) => file.total !== total);
  if (other)
    throw new FormatError(folder.name, `${found[0].name} and ${other.name} are parts of two different sets`, save);
  const five = (n: number): string => String(n).padStart(5, '0');
  const wanted = Array.from({ length: total }, (_, k) => `${stem}-${five(k + 1)}-of-${five(total)}.safetensors`);
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) throw new FormatError(folder.name, `${missing} is not there`, 'download the missing file');
  return wanted;
}

async function openPart(folder: Folder, name: string): Promise<SafetensorsFile> {
  const source = await folder.open(name);
  if (source) return readSafetensors(source);
  throw new FormatError(folder.name, `${name} is not there`, 'download the missing file');
}

async function indexed(folder: Folder, { stem, save }: Stem, index: JsonObject): Promise<SafetensorsFile[]> {
  const indexName = `${stem}.safetensors.index.json`;
  const indexFile = `${folder.name}/${indexName}`;
  const { weight_map: map } = index;
  if (!isObject(map)) throw new FormatError(indexFile, 'it has no "weight_map"', save);
  const parts = new Map<string, Set<string>>();
  for (const [name, file] of Object.entries(map)) {
    // A name, not a path: an index must not lead out of its folder.
    if (typeof file !== 'string' || !/^[\w][\w.-]*\.safetensors$/.test(file))
      throw new FormatError(
        indexFile,
        `the tensor ${quote(name)} is in ${quote(String(file))}, no safetensors file here`,
        save,
      );
    parts.set(file, (parts.get(file) ?? new Set()).add(name));
  }
  const files: SafetensorsFile[] = [];
  for (const [name, tensors] of parts) {
    const source = await folder.open(name);
    if (!source) throw new FormatError(indexFile, `it names ${name}, which is not there`, 'download the missing file');
    const file = await readSafetensors(source);
    const missing = [...tensors].find((tensor) => !file.tensors.has(tensor));
    if (missing !== undefined)
      throw new FormatError(
        source.name,
        `the tensor ${quote(missing)} is missing, which ${indexName} puts here`,
        'download it again',
      );
    const further = [...file.tensors.keys()].find((tensor) => !tensors.has(tensor));
    if (further !== undefined)
      throw new FormatError(
        source.name,
        `the tensor ${quote(further)} is here, of which ${indexName} knows nothing`,
        'download both again',
      );
    files.push(file);
  }
  return files;
}

/** The tensors of several files, as if they were in one. @throws FormatError for a tensor that is in two of them */
function joined(folder: Folder, { stem, save }: Stem, files: readonly SafetensorsFile[]): SafetensorsFile {
  const name = `${folder.name}/${stem}-*.safetensors`;
  const tensors = new Map<string, TensorInfo>();
  const home = new Map<string, SafetensorsFile>();
  for (const file of files)
    for (const [tensor, info] of file.tensors) {
      const before = home.get(tensor);
      if (before) throw new FormatError(file.name, `the tensor ${quote(tensor)} is also in ${before.name}`, save);
      home.set(tensor, file);
      tensors.set(tensor, info);
    }
  const find = (tensor: string): SafetensorsFile => {
    const file = home.get(tensor);
    if (file) return file;
    throw new FormatError(name, `there is no tensor ${quote(tensor)}`, `it has ${quoteSome(home.keys())}`);
  };
  const readFloats = async (tensor: string): Promise<Float64Array> => find(tensor).readFloats(tensor);
  const largest = async (tensor: string): Promise<number> => find(tensor).largest(tensor);
  return { name, tensors, readFloats, largest, reader: readerOf(tensors, readFloats) };
}
