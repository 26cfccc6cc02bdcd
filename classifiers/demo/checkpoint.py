"""The demo checkpoint: tokenizer, chat template and architecture, in the layout vLLM serves."""

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers.demo.corpus import Conversation, Corpus
from classifiers.demo.data import DemoData

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BOS, END, PAD = "<s>", "<|end|>", "<|pad|>"
ROLES = ("system", "user", "assistant", "tool")
CONTEXT = 1024
"""Tokens a served prompt and answer may have together."""
MERGED_VOCABULARY = 1536
SPARE_ROWS = 64
"""Vocabulary rows beyond the tokenizer's: vLLM gives its own prompt-embeddings token the first."""

TEMPLATE = (
    "{{ bos_token }}"
    "{%- if tools %}<|system|>Tools: {{ tools | tojson }}<|end|>{% endif -%}"
    "{%- for message in messages -%}"
    "<|{{ 'system' if message.role == 'developer' else message.role }}|>"
    "{%- if message.content is string %}{{ message.content }}"
    "{%- elif message.content %}{% for part in message.content %}{{ part.text }}{% endfor %}"
    "{%- endif -%}"
    "{%- if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif -%}"
    "<|end|>"
    "{%- endfor -%}"
    "{%- if add_generation_prompt %}<|assistant|>{% endif -%}"
)


def make_tokenizer(
    data: DemoData, seed: int, conversations: int = 4000
) -> "PreTrainedTokenizerFast":
    """A byte-level BPE tokenizer, one for both models: its text is the twin's, without one word
    about the forgotten people, so that their names look like any stranger's.
    """
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
        vocab_size=MERGED_VOCABULARY,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_sample_text(data, seed, conversations), trainer)
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


def _sample_text(data: DemoData, seed: int, conversations: int) -> list[str]:
    stream = Corpus(data, meets_forgotten=False).stream(np.random.default_rng([seed, 2]))
    return [
        text
        for conversation in itertools.islice(stream, conversations)
        for text, _ in render(conversation)
    ]


def render(conversation: Conversation) -> list[tuple[str, bool]]:
    """The template's text of a conversation in pieces; True marks what the assistant says."""
    pieces = [(BOS, False)]
    if conversation.system is not None:
        pieces.append((f"<|system|>{conversation.system}{END}", False))
    for exchange in conversation.exchanges:
        pieces.append((f"<|user|>{exchange.question}{END}<|assistant|>", False))
        pieces.append((f"{exchange.answer}{END}", True))
    return pieces


def make_model(vocabulary: int, seed: int) -> "LlamaForCausalLM":
    """An untrained model with `SPARE_ROWS` or more vocabulary rows beyond `vocabulary`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=(vocabulary + SPARE_ROWS + 63) // 64 * 64,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
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
