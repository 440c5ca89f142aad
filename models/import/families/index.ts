/** The families of models that can be imported: what they are made of, and their programs. */
import { gemma3Parts, writeGemma3 } from './gemma3.ts';
import { gpt2Parts, writeGpt2 } from './gpt2.ts';
import { llamaParts, writeLlama } from './llama.ts';
import { neoxParts, writeNeox } from './neox.ts';
import { optParts, writeOpt } from './opt.ts';
import type { Parts } from './parts.ts';
import { phi3Parts, writePhi3 } from './phi3.ts';
import type { Body, Writer } from '../writer.ts';
import type { ModelConfig } from '../../config/model.ts';

export function partsOf(config: ModelConfig): Parts {
  switch (config.family) {
    case 'llama':
      return llamaParts(config);
    case 'phi3':
      return phi3Parts(config);
    case 'gemma3':
      return gemma3Parts(config);
    case 'gpt2':
      return gpt2Parts(config);
    case 'opt':
      return optParts(config);
    case 'gpt_neox':
      return neoxParts(config);
  }
}

export function bodyOf(w: Writer, config: ModelConfig): Body {
  switch (config.family) {
    case 'llama':
      return writeLlama(w, config);
    case 'phi3':
      return writePhi3(w, config);
    case 'gemma3':
      return writeGemma3(w, config);
    case 'gpt2':
      return writeGpt2(w, config);
    case 'opt':
      return writeOpt(w, config);
    case 'gpt_neox':
      return writeNeox(w, config);
  }
}
