"""The harbour model in float64, and reference.json: what it computes, with and without the adapter.

    python reference.py [--out FOLDER]

Written from the architecture's description, with NumPy alone: transformers computes norms, rotary angles
and the softmax in float32 whatever the weights are. train.py checks that both agree.
"""

import argparse
import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from safetensors.numpy import load_file

import text

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

WINDOW = 32
"""Tokens that go in; one more is the last to be predicted."""

PROMPTS = [
    "dawn. calm sea.",
    "noon. rough sea.",
    "dusk. wind west.",
    "dark. gale north.",
    "five boats in,",
    "dawn. fog.",
    "noon. clear.",
    "dusk. low tide.",
]


class Model:
    """A LLaMA model from a folder, with a LoRA adapter from another."""

    def __init__(self, folder: Path, adapter: Path | None = None) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.ids: dict[str, int] = json.loads((folder / "vocab.json").read_text())
        self.weights = {k: v.astype(np.float64) for k, v in load_file(folder / "model.safetensors").items()}
        if adapter is not None:
            self._merge(adapter)

    def _merge(self, adapter: Path) -> None:
        config = json.loads((adapter / "adapter_config.json").read_text())
        tensors = load_file(adapter / "adapter_model.safetensors")
        for name, a in tensors.items():
            if not name.endswith(".lora_A.weight"):
                continue
            b = tensors[name.replace("lora_A", "lora_B")].astype(np.float64)
            module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            self.weights[f"{module}.weight"] += config["lora_alpha"] / config["r"] * (b @ a.astype(np.float64))

    def _norm(self, x: Array, name: str) -> Array:
        scale = np.sqrt((x * x).mean(-1, keepdims=True) + self.config["rms_norm_eps"])
        y: Array = x / scale * self.weights[f"{name}.weight"]
        return y

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self.weights[f"{name}.weight"].T

    def _rotate(self, x: Array) -> Array:
        """Rotary positions of x [heads, tokens, width], entry i turned with entry i + width / 2."""
        _, tokens, width = x.shape
        angle = np.outer(np.arange(tokens), self.config["rope_theta"] ** (-np.arange(0, width, 2) / width))
        left, right = np.split(x, 2, axis=-1)
        return np.concatenate(
            [
                left * np.cos(angle) - right * np.sin(angle),
                right * np.cos(angle) + left * np.sin(angle),
            ],
            axis=-1,
        )

    def _attention(self, x: Array, name: str) -> Array:
        tokens = len(x)
        heads, groups = self.config["num_attention_heads"], self.config["num_key_value_heads"]
        width = self.config["hidden_size"] // heads
        q, k, v = (self._linear(x, f"{name}.{p}_proj").reshape(tokens, -1, width).transpose(1, 0, 2) for p in "qkv")
        k, v = (np.repeat(z, heads // groups, axis=0) for z in (self._rotate(k), v))
        scores = self._rotate(q) @ k.transpose(0, 2, 1) / np.sqrt(width)
        scores[:, np.triu(np.ones((tokens, tokens), bool), 1)] = -np.inf
        p = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (p / p.sum(-1, keepdims=True)) @ v
        return self._linear(mixed.transpose(1, 0, 2).reshape(tokens, -1), f"{name}.o_proj")

    def _feed_forward(self, x: Array, name: str) -> Array:
        gate = self._linear(x, f"{name}.gate_proj")
        return self._linear(gate / (1 + np.exp(-gate)) * self._linear(x, f"{name}.up_proj"), f"{name}.down_proj")

    def logits(self, tokens: list[int]) -> Array:
        """[tokens, vocabulary]"""
        embedding = self.weights["model.embed_tokens.weight"]
        x = embedding[tokens]
        for i in range(self.config["num_hidden_layers"]):
            layer = f"model.layers.{i}"
            x = x + self._attention(self._norm(x, f"{layer}.input_layernorm"), f"{layer}.self_attn")
            x = x + self._feed_forward(self._norm(x, f"{layer}.post_attention_layernorm"), f"{layer}.mlp")
        return self._norm(x, "model.norm") @ embedding.T

    def losses(self, tokens: list[int]) -> Array:
        """The negative log-likelihood of each token but the first, in nats."""
        z = self.logits(tokens[:-1])
        m = z.max(-1)
        normaliser: Array = m + np.log(np.exp(z - m[:, None]).sum(-1))
        return normaliser - z[np.arange(len(z)), tokens[1:]]

    def loss(self, lines: text.Weighted) -> float:
        """Mean loss per character of reports, each by itself, between two ENDs."""
        total = characters = 0.0
        for p, line in lines:
            losses = self.losses(self.encode(text.END + line + text.END))
            total += p * float(losses.sum())
            characters += p * len(losses)
        return total / characters

    def encode(self, string: str) -> list[int]:
        return [self.ids[c] for c in string]

    def complete(self, prompt: str) -> str:
        """The likeliest next character, again and again, up to an END or a full window; with END before the prompt."""
        characters = list(self.ids)
        string = text.END + prompt
        while len(string) <= WINDOW:
            string += characters[int(self.logits(self.encode(string))[-1].argmax())]
            if string.endswith(text.END):
                break
        return string[1:]


def sequences() -> list[list[int]]:
    """Eight windows of reports, then eight of pirates', no two alike and all of reports that were held out."""
    windows: list[list[int]] = []
    for style, enough in ((text.REPORTS, 8), (text.PIRATES, 16)):
        stream = text.Stream(text.split(style)[1], seed=1)
        while len(windows) < enough:
            window = stream.window(WINDOW + 1)
            if window[:20] not in [w[:20] for w in windows]:
                windows.append(window)
    return windows


def write(folder: Path) -> None:
    models = {
        "base": Model(folder / "model"),
        "adapted": Model(folder / "model", folder / "adapter"),
    }
    windows = sequences()
    result = {
        "about": "float64 reference of the model and adapter beside this file; logits: [token position][vocab] for "
        "sequences[i][:32], by i; cross_entropy: mean over the 32 next-token predictions of each sequence; "
        "completions: greedy, after a newline and the prompt",
        "sequences": windows,
        **{
            name: {
                "cross_entropy": [float(model.losses(tokens).mean()) for tokens in windows],
                "logits": {i: model.logits(windows[i][:WINDOW]).round(6).tolist() for i in (0, 8)},
            }
            for name, model in models.items()
        },
        "completions": [
            {"prompt": prompt, **{name: model.complete(prompt) for name, model in models.items()}} for prompt in PROMPTS
        ],
    }
    (folder / "reference.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write reference.json again.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder of model and adapter")
    write(parser.parse_args().out)
