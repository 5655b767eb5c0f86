"""What a lease store decides about a claim, in one pure function: every store keeps a record and asks here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import Enum

import orjson


class Stage(Enum):
    """Where the claimant stands by his own clock."""

    NEW = "new"
    """He has sent nothing under this token yet."""
    HOLDING = "holding"
    """He is the holder and his lease has not ended."""
    LAPSED = "lapsed"
    """He was the holder; his lease has ended, for all he knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the account, for people to read.

    `place` is equal only where one host's account lock serves both; `actor` only for two lives of one gateway, which
    follow each other wherever they run.
    """

    deployment: str
    host: str
    pid: int
    since_ms: int
    place: str = ""
    actor: str = ""

    def __str__(self) -> str:
        return f"deployment {self.deployment} (host {self.host}, process {self.pid})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A wish to hold, or to go on holding. `token` is one life of one gateway.

    `quarantine_ms` is how long a store that may have forgotten somebody grants nothing. `replaces` is the token of a
    former holder of whom the claimant has proof that he is dead.
    """

    token: str
    holder: Holder
    stage: Stage
    lease_ms: int
    quarantine_ms: int
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a store keeps of one account. `token` is empty while nobody holds it and the past is unknown.

    `ends_ms` is by the store's own clock; `life` is the store's life in which it was written. `former_ends_ms` is when
    the lease before it ended, as long as the holder has not said that he has waited it out.
    """

    token: str
    holder: Holder | None
    ends_ms: int
    renewals: int
    life: str
    former_ends_ms: int | None = None

    def dumps(self) -> bytes:
        """Return the record as JSON; without what there is not, so that older versions read it."""
        return orjson.dumps({name: word for name, word in asdict(self).items() if (name, word) != _NO_FORMER})

    @classmethod
    def loads(cls, text: bytes | str) -> Record:
        """Return the record that `dumps` wrote."""
        document = orjson.loads(text)
        holder = document.pop("holder")
        return cls(holder=Holder(**holder) if holder is not None else None, **document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The claimant holds it. `ended_ms_ago`: since when a former lease is over; None where nobody is waited for."""

    ended_ms_ago: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody else holds it, or did (`holder` None: the store does not know); `left_ms` until it ends unrenewed."""

    holder: Holder | None
    token: str
    left_ms: int
    renewals: int


Verdict = Granted | Held
_NO_FORMER = ("former_ends_ms", None)


def judge(record: Record | None, claim: Claim, now_ms: int, life: str) -> tuple[Verdict, Record | None]:
    """Return the verdict, and the record to keep where it changes. To be carried out atomically.

    A store that was started anew may have lost its latest records: it takes a living holder's word, and grants
    nothing to anybody else for a whole lease and the bound of the clocks.
    """
    known = record if record is not None and record.life == life else None
    if known is not None and known.token == claim.token:
        # A claimant who has not begun may not have heard the first grant: what he has to wait out is told again.
        former_ms = known.former_ends_ms if claim.stage is Stage.NEW else None
        ends_ms, renewals = now_ms + claim.lease_ms, known.renewals + 1
        return _granted(former_ms, now_ms), replace(known, ends_ms=ends_ms, renewals=renewals, former_ends_ms=former_ms)
    if claim.stage is Stage.HOLDING and (known is None or not known.token):
        return Granted(), _record(claim, now_ms, life)
    if claim.stage is not Stage.NEW:
        return _held(known or record, now_ms), None
    if known is None:
        holder = record.holder if record is not None else None
        ends_ms = now_ms + claim.quarantine_ms
        forgotten = Record(token="", holder=holder, ends_ms=ends_ms, renewals=0, life=life)
        return _held(forgotten, now_ms), forgotten
    if claim.replaces and claim.replaces == known.token:
        # The dead one may have been granted it and not waited to the end.
        return _granted(known.former_ends_ms, now_ms), _record(claim, now_ms, life, known.former_ends_ms)
    if now_ms >= known.ends_ms:
        return _granted(known.ends_ms, now_ms), _record(claim, now_ms, life, known.ends_ms)
    return _held(known, now_ms), None


def released(record: Record | None, token: str, now_ms: int) -> Record | None:
    """Return the record of a lease that its holder gives back: ended now, and remembered; None where it is not his."""
    if record is None or record.token != token:
        return None
    return replace(record, ends_ms=min(record.ends_ms, now_ms))


def _granted(former_ms: int | None, now_ms: int) -> Granted:
    return Granted(ended_ms_ago=None if former_ms is None else max(0, now_ms - former_ms))


def _record(claim: Claim, now_ms: int, life: str, former_ms: int | None = None) -> Record:
    return Record(
        token=claim.token,
        holder=claim.holder,
        ends_ms=now_ms + claim.lease_ms,
        renewals=0,
        life=life,
        former_ends_ms=former_ms,
    )


def _held(record: Record | None, now_ms: int) -> Held:
    if record is None:
        return Held(holder=None, token="", left_ms=0, renewals=0)
    left_ms = max(0, record.ends_ms - now_ms)
    return Held(holder=record.holder, token=record.token, left_ms=left_ms, renewals=record.renewals)
