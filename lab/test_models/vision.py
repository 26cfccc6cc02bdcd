"""A tiny vision-language model with random weights, which vLLM serves on CPU without torchvision.

Idefics3: a picture is four image tokens, and moves the answer: that is all that tests need.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SIDE, PATCH, SHUFFLE = 56, 14, 2
IMAGE_TOKENS = (SIDE // PATCH) ** 2 // SHUFFLE**2
WIDTH = 256
SPECIAL = (
    *("<unk>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|system|>"),
    *("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
)
SPARE_ROWS = 64
"""With prompt embeddings vLLM adds a token behind the tokenizer's last; beside a picture it refuses
one that has no row."""
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>"
    "{% if m.content is string %}{{ m.content }}"
    "{% else %}{% for c in m.content %}"
    "{% if c.type in ('image', 'image_url') %}<image>"
    "{% elif c.type == 'text' %}{{ c.text }}{% endif %}{% endfor %}{% endif %}"
    "{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def build(folder: Path, corpus: Iterable[str]) -> Path:
    """Write the checkpoint, always the same; returns `folder`."""
    import torch
    from transformers import Idefics3ForConditionalGeneration

    tokenizer = _tokenizer(corpus)
    _write_processor(tokenizer, folder)
    torch.manual_seed(0)
    model = Idefics3ForConditionalGeneration(_config(tokenizer))
    with torch.no_grad():
        _scale(model)
    model.to(torch.bfloat16).save_pretrained(folder)
    return folder


def _tokenizer(corpus: Iterable[str]) -> "PreTrainedTokenizerFast":
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(corpus, trainer)
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, **names)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _write_processor(tokenizer: "PreTrainedTokenizerFast", folder: Path) -> None:
    from transformers.models.idefics3.image_processing_pil_idefics3 import (
        Idefics3ImageProcessorPil,
    )
    from transformers.models.idefics3.processing_idefics3 import Idefics3Processor

    edge = {"longest_edge": SIDE}
    pictures = Idefics3ImageProcessorPil(do_image_splitting=False, size=edge, max_image_size=edge)
    processor = Idefics3Processor(
        image_processor=pictures,
        tokenizer=tokenizer,
        image_seq_len=IMAGE_TOKENS,
        chat_template=TEMPLATE,
    )
    processor.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _config(tokenizer: "PreTrainedTokenizerFast") -> Any:
    from transformers import Idefics3Config

    rows = -(-len(tokenizer) // SPARE_ROWS) * SPARE_ROWS + SPARE_ROWS
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    return Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SHUFFLE,
        tie_word_embeddings=False,
        **ids,
        vision_config={
            **{"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2},
            **{"num_attention_heads": 4, "image_size": SIDE, "patch_size": PATCH},
        },
        text_config={
            **{"model_type": "llama", "vocab_size": rows, "hidden_size": WIDTH},
            **{"intermediate_size": 688, "num_hidden_layers": 4, "num_attention_heads": 4},
            **{"num_key_value_heads": 4, "max_position_embeddings": 1024},
            **{"tie_word_embeddings": False, **ids},
        },
    )


def _scale(model: Any) -> None:
    """Weights of an untrained model hardly let a picture through: make its features as large as
    embeddings, and the answers' probabilities uneven."""
    model.get_input_embeddings().weight.normal_(0, 1.0)
    model.lm_head.weight.normal_(0, 0.1)
    for name, weights in model.named_parameters():
        is_layer = weights.dim() == 2 and "layers" in name and "norm" not in name
        if "modality_projection" in name or is_layer:
            weights.normal_(0, weights.shape[1] ** -0.5)


def architecture(folder: Path) -> str:
    """The class that a checkpoint names."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return str(config["architectures"][0])
