"""What torch loses in bfloat16 where docs/models.md says what 16-bit integers lose: SmolLM2-135M with its adapter, on the same unseen texts.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    venv/bin/python bfloat16.py MODEL_DIR ADAPTER_DIR REFERENCE_JSON

Weights, adapter and activations are bfloat16, as is usual; scores are compared as float32. The measures are those of `zkl compare`, with
float32 in the place of float64: a tie is a position where float32's two best scores are within 0.01.
"""
import json, sys
import peft, torch
from transformers import AutoModelForCausalLM


def scores(dtype, model, adapter, tokens):
    base = AutoModelForCausalLM.from_pretrained(model, dtype=dtype)
    adapted = peft.PeftModel.from_pretrained(base, adapter).to(dtype).eval()
    with torch.no_grad():
        return torch.stack([adapted(input_ids=row[None, :-1]).logits[0].float() for row in tokens])


def compare(exact, rounded, targets):
    same = exact.argmax(-1) == rounded.argmax(-1)
    best = exact.topk(2).values
    clear = best[..., 0] - best[..., 1] >= 0.01
    a, b = (torch.nn.functional.cross_entropy(s.flatten(0, 1), targets.flatten(), reduction="none").double() for s in (exact, rounded))
    return {
        "same token": f"{100 * same.double().mean():.2f} %, {int(same.sum())} of {same.numel()}",
        "without ties": f"{100 * same[clear].double().mean():.2f} %, {int(same[clear].sum())} of {int(clear.sum())}",
        "last position": f"{int(same[:, -1].sum())} of {len(same)}",
        "loss": f"{100 * (b.mean() / a.mean() - 1):+.3f} %",
        "apart at a position": f"{(a - b).abs().mean():.4f}",
    }


def main(model, adapter, reference):
    with open(reference) as file:
        tokens = torch.tensor([text["tokens"] for text in json.load(file)["unseen"]])
    exact, rounded = (scores(dtype, model, adapter, tokens) for dtype in (torch.float32, torch.bfloat16))
    for length in (16, 32):
        # A position depends on those before it alone.
        print(length, "tokens:", compare(exact[:, :length], rounded[:, :length], tokens[:, 1 : length + 1]))


main(*sys.argv[1:])
