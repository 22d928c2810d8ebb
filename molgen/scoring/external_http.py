"""The scorer ``http``: a service that gets structures as JSON, on this machine unless the configuration names another.

Structures are somebody's secret: no redirect is followed, no proxy is used, and a host other than this machine must
be named in ``allow_hosts``.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from molgen.core.errors import ConfigError, Problem
from molgen.scoring.external import External
from molgen.scoring.external_answer import LARGEST, Answer, CallFailed, ids, match, read_json
from molgen.scoring.external_params import HttpParams, is_this_machine
from molgen.scoring.protocol import Context

_BLOCK = 1 << 16
#: Answers that may be others the next time: timeout, too many requests, and the server's own faults.
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


def build(name: str, params: HttpParams, context: Context) -> External:
    """The scorer of a service; it is not asked before there is something to score."""
    if params.token_env is not None and not os.environ.get(params.token_env):
        raise ConfigError(
            [Problem("token_env", f"the environment variable {params.token_env} is not set")], name
        )
    host = urlsplit(params.url).hostname or ""
    where = "on this machine" if is_this_machine(host) else f"at {host}; structures are sent there"
    return External(
        name, params, partial(Service, params), {}, context.base_dir, f"value of the service {where}"
    )


class Service:
    """Asks the service once per batch."""

    def __init__(self, params: HttpParams) -> None:
        self.params = params
        # An empty ProxyHandler: a proxy of the environment would be one more who sees the structures.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)

    def __call__(self, smiles: Sequence[str]) -> list[Answer]:
        """Ask once; raises CallFailed with the status or what is wrong with the answer."""
        params = self.params
        body = {**params.extra, params.key: list(smiles), "ids": ids(len(smiles))}
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "molgen"}
        if params.token_env is not None:
            headers["Authorization"] = f"Bearer {os.environ.get(params.token_env, '')}"
        request = urllib.request.Request(params.url, json.dumps(body).encode(), headers, method="POST")
        deadline = time.monotonic() + params.time_limit
        try:
            with self._opener.open(request, timeout=params.time_limit) as answer:
                text = _read(answer, deadline, params.time_limit)
        except urllib.error.HTTPError as error:
            with error:
                failure = _status(error)
            raise failure from error
        except TimeoutError as error:
            raise CallFailed(f"timed out after {params.time_limit:g} s") from error
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise CallFailed(f"timed out after {params.time_limit:g} s") from error
            raise CallFailed(f"no answer from {params.url}: {reason or type(error).__name__}") from error
        return match(read_json(text), smiles, params.column, params.evidence)

    def cancel(self) -> None:
        """Nothing to end here: nobody waits for the answers of a call that was dropped."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """None: the redirect is reported as the failure that it is."""


def _read(answer: http.client.HTTPResponse, deadline: float, limit: float) -> str:
    blocks, size = [], 0
    while block := answer.read1(_BLOCK):
        blocks.append(block)
        size += len(block)
        if size > LARGEST:
            raise CallFailed(f"the answer is longer than {LARGEST >> 20} MB", again=False)
        if time.monotonic() > deadline:
            raise CallFailed(f"timed out after {limit:g} s")
    return b"".join(blocks).decode("utf-8", errors="replace")


def _status(error: urllib.error.HTTPError) -> CallFailed:
    """What an HTTP status other than success means for us."""
    if 300 <= error.code < 400:
        return CallFailed(
            f"the service redirects to {error.headers.get('Location')}; redirects are not followed, give that url "
            "if it is right",
            again=False,
        )
    try:
        said = " ".join(error.read(2000).decode("utf-8", errors="replace").split())[:200]
    except (OSError, http.client.HTTPException):
        said = ""
    wait = error.headers.get("Retry-After") or ""
    return CallFailed(
        f"HTTP {error.code} {error.reason}" + (f": {said}" if said else ""),
        again=error.code in _TRANSIENT,
        wait=float(wait) if wait.isdigit() else 0.0,
    )
