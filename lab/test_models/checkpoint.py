"""Checkpoints of small Llamas: tokenizer, chat template and architecture, in vLLM's layout."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.test_models.conversation import BOS, END, PAD, ROLES, TEMPLATE

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 1024
"""Tokens a served prompt and answer may have together."""
SPARE_ROWS = 64
"""Vocabulary rows beyond the tokenizer's: vLLM gives its own prompt-embeddings token the first."""


@dataclass(frozen=True, slots=True)
class Size:
    """The width, depth and number of attention heads of a Llama."""

    hidden: int = 128
    intermediate: int = 384
    layers: int = 3
    heads: int = 4


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> "PreTrainedTokenizerFast":
    """A byte-level BPE tokenizer of `vocabulary` tokens, with the chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    specials = [PAD, BOS, END, *(f"<|{role}|>" for role in ROLES)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, specials.index(BOS))]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=BOS,
        eos_token=END,
        pad_token=PAD,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(vocabulary: int, seed: int, size: Size | None = None) -> "LlamaForCausalLM":
    """An untrained model with `SPARE_ROWS` or more vocabulary rows beyond `vocabulary`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    size = size or Size()
    config = LlamaConfig(
        vocab_size=(vocabulary + SPARE_ROWS + 63) // 64 * 64,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=CONTEXT,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        tie_word_embeddings=False,
        initializer_range=0.06,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def save(folder: Path, model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast") -> None:
    """Writes the checkpoint as vLLM reads it: bfloat16 safetensors, greedy unless asked."""
    import torch
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig(
        bos_token_id=1, eos_token_id=2, pad_token_id=0, do_sample=False
    )
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(
        0o644
    )  # written for the owner alone; a server may be another
    tokenizer.save_pretrained(folder)
