"""Trains the harbour model and its adapter, and writes everything that is in this folder by machine.

    python train.py [--out FOLDER]

Deterministic: one thread, fixed seeds, and no kernels that depend on the processor. README.md says what
was trained, and provenance.json what came of it.
"""

import argparse
import datetime
import hashlib
import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before torch is imported: the same kernels, and so the same sums, on all x86-64 processors.
os.environ["ATEN_CPU_CAPABILITY"] = "default"
os.environ["MKL_CBWR"] = "COMPATIBLE"

import peft
import torch
import transformers
from safetensors.torch import save_file

import reference
import text

HERE = Path(__file__).parent
SEED = 2026
WINDOW = 64
BATCH = 32
BASE_STEPS = 1200
ADAPTER_STEPS = 1500
RANK = 4
ALPHA = 8


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def fit(model: Any, lines: text.Weighted, steps: int, rate: float, decay: float, seed: int) -> float:
    """AdamW with a linear warm-up and a cosine to zero; the mean loss of the last hundred steps."""
    stream = text.Stream(lines, seed)
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=(0.9, 0.98), weight_decay=decay, foreach=False)
    warm_up = 50
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warm_up)
    linear = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warm_up, 1, warm_up)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [linear, cosine], [warm_up])
    losses = []
    for step in range(steps):
        batch = torch.tensor([stream.window(WINDOW + 1) for _ in range(BATCH)])
        logits = model(input_ids=batch[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 99:
            print(f"  step {step + 1}: {sum(losses[-100:]) / 100:.4f}", flush=True)
    return sum(losses[-100:]) / 100


def train_base(folder: Path, lines: text.Weighted) -> tuple[Any, float]:
    """The base model, from nothing."""
    torch.manual_seed(SEED)
    config = transformers.LlamaConfig.from_pretrained(folder, attn_implementation="eager")
    model = transformers.LlamaForCausalLM(config)
    loss = fit(model, lines, BASE_STEPS, rate=5e-3, decay=0.1, seed=SEED)
    tensors = {k: v.contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return model, loss


def train_adapter(folder: Path, base: Any, lines: text.Weighted) -> float:
    """A LoRA adapter on the frozen base model, saved as peft saves it."""
    torch.manual_seed(SEED + 1)
    config = peft.LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        target_modules=["q_proj", "v_proj"],
        task_type="CAUSAL_LM",
    )
    model = peft.get_peft_model(base, config)
    loss = fit(model, lines, ADAPTER_STEPS, rate=1e-2, decay=0.01, seed=SEED + 1)
    model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink()  # an empty model card
    settings = json.loads((folder / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "harbour"  # it has no name of its own
    settings["target_modules"].sort()  # a set, in any order
    write_json(folder / "adapter_config.json", settings)
    return loss


def check(folder: Path) -> None:
    """The files load in the libraries they are for, which then compute what the reference does."""
    base = transformers.LlamaForCausalLM.from_pretrained(folder / "model", attn_implementation="eager")
    tokens = reference.sequences()[0]
    for adapter in (None, folder / "adapter"):
        model: Any = base if adapter is None else peft.PeftModel.from_pretrained(base, adapter)
        with torch.no_grad():
            theirs = model(input_ids=torch.tensor([tokens])).logits[0].double().numpy()
        ours = reference.Model(folder / "model", adapter).logits(tokens)
        error = abs(theirs - ours).max()
        assert error < 1e-3, f"{adapter}: float32 and float64 differ by {error}"
        print(f"float32 and float64 differ by at most {error:.1e}")


def report(style: text.Style, loss: float, model: reference.Model, steps: int) -> dict[str, Any]:
    """Losses in nats per character; `grammar` is what the grammar that wrote the text loses itself."""
    seen, held_out = text.split(style)

    def both(lines: text.Weighted) -> dict[str, float]:
        return {"model": round(model.loss(lines), 5), "grammar": round(text.least_loss(style, lines), 5)}

    said = [model.complete(observation) for _, observation, _, _ in text.observations()]
    known = {line + text.END for _, line in text.reports(style)}
    return {
        "reports": {"for training": len(seen), "held out": len(held_out)},
        "steps": steps,
        "loss of the last 100 steps": round(loss, 5),
        "loss on reports for training": both(seen),
        "loss on reports held out": both(held_out),
        "observations": len(said),
        "completed to a report": sum(line in known for line in said),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the harbour model and its adapter.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to (default: this one)")
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in ("model", "adapter"):
        (out / name).mkdir(parents=True, exist_ok=True)
    if out.resolve() != HERE.resolve():
        shutil.copy(HERE / "model" / "config.json", out / "model")
    write_json(out / "model" / "vocab.json", text.vocabulary())

    print("base model, on reports")
    base, base_loss = train_base(out / "model", text.split(text.REPORTS)[0])
    size = sum(p.numel() for p in base.parameters())
    print("adapter, on pirates' reports")
    adapter_loss = train_adapter(out / "adapter", base, text.split(text.PIRATES)[0])
    check(out)
    reference.write(out)

    models = [reference.Model(out / "model", adapter) for adapter in (None, out / "adapter")]
    files = [*sorted((out / "model").iterdir()), *sorted((out / "adapter").iterdir()), out / "reference.json"]
    write_json(
        out / "provenance.json",
        {
            "command": "python train.py",
            "date": datetime.date.today().isoformat(),
            "seed": SEED,
            "python": platform.python_version(),
            "packages": {
                line.split("==")[0]: version(line.split("==")[0])
                for line in (HERE / "requirements.txt").read_text().split()
            },
            "window": WINDOW,
            "batch": BATCH,
            "base": {"parameters": size, **report(text.REPORTS, base_loss, models[0], BASE_STEPS)},
            "adapter": {
                "rank": RANK,
                "alpha": ALPHA,
                **report(text.PIRATES, adapter_loss, models[1], ADAPTER_STEPS),
            },
            "files": {
                file.relative_to(out).as_posix(): {
                    "bytes": file.stat().st_size,
                    "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                }
                for file in files
            },
        },
    )


if __name__ == "__main__":
    main()
