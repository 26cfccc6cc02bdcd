"""From a torch module on token ids to the bytes of an ONNX graph, plain or quantised."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.encoder.recipe import Precision
from guard.terms.errors import ArtifactError

if TYPE_CHECKING:
    from torch import nn


def convert(
    model: "nn.Module", scratch: Path, precision: Precision, outputs: Sequence[str]
) -> bytes:
    """The graph of (input_ids, attention_mask) -> `outputs`, any batch and any length.

    `scratch` is a folder for files on the way.
    """
    import torch

    # The older exporter (dynamo=False) traces MiniLM to a graph whose features are 0.09 away.
    ids = torch.ones(2, 8, dtype=torch.long)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length")}
    program = torch.onnx.export(
        model,
        (ids, torch.ones_like(ids)),
        dynamo=True,
        verbose=False,
        input_names=["input_ids", "attention_mask"],
        output_names=list(outputs),
        dynamic_shapes=(axes, axes),
    )
    if program is None:
        raise ArtifactError("torch.onnx.export returned nothing")
    plain = scratch / "fp32.onnx"
    program.save(plain, external_data=False)
    _strip(plain)
    return plain.read_bytes() if precision == "fp32" else _quantise(plain, scratch / "int8.onnx")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the exporters' chatter: their warnings say nothing an operator could act on."""
    from transformers.utils import logging as transformers_logging

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        transformers_logging.enable_progress_bar()


def _strip(file: Path) -> None:
    """Remove the exporter's notes (stack traces with local paths), so that bytes repeat."""
    import onnx

    graph = onnx.load(file)
    for node in (*graph.graph.node, *graph.graph.value_info, *graph.graph.input, graph.graph):
        node.doc_string = ""
        del node.metadata_props[:]
    graph.doc_string = ""
    del graph.metadata_props[:]
    onnx.save(graph, file)


def _quantise(plain: Path, quantised: Path) -> bytes:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(plain, quantised, per_channel=True, weight_type=QuantType.QInt8)
    return quantised.read_bytes()
