"""Gradients and curves of training in float64, by torch's autograd and PEFT: writes test/vectors/training.

    python3 -m venv venv && venv/bin/pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    venv/bin/python oracle.py [STORIES260K_DIR]           # default: ../shared/models/stories260k beside the checkout

A row of tokens has one more than a model reads: token t+1 is the target of position t, and counts where mask[t + 1] is 1. With nll
the negative log-likelihood (natural logarithm) of a target, the loss of a batch is

    sum(mask * nll) / max(1, sum(mask))         over all its rows and positions together.

Padding follows a text, so no attention needs a mask. Both updates, for each trained weight w with gradient g, at step t = 1, 2, ...:

    AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101; Kingma and Ba 2015, arXiv:1412.6980), from m = v = 0:
        m' = beta1 m + (1 - beta1) g,    v' = beta2 v + (1 - beta2) g^2
        u  = (m' / (1 - beta1^t)) / (sqrt(v' / (1 - beta2^t)) + eps)
        w' = w - rate (u + decay w)
    momentum with the norm of all gradients together clipped, from m = 0:
        norm = sqrt(sum g^2) over all weights,    f = limit / max(norm, limit)
        m' = mu m + f g,    w' = w - rate m'

Both are held against torch's optimizers here. Gradients are held against central differences. Base weights of the toys, and what
adapters are before the first step, come from the tensors' names and are exact in 16 bits.
"""
import json, math, pathlib, random, sys
import peft, torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.llama import modeling_llama

HERE = pathlib.Path(__file__).resolve()
OUT = HERE.parents[2] / "vectors" / "training"
STORIES = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[4] / "shared" / "models" / "stories260k"
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
ALL = [*ATTENTION, "gate_proj", "up_proj", "down_proj"]
WEIGHT_BITS, ADAPTER_BITS = 12, 14


def norm64(self, x):
    return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)


def angles64(self, x, position_ids):
    theta, size = self.config.rope_parameters["rope_theta"], 2 * len(self.inv_freq)
    angle = position_ids[..., None].double() * theta ** (-torch.arange(0, size, 2).double() / size)
    angle = torch.cat((angle, angle), dim=-1)
    return angle.cos(), angle.sin()


# transformers computes both in float32, and the softmax of its eager attention.
modeling_llama.LlamaRMSNorm.forward = norm64
modeling_llama.LlamaRotaryEmbedding.forward = angles64


def fill(name, shape, bits, spread, mean=0.0):
    """Multiples of 2^-bits in [mean - spread, mean + spread], from a linear congruential generator that the name starts."""
    state = 2166136261
    for byte in name.encode():
        state = (state ^ byte) * 16777619 % 2**32
    values = []
    for _ in range(math.prod(shape)):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(round((mean + spread * (state / 2**31 - 1)) * 2**bits) / 2**bits)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def load(config, tensors):
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=torch.float64).eval()
    missing, unexpected = model.load_state_dict({k: v.double() for k, v in tensors.items()}, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    return model


def stories():
    return load(AutoConfig.from_pretrained(STORIES), load_file(STORIES / "model.safetensors"))


def toy(kind, fields):
    """A model of random weights, which also becomes a folder."""
    folder = f"models/{kind}"
    config = AutoConfig.for_model(kind, **fields)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float64)
    tensors = {}
    for name, t in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        spread, mean = (0.6, 0) if t.dim() > 1 else (0.3, 0 if name.endswith("bias") else 1)
        tensors[name] = fill(name, list(t.shape), WEIGHT_BITS, spread, mean)
    write_tensors(folder, "model", tensors)
    write_json(folder, "config", {"architectures": [type(model).__name__], "model_type": kind, **fields})
    return load(config, tensors)


def adapt(model, rank, alpha, targets):
    lora = peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, task_type="CAUSAL_LM", fan_in_fan_out=model.config.model_type == "gpt2")
    torch.manual_seed(0)
    adapted = peft.get_peft_model(model, lora).double().eval()
    trained = {n.replace(".default.", "."): p for n, p in adapted.named_parameters() if p.requires_grad}
    assert all("lora_" in n for n in trained)
    return adapted, trained, lora


def assign(trained, spreads):
    """Entries of A and of B up to these; without, B = 0 and a uniform A as PEFT begins (its numbers, rounded)."""
    with torch.no_grad():
        for name, p in trained.items():
            if spreads:
                p.copy_(fill(name, list(p.shape), ADAPTER_BITS, spreads["lora_B" in name]))
            else:
                p.copy_((p * 2**ADAPTER_BITS).round() / 2**ADAPTER_BITS)
                assert "lora_A" in name or p.abs().max() == 0


def loss_of(model, tokens, mask):
    scores = model(input_ids=tokens[:, :-1]).logits
    assert scores.dtype == torch.float64
    nll = torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    counts = mask[:, 1:].flatten().double()
    return (nll * counts).sum() / max(1, int(counts.sum()))


def gradients_of(model, trained, tokens, mask):
    loss = loss_of(model, tokens, mask)
    return loss.item(), dict(zip(trained, torch.autograd.grad(loss, list(trained.values()))))


