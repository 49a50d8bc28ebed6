"""What git's complaints mean, and what a person can do about them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.errors import Misconfigured, QuothError, TryLater
from connectors.git.address import Address
from connectors.git.repository import GitFailed, GitTimedOut

_DAMAGE = re.compile(
    r"bad object|corrupt|did not send all necessary objects|unable to read|inflate:|invalid object|loose object"
    r"|missing (?:blob|tree|commit)|packfile .* (?:cannot|does not|is)|index file .* |not a tree object|bad tree"
    r"|not a git repository: '|bad config|unable to resolve reference|could not parse"
    r"|unexpected end of file in",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a complaint of git, found by a pattern, tells the operator."""

    pattern: str
    error: type[QuothError]
    sentence: str


# The first that fits counts. The texts are those of git 2.30 to 2.51, curl, GnuTLS and OpenSSH with LC_ALL=C.
_MEANINGS = (
    Meaning(
        r"No space left on device|Disk quota exceeded",
        TryLater,
        "the disk that holds data_dir is full. Make room; the next run goes on.",
    ),
    Meaning(
        r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED",
        Misconfigured,
        "ssh does not know this host's key. Check it and add it to ~/.ssh/known_hosts (ssh-keyscan HOST).",
    ),
    Meaning(
        r"Permission denied \([a-z,-]*publickey",
        Misconfigured,
        "ssh has no key that this host accepts. Load one into ssh-agent, or add this machine's key as a deploy key.",
    ),
    Meaning(
        r"update url base from redirection|returned error: 30\d",
        Misconfigured,
        "the server sends us elsewhere, and redirects are not followed. Put the repository's present URL in.",
    ),
    Meaning(
        r"certificate|unable to get local issuer|self[- ]signed|CAfile",
        Misconfigured,
        "the server's TLS certificate is not trusted. Check the host name; for a private authority set SSL_CERT_FILE.",
    ),
    Meaning(r"returned error: 429|rate limit", TryLater, "the server asks us to wait (too many requests)."),
    Meaning(r"returned error: 5\d\d", TryLater, "the server has an error of its own at the moment."),
    Meaning(
        r"Could not resolve host|Name or service not known|nodename nor servname|Temporary failure in name resolution",
        TryLater,
        "the host name was not found. Check the URL, the network and the proxy.",
    ),
    Meaning(
        r"fsck error|fsck-objects|error: object [0-9a-f]{40,64}: |index-pack failed|nvalid path",
        Misconfigured,
        "the repository holds objects that git itself calls malformed or dangerous. `git fsck` in it names them.",
    ),
    Meaning(
        r"corruption on the remote side",
        Misconfigured,
        "the repository itself lacks objects or is damaged. `git fsck` in it says what is missing.",
    ),
    Meaning(
        r"dubious ownership",
        Misconfigured,
        "the folder belongs to another user. Run Quoth as that user, or make this one the owner.",
    ),
    Meaning(
        r"not valid: is this a git repository|bad line length|protocol error|invalid server response|"
        r"expected flush|unable to parse|server certificate format",
        Misconfigured,
        "something answers there, but it does not talk git. Check the URL.",
    ),
    Meaning(
        r"Connection refused|timed out|Connection reset|Network is unreachable|No route to host|early EOF|RPC failed"
        r"|hung up|unexpected disconnect|too slow|Couldn't connect|Failed to connect|Empty reply|Broken pipe"
        r"|TLS connection was non-properly|Connection closed",
        TryLater,
        "the server cannot be reached, or the connection broke off.",
    ),
    Meaning(
        r"Permission denied|unable to access .*denied",
        Misconfigured,
        "this user may not read it. Give it the right to read the folder and everything in it.",
    ),
)
_REFUSED = re.compile(
    r"could not read (?:Username|Password)|Authentication failed|returned error: 40[13]|Invalid username|HTTP Basic|"
    r"access denied|not authorized|403 Forbidden",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"returned error: 4(?:04|10)|repository .*not found|does not appear to be a git repository|"
    r"could not be found|does not exist|not a git repository",
    re.IGNORECASE,
)


def is_damage(failure: GitFailed) -> bool:
    """Whether our own copy, not the remote's, seems to be broken."""
    return not isinstance(failure, GitTimedOut) and _DAMAGE.search(_own_words(failure.said)) is not None


def trouble_of(failure: GitFailed, source: str, address: Address, *, has_token: bool) -> QuothError:
    """The error that a failed fetch is, with a sentence for the operator and no secret in it."""
    place = f"source {source}, {address.host or address.path}"
    if isinstance(failure, GitTimedOut):
        return TryLater(f"{place}: git took too long and was stopped.")
    for meaning in _MEANINGS:
        if re.search(meaning.pattern, failure.said, re.IGNORECASE):
            return meaning.error(f"{place}: {meaning.sentence}")
    if _REFUSED.search(failure.said):
        return Misconfigured(f"{place}: {_refusal_of(has_token)}")
    if _GONE.search(failure.said):
        return Misconfigured(f"{place}: {_absence_of(address)}")
    return TryLater(f"{place}: git could not fetch: {_last_words(failure.said)}")


def _refusal_of(has_token: bool) -> str:
    if has_token:
        return "the token was refused. It is wrong, has expired, or may not read this repository."
    return (
        "the server asks who we are. The repository is private or does not exist: check the URL, "
        "or name a token: auth: {kind: token, token_env: …}."
    )


def _absence_of(address: Address) -> str:
    if address.protocol == "file":
        return "this folder is not a git repository. Give the top folder of one (or run `git init` and commit)."
    return "there is no such repository there, or the token may not see it. Check the URL."


def _own_words(said: str) -> str:
    return "\n".join(line for line in said.splitlines() if not line.startswith("remote:"))


def _last_words(said: str) -> str:
    """Git's own complaint, short, on one line and without anything that might be a secret in a URL."""
    lines = [line for line in _own_words(said).splitlines() if line.startswith(("fatal:", "error:"))]
    words = " ".join("".join(c if c.isprintable() else " " for c in (lines or ["no reason given"])[0]).split())
    return re.sub(r"//[^/\s@]*@", "//", words)[:200]
