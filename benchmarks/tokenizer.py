"""Round trip of whole data sets through the tokenizer of each shipped language model: exactness, length, speed.

    python benchmarks/tokenizer.py [FILE ...]          default: zinc250k of the catalog

Splitting must give every string back, known tokens or not; encoding and decoding must give every known one back. Exits
with 1 if one string differs.
"""

from __future__ import annotations

import sys
import time

from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.data.vocabulary import Vocabulary
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.models.registry import load, shipped


def vocabularies() -> dict[str, Vocabulary]:
    """Of the shipped models that read strings; graph models have none."""
    models = {name: load(name) for name in shipped()}
    return {name: m.vocabulary for name, m in models.items() if isinstance(m, SmilesLanguageModel)}


def main() -> int:
    """Check all rows; returns the exit code."""
    wrong = 0
    for path in sys.argv[1:] or [str(fetch("zinc250k"))]:
        smiles = [text for _, text, _, _ in raw_rows(path)]
        for name, vocabulary in vocabularies().items():
            started = time.process_time()
            ids, index, unknown = vocabulary.encode_all(smiles)
            seconds = time.process_time() - started
            differ = sum(vocabulary.decode(row) != smiles[i] for row, i in zip(ids, index, strict=True))
            differ += sum("".join(vocabulary.split(text)) != text for text in smiles)
            tokens = sum(map(len, ids)) / max(1, len(ids))
            print(
                f"{path}: {name}: {len(smiles)} strings, {differ} differ, {len(unknown)} with unknown tokens, "
                f"{tokens:.1f} tokens a string, {1e6 * seconds / len(smiles):.1f} us to encode one"
            )
            wrong += differ
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
