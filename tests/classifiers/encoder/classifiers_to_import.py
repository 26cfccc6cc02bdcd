"""Tiny sequence classifiers with random weights, as Hugging Face folders."""

from pathlib import Path
from typing import Any

WORDS = ("tell", "me", "of", "the", "river", "attack", "now", "bridge", "what", "is")
CLASSES = ("SAFE", "INJECTION", "OTHER")
MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def write_classifier(folder: Path, family: str, **settings: Any) -> Path:
    """A BERT, RoBERTa or DeBERTa v2 with three classes and large random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(1)
    more = {"bert": {}, "roberta": {"pad_token_id": 0}, "deberta-v2": DEBERTA}[family]
    config = AutoConfig.for_model(
        family,
        vocab_size=len(MARKS) + len(WORDS),
        **SIZES,
        intermediate_size=64,
        max_position_embeddings=80,
        id2label=dict(enumerate(CLASSES)),
        label2id={label: at for at, label in enumerate(CLASSES)},
        **more,
        **settings,
    )
    model = AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim == 2:
                weights.mul_(12)
    model.save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    return folder


DEBERTA: dict[str, Any] = {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "type_vocab_size": 0,
}
"""As DeBERTa v3 is configured."""


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    numbers = {word: at for at, word in enumerate((*MARKS, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **dict(zip(names, MARKS, strict=True)),
        model_max_length=64,
    )
