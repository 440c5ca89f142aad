"""Loads an exported adapter with PEFT, and says whether it has the file's numbers: python load.py MODEL_DIR ADAPTER_DIR

Needs torch, transformers, peft and safetensors."""

import sys

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model, adapter = sys.argv[1:3]
base = AutoModelForCausalLM.from_pretrained(model, torch_dtype=torch.float32)
loaded = PeftModel.from_pretrained(base, adapter)
stored = load_file(f"{adapter}/adapter_model.safetensors")
own = {name.replace(".default", ""): value for name, value in loaded.state_dict().items() if "lora_" in name}
assert own.keys() == stored.keys(), "PEFT adapts other modules than the file has"
assert all(torch.equal(own[name], stored[name]) for name in stored), "PEFT has other numbers"
scalings = {layer.scaling["default"] for _, layer in loaded.named_modules() if isinstance(getattr(layer, "scaling", None), dict)}
print(f"PEFT has {len(own)} matrices of the file, scaled by {sorted(scalings)}")
