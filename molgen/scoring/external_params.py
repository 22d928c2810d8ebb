"""Parameters of the scorers that ask somebody else's program or service: pure data."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from molgen.core.schema import Section


class ExternalParams(Section):
    """What a command and a service have in common."""

    column: str = Field("score", description="column (CSV) or key (JSON) of the answer that holds the value")
    evidence: list[str] = Field(
        default_factory=list, description="further columns of the answer to show beside delivered molecules"
    )
    unit: str = Field("", description="unit of the value")
    batch_size: int = Field(100, ge=1, description="molecules per call")
    parallel: int = Field(1, ge=1, le=64, description="calls at the same time")
    time_limit: float = Field(
        600, gt=0, description="seconds per call; then it is ended and counts as failed"
    )
    retries: int = Field(1, ge=0, le=20, description="how often a failed call is repeated")
    wait: float = Field(
        1.0, ge=0, description="seconds before the first repetition; doubled each time, 60 at most"
    )
    give_up_after: int = Field(
        20, ge=1, description="calls that fail in a row before the run ends (resumable) instead of going on"
    )
    cost: float = Field(0.1, gt=0, description="rough seconds per molecule; dear scorers run last")
    cache: str | None = Field(
        None, description="file that keeps values between runs (JSON Lines); a run always keeps its own"
    )
    version: str = Field(
        "", description="change it when the values change for a reason that molgen cannot see"
    )


class CommandParams(ExternalParams):
    """A program of the user's."""

    command: list[str] = Field(
        min_length=1,
        description="program and arguments, run without a shell; {input} and {output} stand for files, without "
        "them standard input and output are used",
    )
    send: Literal["smi", "csv", "json"] = Field(
        "smi", description="what it gets: lines 'SMILES id', CSV id,smiles, or a JSON list of both"
    )
    answer: Literal["csv", "json"] = Field("csv", description="what it gives back")
    files: list[str] = Field(
        default_factory=list,
        description="files that its values depend on (receptor, model); hashed, as are the program and scripts "
        "among the arguments",
    )


class HttpParams(ExternalParams):
    """A service on this machine, or on one that is named."""

    url: str = Field(description="where the structures are sent by POST, as JSON")
    allow_hosts: list[str] = Field(
        default_factory=list,
        description="hosts other than this machine that may see the structures; without it there are none",
    )
    key: str = Field("smiles", description="key of the list of SMILES in what is sent")
    extra: dict[str, Any] = Field(default_factory=dict, description="further keys of what is sent")
    token_env: str | None = Field(
        None, description="environment variable with a token, sent as 'Authorization: Bearer ...'"
    )
    retries: int = Field(4, ge=0, le=20, description="how often a failed call is repeated")
    time_limit: float = Field(
        120, gt=0, description="seconds per call; then it is ended and counts as failed"
    )

    @model_validator(mode="after")
    def _is_allowed(self) -> HttpParams:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url must be http://HOST... or https://HOST... (got {self.url!r})")
        if parts.username or parts.password:
            raise ValueError(
                "url must not hold a password; put it into an environment variable, see token_env"
            )
        allowed = {host.lower() for host in self.allow_hosts}
        if not is_this_machine(parts.hostname) and parts.hostname.lower() not in allowed:
            raise ValueError(
                f"{parts.hostname} is not this machine, and structures would leave it; if that is meant, say "
                f"allow_hosts: [{parts.hostname}]"
            )
        return self


def is_this_machine(host: str) -> bool:
    """Whether a host name of a URL means the loopback interface, without asking a name server."""
    parts = host.split(".")
    loopback = len(parts) == 4 and parts[0] == "127" and all(part.isdigit() for part in parts)
    return host.lower() in ("localhost", "::1") or loopback
