"""SMILES to token ids and back: atoms and bonds, plus frequent fragments learned from the training set.

A vocabulary starts from the atom-level tokens (bracket atoms, ``Br``, ``Cl``, ``%nn`` and single characters) and adds
the pieces that byte-pair merging finds most often (SMILES pair encoding, Li and Fourches, J. Chem. Inf. Model. 2021,
doi:10.1021/acs.jcim.0c01127). A molecule of 35 characters becomes about 9 tokens, which makes a recurrent network
several times cheaper to train and to sample. ``encode`` always takes the longest piece that fits, so a string
has exactly one token sequence; pieces never cut an atom token in two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from molgen.core.errors import ModelError

FORMAT = 1
END = "<end>"
_ATOM = r"\[[^\]]*\]|%\d\d|Br|Cl|."
_ATOM_RE = re.compile(_ATOM, re.DOTALL)


def atom_tokens(smiles: str) -> list[str]:
    """Split a SMILES string into atom-level tokens; joining them gives the string back."""
    return _ATOM_RE.findall(smiles)


@dataclass(frozen=True)
class UnknownToken:
    """A row that cannot be encoded: its index, the token that is not in the vocabulary, and the text."""

    index: int
    token: str
    smiles: str

    def __str__(self) -> str:
        return f"row {self.index}: token {self.token!r} is not in the vocabulary (in {self.smiles!r})"


@dataclass(frozen=True)
class Vocabulary:
    """An immutable list of tokens; id 0 is ``<end>``, which also starts every sequence.

    Padding is not a token: batches carry lengths, so that padding can never count in a likelihood.
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.tokens or self.tokens[0] != END or len(set(self.tokens)) != len(self.tokens):
            raise ModelError(f"a vocabulary needs distinct tokens, the first of them {END!r}")

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens)}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        pieces = [t for t in self.tokens[1:] if len(atom_tokens(t)) > 1]
        return re.compile(f"{_trie_pattern(pieces)}|{_ATOM}" if pieces else _ATOM, re.DOTALL)

    def split(self, smiles: str) -> list[str]:
        """The token strings of a SMILES string, known or not; joining them gives the string back."""
        return self._pattern.findall(smiles)

    def encode(self, smiles: str) -> list[int]:
        """Token ids without the end token. Raises :class:`ModelError` naming an unknown token."""
        try:
            return [self._ids[token] for token in self.split(smiles)]
        except KeyError as error:
            raise ModelError(str(UnknownToken(0, error.args[0], smiles))) from None

    def encode_all(self, smiles: Sequence[str]) -> tuple[list[list[int]], list[int], list[UnknownToken]]:
        """Encode many: (ids of the rows that could be encoded, their indices, the rows that could not)."""
        ids: list[list[int]] = []
        index: list[int] = []
        unknown: list[UnknownToken] = []
        table = self._ids
        for i, text in enumerate(smiles):
            tokens = self.split(text)
            try:
                ids.append([table[token] for token in tokens])
                index.append(i)
            except KeyError as error:
                unknown.append(UnknownToken(i, error.args[0], text))
        return ids, index, unknown

    def decode(self, ids: Iterable[int]) -> str:
        """The string of token ids; stops at the end token."""
        out = []
        for i in ids:
            if i == 0:
                break
            out.append(self.tokens[i])
        return "".join(out)

    def to_json(self) -> dict[str, Any]:
        """JSON-able form, with its format number."""
        return {"format": FORMAT, "tokens": list(self.tokens)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Vocabulary:
        """Inverse of :meth:`to_json`; refuses other formats."""
        if data.get("format") != FORMAT:
            raise ModelError(f"vocabulary format {data.get('format')!r} is not {FORMAT}; update molgen")
        return cls(tuple(data["tokens"]))

    @classmethod
    def learn(
        cls, smiles: Sequence[str], pieces: int = 400, *, sample: int = 20_000, seed: int = 0
    ) -> Vocabulary:
        """Collect every atom-level token of ``smiles`` and learn ``pieces`` longer tokens from a sample of it.

        Several non-overlapping merges are made per pass, which changes few of the learned pieces and saves
        most of the time of strict byte-pair merging.
        """
        atoms = sorted({token for text in smiles for token in set(atom_tokens(text))})
        chosen = np.random.default_rng(seed).permutation(len(smiles))[:sample]
        learned = _learn_pieces([atom_tokens(smiles[i]) for i in chosen], pieces)
        return cls((END, *atoms, *learned))


def _learn_pieces(sequences: list[list[str]], pieces: int, per_pass: int = 8) -> list[str]:
    learned: list[str] = []
    known: set[str] = set()
    while len(learned) < pieces:
        counts: Counter[tuple[str, str]] = Counter()
        for sequence in sequences:
            counts.update(pairwise(sequence))
        picked: dict[tuple[str, str], str] = {}
        used: set[str] = set()
        for (left, right), count in counts.most_common(200):
            if count < 2 or len(picked) >= min(per_pass, pieces - len(learned)):
                break
            if left in used or right in used or left + right in known:
                continue
            picked[left, right] = left + right
            known.add(left + right)
            used |= {left, right}
        if not picked:
            break
        learned += picked.values()
        sequences = [_merge(sequence, picked) for sequence in sequences]
    return learned


def _merge(sequence: list[str], picked: dict[tuple[str, str], str]) -> list[str]:
    merged: list[str] = []
    i = 0
    while i < len(sequence):
        pair = picked.get((sequence[i], sequence[i + 1])) if i + 1 < len(sequence) else None
        merged.append(pair or sequence[i])
        i += 2 if pair else 1
    return merged


def _trie_pattern(pieces: Sequence[str]) -> str:
    """One regular expression that matches the longest piece at a position, as a prefix tree over atom tokens.

    The tree makes matching proportional to the length of the match; a flat list of alternatives would try them all.
    """
    trie: dict[str, Any] = {}
    for piece in pieces:
        node = trie
        for token in atom_tokens(piece):
            node = node.setdefault(token, {})
        node[""] = {}

    def build(node: dict[str, Any]) -> str:
        branches = [_whole_token(token) + build(child) for token, child in sorted(node.items()) if token]
        if not branches:
            return ""
        group = f"(?:{'|'.join(branches)})"
        return f"{group}?" if "" in node else group

    return build(trie)


def _whole_token(token: str) -> str:
    # C must not match the first letter of Cl, nor B of Br
    guard = {"C": "(?!l)", "B": "(?!r)"}.get(token, "")
    return re.escape(token) + guard
