/** A PEFT adapter as its folder: `adapter_config.json`, and `adapter_model.safetensors` or the parts of it. */
import { FormatError } from '../files/errors.ts';
import { readFolderText, type Folder } from '../files/folder.ts';
import { adapterOf, type LoadedAdapter } from './peft.ts';
import { openTensors } from '../files/shards.ts';

const CONFIG = 'adapter_config.json';

const TENSORS = {
  stem: 'adapter_model',
  pickled: ['adapter_model.bin', 'adapter_model.bin.index.json'],
  others:
    /^(?:adapters?|adapter_model|lora|pytorch_lora_weights|pytorch_model)\b.*\.(?:bin|bin\.index\.json|pt|pth|ckpt|npz|h5|msgpack)$|\.gguf$/,
  save: 'load the adapter with PEFT and convert it: `save_pretrained(DIR, safe_serialization=True)`',
};

/** @throws FormatError if a file is missing, or is not what it should be */
export async function openAdapter(folder: Folder): Promise<LoadedAdapter> {
  const config = await readFolderText(folder, CONFIG);
  if (config === undefined)
    throw new FormatError(folder.name, `there is no ${CONFIG}`, 'give the directory of a PEFT adapter');
  return adapterOf(config, await openTensors(folder, TENSORS), `${folder.name}/${CONFIG}`);
}
