"""The coordinator may die at any moment: its next life adopts the living and goes on with what was begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.mail.messages import HoldWord
from grid.holds import HoldCause
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings


@pytest.fixture
def venue() -> Iterator[VenueControl]:
    with still_venue() as made:
        yield made


@pytest.fixture
def live(venue: VenueControl, tmp_path: Path) -> Iterator[LiveDeployment]:
    with deployed(live_settings(tmp_path, venue), venue) as made:
        made.until(lambda: len(made.entries()) == 3, "it quotes")
        yield made


def lives_of(live: LiveDeployment) -> dict[str, str | None]:
    return live.crew.incarnations(live.roster.everyone)


def test_a_new_life_adopts_the_living_and_starts_nobody_again(live: LiveDeployment) -> None:
    before = lives_of(live)

    live.restart_coordinator()
    live.until(lambda: live.state() == "running", "it runs on")

    assert lives_of(live) == before
    assert {row["restarts"] for row in live.coordinator.snapshot()["actors"]} == {0}
    live.reckon()


def test_a_stop_that_a_former_life_began_is_brought_to_its_end(live: LiveDeployment, venue: VenueControl) -> None:
    live.crew.ask(live.roster.gateway, "close", "keep")  # all that the former life came to

    live.restart_coordinator()
    live.until(lambda: live.state() == "stopped", "it is stopped")

    assert live.coordinator.snapshot()["final"]["verified"]
    assert venue.own_orders(is_open=True) == []
    assert not live.crew.is_there(live.roster.gateway)


def test_after_a_stop_a_new_life_starts_nothing(live: LiveDeployment, venue: VenueControl) -> None:
    live.stop()
    orders = len(venue.account()["orders"])

    live.restart_coordinator()
    live.until(lambda: live.state() == "stopped", "it sees that there was a stop")

    assert not any(lives_of(live).values())
    assert len(venue.account()["orders"]) == orders
    assert not live.coordinator.snapshot()["final"]["verified"], "it has not seen it itself, and says so"


def test_a_coordinator_that_was_cut_off_and_replaced_ends_nobody(live: LiveDeployment) -> None:
    before = lives_of(live)
    cut_off = live.another_coordinator(is_restarted=True, incarnation="1700000000000.3")
    live.crew.leader = "1700000060000.7"
    cut_off.start()
    live.until(lambda: cut_off.snapshot()["state"] == "running", "it believes that it leads")

    cut_off.stop("keep")
    live.until(lambda: cut_off.snapshot()["state"] == "refused", "it has heard of its successor")

    assert lives_of(live) == before
    assert before[live.roster.gateway] is not None


def test_a_gateway_that_dies_during_the_stop_is_asked_again(live: LiveDeployment, venue: VenueControl) -> None:
    venue.fault("request_latency", scope={"endpoint": "order.cancel"}, until_healed=True)
    live.coordinator.stop("keep")
    live.until(lambda: live.gateway().get("closing") == "keep", "the stop has begun")
    live.kill_gateway()
    venue.heal()
    live.crew.enlist(live.roster.gateway)  # as Ray does

    live.until(lambda: live.state() == "stopped", "it is stopped")

    assert live.coordinator.snapshot()["final"]["verified"]
    assert venue.own_orders(is_open=True) == []


def test_a_gateway_that_is_gone_altogether_is_created_anew(live: LiveDeployment) -> None:
    live.crew.dismiss((live.roster.gateway,))

    live.until(lambda: live.gateway().get("is_ready"), "there is a gateway again")
    live.until(lambda: live.holds() == [], "it trades")


def test_a_word_of_the_operator_is_heard_though_the_book_is_being_rebuilt(
    live: LiveDeployment, venue: VenueControl
) -> None:
    live.kill_gateway()
    venue.fault("request_latency", scope={"endpoint": "account"}, until_healed=True)
    live.crew.enlist(live.roster.gateway)
    word = HoldWord(cause=HoldCause.OPERATOR, symbol="", is_put=True, reason="halt while restoring")
    assert live.crew.ask(live.roster.gateway, "say", word)
    assert live.gateway()["state"] == "restoring"
    venue.heal()

    live.until(lambda: "operator" in live.holds(), "the hold stands")
    live.until(lambda: live.entries() == [], "the entries are withdrawn")