def norm_of(gradients):
    return math.sqrt(sum(g.square().sum().item() for g in gradients.values()))


def assert_derivative(model, trained, gradients, tokens, mask, step=1e-6):
    """The gradient along a random direction of each tensor is the difference quotient."""
    for name, p in trained.items():
        direction = torch.sign(fill("direction " + name, list(p.shape), 30, 1.0))
        ends, weight = [], p.detach().clone()
        with torch.no_grad():
            for moved in (weight + step * direction, weight - step * direction):
                p.copy_(moved)
                ends.append(loss_of(model, tokens, mask).item())
            p.copy_(weight)
        slope, found = (ends[0] - ends[1]) / (2 * step), (gradients[name] * direction).sum().item()
        assert abs(slope - found) <= 1e-6 * gradients[name].abs().sum().item() + 1e-8, (name, slope, found)


def write_json(folder, name, value):
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    (OUT / folder / f"{name}.json").write_text(json.dumps(value, indent=1) + "\n")


def write_tensors(folder, name, tensors, dtype=torch.float32, exact=True):
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    stored = {n: t.detach().to(dtype).contiguous().clone() for n, t in tensors.items()}
    assert not exact or all((stored[n].double() == t).all() for n, t in tensors.items())
    save_file(stored, OUT / folder / f"{name}.safetensors", metadata={"format": "pt"})


def write_adapter(folder, trained, lora, dtype):
    config = {k: sorted(v) if isinstance(v, set) else v for k, v in lora.to_dict().items()}
    write_json(folder, "adapter_config", json.loads(json.dumps(config, default=str)))
    write_tensors(folder, "adapter_model", trained, dtype)


def write_data(folder, tokens, mask):
    write_tensors(folder, "data", {"tokens": tokens, "mask": mask}, torch.int32)


def write_gradients(folder, model, rank, alpha, targets, spreads, tokens, mask, dtype):
    adapted, trained, lora = adapt(model, rank, alpha, targets)
    assign(trained, spreads)
    loss, gradients = gradients_of(adapted, trained, tokens, mask)
    assert_derivative(adapted, trained, gradients, tokens, mask)
    write_adapter(folder, trained, lora, dtype)
    write_data(folder, tokens, mask)
    write_tensors(folder, "gradients", gradients, exact=False)
    write_json(folder, "expected", {"loss": loss, "norm": norm_of(gradients)})
    print(f"{folder}: {len(gradients)} gradients, loss {loss:.6f}, norm {norm_of(gradients):.6f}")


class AdamW:
    def __init__(self, trained, rate, beta1, beta2, eps, decay):
        self.rate, self.beta1, self.beta2, self.eps, self.decay, self.t = rate, beta1, beta2, eps, decay, 0
        self.m, self.v = ({n: torch.zeros_like(p) for n, p in trained.items()} for _ in range(2))

    def step(self, trained, gradients):
        self.t += 1
        for n, p in trained.items():
            self.m[n] = self.beta1 * self.m[n] + (1 - self.beta1) * gradients[n]
            self.v[n] = self.beta2 * self.v[n] + (1 - self.beta2) * gradients[n] ** 2
            u = (self.m[n] / (1 - self.beta1**self.t)) / ((self.v[n] / (1 - self.beta2**self.t)).sqrt() + self.eps)
            p.sub_(self.rate * (u + self.decay * p))

    def of_torch(self, weights):
        return torch.optim.AdamW(weights, lr=self.rate, betas=(self.beta1, self.beta2), eps=self.eps, weight_decay=self.decay)


class ClippedMomentum:
    def __init__(self, trained, rate, mu, limit):
        self.rate, self.mu, self.limit = rate, mu, limit
        self.m = {n: torch.zeros_like(p) for n, p in trained.items()}

    def step(self, trained, gradients):
        f = self.limit / max(norm_of(gradients), self.limit)
        for n, p in trained.items():
            self.m[n] = self.mu * self.m[n] + f * gradients[n]
            p.sub_(self.rate * self.m[n])

    def of_torch(self, weights):
        return torch.optim.SGD(weights, lr=self.rate, momentum=self.mu)


def train(model, optimizer, trained, batches):
    """Losses and norms before each update. A copy of the weights is trained by torch from the same gradients."""
    copies = {n: p.detach().clone() for n, p in trained.items()}
    other = optimizer.of_torch(list(copies.values()))
    losses, norms = [], []
    for tokens, mask in batches:
        loss, gradients = gradients_of(model, trained, tokens, mask)
        losses.append(loss)
        norms.append(norm_of(gradients))
        with torch.no_grad():
            optimizer.step(trained, gradients)
        for n, c in copies.items():
            c.grad = gradients[n].clone()
        if isinstance(optimizer, ClippedMomentum):
            torch.nn.utils.clip_grad_norm_(copies.values(), optimizer.limit)
        other.step()
    # torch divides by norm + 1e-6 where it clips.
    most = 1e-5 if isinstance(optimizer, ClippedMomentum) else 1e-12
    assert all((trained[n] - c).abs().max() < most for n, c in copies.items())
    return losses, norms


