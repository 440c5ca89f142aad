"""What transformers computes for tiny models of every family that can be imported: writes test/vectors/transformers.json.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    venv/bin/python oracle.py

Weights are not stored: `fill` makes them from the tensors' names, and `weights.ts` does the same. Everything is computed in
float64, but for what transformers itself computes in float32 (norms, angles).
"""
import json, math, pathlib, re
import peft, torch, transformers
from transformers import AutoConfig, AutoModelForCausalLM

TOKENS = [3, 0, 17, 5, 5, 11, 18, 2, 9, 1]
VOCABULARY = 19


def fill(name, shape):
    """Numbers of [mean - spread, mean + spread), from a linear congruential generator that the name starts."""
    state = 2166136261
    for byte in name.encode():
        state = (state ^ byte) * 16777619 % 2**32
    mean, spread = (0, 1.5 / math.sqrt(shape[-1])) if len(shape) > 1 else (0, 0.3) if name.endswith("bias") else (1, 0.3)
    values = []
    for _ in range(math.prod(shape)):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(mean + spread * (state / 2**31 - 1))
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


LLAMA = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0,
    hidden_act="silu", tie_word_embeddings=False, pad_token_id=None, bos_token_id=None, eos_token_id=None,
)
PHI3 = {k: v for k, v in LLAMA.items() if k != "head_dim"} | dict(hidden_size=32, original_max_position_embeddings=64)
GEMMA3 = {k: v for k, v in LLAMA.items() if k != "hidden_act"} | dict(
    num_hidden_layers=4, hidden_activation="gelu_pytorch_tanh", tie_word_embeddings=True, query_pre_attn_scalar=16,
    sliding_window=10, sliding_window_pattern=2, rope_theta=1e6, rope_local_base_freq=10000.0, rms_norm_eps=1e-6,
)
NEOX = dict(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=64, layer_norm_eps=1e-5, hidden_act="gelu", rotary_pct=0.25, rotary_emb_base=10000,
    use_parallel_residual=True, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0,
)
OPT = dict(
    vocab_size=VOCABULARY, hidden_size=16, ffn_dim=24, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=32, word_embed_proj_dim=16, do_layer_norm_before=True, activation_function="relu",
    pad_token_id=1, bos_token_id=2, eos_token_id=2,
)
GPT2 = dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=32, bos_token_id=0, eos_token_id=0)

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
GATED = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
FUSED = ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]
NEOX_ALL = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
OPT_ALL = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]


def scaling(kind, **fields):
    return dict(rope_scaling=dict(rope_type=kind, **fields))


