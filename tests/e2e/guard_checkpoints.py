"""Tiny guard models with random weights in Hugging Face folders: a classifier, a chat model."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

WORDS = ("safe", "unsafe", "bridge", "tell", "me", "of", "the", "attack", "river", "write", "a")
LABELS = ("SAFE", "INJECTION", "OTHER")
SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
TEMPLATE = (
    "{% for m in messages %}{{ '[' + m.role + '] ' + m.content + ' ' }}{% endfor %}[verdict] "
)


def make_classifier(folder: Path) -> Path:
    """A BERT with three classes, whose random head tells texts apart."""
    torch.manual_seed(1)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = _word_tokenizer([*marks, *WORDS], "[UNK]")
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = BertConfig(
        vocab_size=len(marks) + len(WORDS),
        **SIZES,
        intermediate_size=128,
        max_position_embeddings=128,
        id2label=dict(enumerate(LABELS)),
        label2id={label: at for at, label in enumerate(LABELS)},
    )
    model = BertForSequenceClassification(config).eval()
    _spread(model)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), marks, strict=False)),
        model_max_length=128,
    ).save_pretrained(folder)
    return folder


def make_chat_model(folder: Path) -> Path:
    """A Llama that says one of its few words."""
    torch.manual_seed(2)
    marks = ["<unk>", "<s>", "</s>", "[user]", "[assistant]", "[verdict]"]
    tokenizer = _word_tokenizer([*marks, *WORDS], "<unk>")
    config = LlamaConfig(
        vocab_size=20,  # as many as a server tells the likeliest of
        **SIZES,
        num_key_value_heads=2,
        intermediate_size=128,
        max_position_embeddings=256,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    _spread(model)
    model.save_pretrained(folder)
    saved = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    saved.chat_template = TEMPLATE
    saved.save_pretrained(folder)
    return folder


def _word_tokenizer(vocabulary: list[str], unknown: str) -> Tokenizer:
    """One token for each word between spaces."""
    numbers = {word: at for at, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def _spread(model: torch.nn.Module) -> None:
    """Larger weights, so that texts have scores that differ."""
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim == 2:
                weights.mul_(5)
