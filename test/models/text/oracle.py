"""What the Rust crate makes of texts, for tokenizer.test.ts: writes test/vectors/tokenizers.json.

    python3 -m venv venv && venv/bin/pip install tokenizers
    venv/bin/python oracle.py smollm2=DIR qwen3=DIR       # folders with tokenizer.json

Of the named tokenizers, both Apache-2.0, the vocabulary is cut to what can occur in the texts, which changes no id: a merge that applies to a
text has parts that stand in it. The others are trained here on the texts, one for each kind and part.
"""
import json, pathlib, sys
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre, processors, trainers

TEXTS = [
    "The capital of France is", " leading  two   three trailing  ", "tabs\tand\nnew\n\nlines\r\n", "don't we'll I'VE don’t", "HELLO WORLD", "x² + y³ = ½ Ⅷ ①②",
    "1234567890 3.14 ١٢٣ ٤", "naïve café e\u0301 ﬁ", "日本語のテキスト 한국어", "Привет, мир שלום مرحبا", "😀 👩‍👩‍👧 🇫🇷 👍🏽", "def f(x):\n    return x**2  # c\n",
    "if (a && b) { c->d; }\n\t\treturn;", "https://example.com/a?b=c&d=%20", "a\u00a0b\u3000c\u2028d\ufeffe", "<|im_start|>user\nhi<|im_end|>\n", "<s>hi</s> <unk>", "▁ __init__ ▁▁",
    "!!!???...---===", "snake_case camelCase", "ΣΊΣΥΦΟΣ İı ß", "क्षत्रिय ไทย", "𝓯𝓪𝓷 𝟙𝟚", "\"quoted\" ‘single’", "a" * 20, " ", "\n", "  ", "zero\u200bwidth", "a\u0085b  \u0085 c",
]


def cut(tokenizer):
    """The tokenizer with the tokens and merges of its vocabulary that can occur in the texts."""
    value, t = json.loads(tokenizer.to_str()), tokenizer
    words = set()
    for text in TEXTS:
        text = t.normalizer.normalize_str(text) if t.normalizer else text
        words |= {w for w, _ in t.pre_tokenizer.pre_tokenize_str(text)}
    parts = {w[i:j] for w in words for i in range(len(w)) for j in range(i + 1, len(w) + 1)} | set(pre.ByteLevel.alphabet()) | {a["content"] for a in value["added_tokens"]}
    model = value["model"]
    model["vocab"] = {w: i for w, i in model["vocab"].items() if w in parts}
    model["merges"] = [m for m in model["merges"] if "".join(m) in parts]
    value["added_tokens"] = value["added_tokens"][:4]
    return Tokenizer.from_str(json.dumps(value))


def trained(model, trainer, **parts):
    t = Tokenizer(model)
    for name, part in parts.items():
        setattr(t, name, part)
    t.train_from_iterator(TEXTS * 3, trainer)
    return t


BYTES = []


def byte_level(splits):
    """All with the vocabulary of the first."""
    if BYTES:
        value = json.loads(BYTES[0].to_str())
        value["pre_tokenizer"]["pretokenizers"][0] = json.loads(trained(models.BPE(), trainers.BpeTrainer(), pre_tokenizer=splits).to_str())["pre_tokenizer"]
        return Tokenizer.from_str(json.dumps(value))
    BYTES.append(trained(models.BPE(), trainers.BpeTrainer(vocab_size=300, initial_alphabet=pre.ByteLevel.alphabet(), special_tokens=["<|im_end|>"]),
                   pre_tokenizer=pre.Sequence([splits, pre.ByteLevel(add_prefix_space=False, use_regex=False)]), decoder=decoders.ByteLevel()))
    return BYTES[0]


def llama():
    """As transformers converts sentencepiece's BPE: bytes for what the vocabulary lacks, a text that begins with a space."""
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    plain = trained(models.BPE(unk_token="<unk>"), trainers.BpeTrainer(vocab_size=420, limit_alphabet=60, special_tokens=["<unk>", "<s>", "</s>"] + bytes_),
                    normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]))
    value = json.loads(plain.to_str())
    value["model"].update(byte_fallback=True, fuse_unk=True)
    value["added_tokens"] = value["added_tokens"][:3]
    t = Tokenizer.from_str(json.dumps(value))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return t


def tokenizers(folders):
    for name, folder in folders.items():
        yield name, cut(Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json")))
    yield "llama", llama()
    unigram = trainers.UnigramTrainer(vocab_size=360, unk_token="<unk>", special_tokens=["<s>", "</s>", "<unk>"])
    yield "unigram", trained(models.Unigram(), unigram, normalizer=normalizers.NFKC(), pre_tokenizer=pre.Metaspace(), decoder=decoders.Metaspace())
    wordpiece = lambda: (models.WordPiece(unk_token="[UNK]"), trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]", "[SEP]"]))
    yield "wordpiece", trained(*wordpiece(), normalizer=normalizers.NFD(), pre_tokenizer=pre.Whitespace(), decoder=decoders.WordPiece())
    yield "wordpiece-accents", trained(*wordpiece(), normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
                                       pre_tokenizer=pre.Sequence([pre.WhitespaceSplit(), pre.Punctuation()]), decoder=decoders.WordPiece(cleanup=False))
    for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        yield f"split-{behavior}", byte_level(pre.Split(Regex(r"[\s.,=-]"), behavior))
        yield f"punctuation-{behavior}", byte_level(pre.Punctuation(behavior))
    yield "split-inverted", byte_level(pre.Split(Regex(r"\w+|\s+"), "removed", invert=True))
    yield "digits", byte_level(pre.Digits(False))


def encoded(t, texts):
    return [[e.ids, t.decode(e.ids, skip_special_tokens=False)] for e in (t.encode(text) for text in texts)]


def main():
    folders = dict(arg.split("=", 1) for arg in sys.argv[1:])
    out = [{"name": name, "tokenizer": json.loads(t.to_str()), "texts": encoded(t, TEXTS)} for name, t in tokenizers(folders)]
    shared = json.loads(BYTES[0].to_str())["model"]
    for o in out:
        if o["tokenizer"]["model"] == shared:
            o["tokenizer"]["model"] = None
    lines = ",\n".join(json.dumps(o, ensure_ascii=True, separators=(",", ":")) for o in out)
    texts = json.dumps(TEXTS, ensure_ascii=True, separators=(",", ":"))
    (pathlib.Path(__file__).parents[2] / "vectors" / "tokenizers.json").write_text('{"texts":%s,\n"shared":%s,\n"tokenizers":[\n%s\n]}\n' % (texts, json.dumps(shared, separators=(",", ":")), lines))


main()