LLAMA3 = scaling("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
YARN = dict(factor=4.0, original_max_position_embeddings=16)

# name, model type, fields, modules with an adapter
CASES = [
    ("Llama", "llama", LLAMA, GATED + ["lm_head"]),
    ("Llama, tied", "llama", LLAMA | dict(tie_word_embeddings=True), None),
    ("Llama 3 scaling", "llama", LLAMA | LLAMA3, None),
    ("linear scaling", "llama", LLAMA | scaling("linear", factor=4.0), None),
    ("dynamic scaling", "llama", LLAMA | scaling("dynamic", factor=4.0), None),
    ("YaRN", "llama", LLAMA | scaling("yarn", **YARN), None),
    ("YaRN, not truncated", "llama", LLAMA | scaling("yarn", **YARN, truncate=False, beta_fast=2.0, beta_slow=0.5), None),
    ("YaRN, with two scales", "llama", LLAMA | scaling("yarn", **YARN, mscale=1.0, mscale_all_dim=0.5), None),
    ("YaRN, with a factor of scores", "llama", LLAMA | scaling("yarn", **YARN, attention_factor=1.25), None),
    ("Mistral", "mistral", LLAMA | dict(sliding_window=10), ATTENTION),
    ("Qwen2", "qwen2", {k: v for k, v in LLAMA.items() if k != "head_dim"} | dict(hidden_size=32), GATED),
    ("Qwen3", "qwen3", LLAMA, GATED + ["lm_head"]),
    ("Qwen3, tied, with biases", "qwen3", LLAMA | dict(tie_word_embeddings=True, attention_bias=True), None),
    ("Qwen3, YaRN", "qwen3", LLAMA | scaling("yarn", **YARN), None),
    ("GPT-NeoX", "gpt_neox", NEOX, NEOX_ALL + ["lm_head"]),
    ("GPT-NeoX, one layer after the other", "gpt_neox", NEOX | dict(use_parallel_residual=False), NEOX_ALL),
    ("GPT-NeoX, whole heads turned", "gpt_neox", NEOX | dict(rotary_pct=1.0, rotary_emb_base=500), None),
    ("GPT-NeoX, other gates", "gpt_neox", NEOX | dict(attention_bias=False, hidden_act="gelu_new", rotary_pct=0.5), None),
    ("OPT", "opt", OPT, OPT_ALL),
    ("OPT, no biases, GELU", "opt", OPT | dict(enable_bias=False, activation_function="gelu"), None),
    ("Phi-3", "phi3", PHI3, FUSED + ["lm_head"]),
    ("Phi-3, all heads with keys, a window", "phi3", PHI3 | dict(num_key_value_heads=4, sliding_window=10), FUSED[:1]),
    ("Phi-3, a part turned", "phi3", PHI3 | dict(partial_rotary_factor=0.75, hidden_act="gelu_new"), None),
    ("Gemma 3", "gemma3_text", GEMMA3, GATED),
    ("Gemma 3, scaled", "gemma3_text", GEMMA3 | scaling("linear", factor=8.0) | dict(query_pre_attn_scalar=24), None),
    ("Gemma 3, layers of any order", "gemma3_text", GEMMA3 | dict(
        layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"]), ["q_proj"]),
    ("GPT-2", "gpt2", GPT2, ["c_attn", "c_proj", "c_fc"]),
]


def set_weights(tensors, layers):
    """Fills tensors by their names in files, and returns their shapes: once for all layers, with {} for the number."""
    shapes = {}
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(fill(name, list(tensor.shape)))
            shapes.setdefault(re.sub(r"\.\d+\.", ".{}.", name), []).append(list(tensor.shape))
    for name, all_layers in shapes.items():
        assert all_layers == [all_layers[0]] * (layers if "{}" in name else 1), name
    return {name: all_layers[0] for name, all_layers in shapes.items()}


def logits(model):
    with torch.no_grad():
        return [[float(f"{v:.7g}") for v in row] for row in model(torch.tensor([TOKENS])).logits[0].tolist()]


def run(name, kind, fields, targets):
    config = AutoConfig.for_model(kind, **json.loads(json.dumps(fields)))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float64).eval()
    architecture = type(model).__name__
    state = model.state_dict()
    head = state.pop("lm_head.weight")
    if not config.tie_word_embeddings:
        # Files have kept the name that the head of GPT-NeoX had in earlier versions.
        state["embed_out.weight" if kind == "gpt_neox" else "lm_head.weight"] = head
    made = {
        "name": name,
        # As the hub's older files have it, and as this version of transformers saves it.
        "published": {"architectures": [architecture], "model_type": kind, **fields},
        "saved": {"architectures": [architecture], **json.loads(config.to_json_string(use_diff=True))},
        "layers": config.num_hidden_layers,
        "tensors": set_weights(state, config.num_hidden_layers),
        "logits": logits(model),
    }
    if targets is not None:
        lora = peft.LoraConfig(r=3, lora_alpha=6, target_modules=targets, task_type="CAUSAL_LM", fan_in_fan_out=kind == "gpt2")
        adapted = peft.get_peft_model(model, lora).double().eval()
        own = {n: p for n, p in adapted.named_parameters() if "lora_" in n}
        named = {n.replace(".default.", "."): p for n, p in own.items()}
        made["adapter"] = {
            "config": {k: sorted(v) if isinstance(v, set) else v for k, v in lora.to_dict().items()},
            "tensors": set_weights(named, config.num_hidden_layers),
            "logits": logits(adapted),
        }
    return made


made = [run(*case) for case in CASES]
versions = {m.__name__: m.__version__ for m in (torch, transformers, peft)}
head = {"about": "made by oracle.py", "versions": versions, "tokens": TOKENS}
lines = ",\n".join(json.dumps(case, separators=(",", ":"), default=str) for case in made)
text = json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
(pathlib.Path(__file__).parents[2] / "vectors" / "transformers.json").write_text(text)