def write_curve(folder, model, rank, alpha, targets, make, hyper, tokens, mask, rows, dtype):
    adapted, trained, lora = adapt(model, rank, alpha, targets)
    assign(trained, None)
    write_adapter(folder, trained, lora, dtype)
    write_data(folder, tokens, mask)
    with torch.no_grad():
        before = loss_of(adapted, tokens, mask).item()
    losses, norms = train(adapted, make(trained, **hyper), trained, [(tokens[r], mask[r]) for r in rows])
    with torch.no_grad():
        after = loss_of(adapted, tokens, mask).item()
    write_tensors(folder, "trained", trained, exact=False)
    write_json(folder, "expected", {"hyperparameters": hyper, "before": before, "after": after, "rows": rows, "losses": losses, "norms": norms})
    print(f"{folder}: all rows from {before:.6f} to {after:.6f}, steps {losses[0]:.4f} {losses[-1]:.4f}, norms {min(norms):.4f} to {max(norms):.4f}")
    return norms


def epochs(count, batch, steps, seed):
    """Rows of each step: shuffled epochs, end to end."""
    generator, order = random.Random(seed), []
    while len(order) < batch * steps:
        epoch = list(range(count))
        generator.shuffle(epoch)
        order += epoch
    return [order[i * batch : (i + 1) * batch] for i in range(steps)]


def masked(rows, prompts, lengths, padding):
    """The first tokens of a row are a prompt, and what follows its length is padding: neither counts, nor does the first token, which nothing predicts."""
    tokens, mask = torch.tensor(rows), torch.zeros(len(rows), len(rows[0]), dtype=torch.int64)
    for i, (prompt, length) in enumerate(zip(prompts, lengths)):
        tokens[i, length:] = padding
        mask[i, max(1, prompt) : length] = 1
    return tokens, mask


def counting(count, length, vocabulary):
    """Rows that a small model can learn: each token is the one before, plus the row's step."""
    return [[(3 * i + (1 + i % 3) * t) % vocabulary for t in range(length)] for i in range(count)]


def main():
    sequences = json.loads((STORIES / "reference.json").read_text())["sequences"]
    batch = masked([s[:33] for s in sequences[:4]], [1, 5, 9, 3], [33, 33, 26, 17], 2)
    write_gradients("stories260k-qv", stories(), 4, 8, ["q_proj", "v_proj"], (0.125, 0.03125), *batch, torch.float16)
    write_gradients("stories260k-all", stories(), 4, 8, ALL, (0.125, 0.03125), *batch, torch.float16)

    gpt2 = dict(vocab_size=29, n_embd=16, n_layer=2, n_head=2, n_positions=16, activation_function="gelu_new",
                layer_norm_epsilon=1e-5, tie_word_embeddings=True, bos_token_id=0, eos_token_id=0)
    batch = masked([[7, 0, 28, 13, 13, 4, 22, 9, 1, 17], [3, 19, 11, 2, 26, 8, 5, 0, 0, 0]], [3, 1], [10, 7], 0)
    write_gradients("gpt2-fused", toy("gpt2", gpt2), 2, 4, ["c_attn"], (0.25, 0.25), *batch, torch.float32)

    llama = dict(vocab_size=31, hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                 head_dim=6, max_position_embeddings=32, rms_norm_eps=1e-5, rope_theta=10000.0, hidden_act="silu",
                 tie_word_embeddings=False, attention_bias=False, mlp_bias=False, bos_token_id=0, eos_token_id=0)
    batch = masked([[5, 30, 2, 2, 17, 11, 29, 8], [21, 14, 9, 3, 26, 1, 19, 6], [12, 7, 28, 0, 4, 0, 0, 0]], [1, 4, 2], [8, 8, 5], 0)
    write_gradients("llama-all", toy("llama", llama), 3, 6, ALL, (0.25, 0.25), *batch, torch.float32)

    # Each text four times, with other prompts and ends.
    rows = [s[:33] for s in sequences] * 4
    data = masked(rows, [[1, 5, 9, 3][i // 16] for i in range(64)], [33 - i % 16 if i // 16 == 3 else 33 for i in range(64)], 2)
    adamw = dict(rate=1e-3, beta1=0.9, beta2=0.999, eps=2.0**-27, decay=0.01)
    write_curve("stories260k-adamw", stories(), 4, 8, ["q_proj", "v_proj"], AdamW, adamw, *data, epochs(64, 4, 50, 1), torch.float32)

    # The last four rows do not count at all, and make the twenty-first batch.
    data = masked(counting(28, 10, 31), [1] * 24 + [10] * 4, [10 if i % 5 else 8 for i in range(28)], 0)
    rows = epochs(24, 4, 50, 2)
    rows[20] = [24, 25, 26, 27]
    momentum = dict(rate=0.05, mu=0.9, limit=1.5)
    norms = write_curve("llama-momentum", toy("llama", llama), 3, 6, ALL, ClippedMomentum, momentum, *data, rows, torch.float32)
    assert norms[20] == 0 and sum(n > 1.5 for n in norms) >= 5 and sum(0 < n < 1.5 for n in norms) >= 5


main()
