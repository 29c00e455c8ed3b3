#!/usr/bin/python3
"""tiliad dies by kill -9, again and again, under clients that put, take, claim and commit: the books add up.

    CYCLES=1000 tests/crash/kill_server.py everything_happens_once_over_killed_servers
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import harness  # noqa: E402
from fleet import Fleet, preload  # noqa: E402
from wire import Wire  # noqa: E402

CYCLES = int(os.environ.get("CYCLES") or (100 if os.environ.get("SOAK") else 25))


def say(fleet, ledger, began):
    print("# %d kills in %.1f s (seed %d): %s" % (fleet.kills, time.monotonic() - began, fleet.seed, ledger),
          flush=True)


def survive(fleet):
    """CYCLES kills; all that was acknowledged is there, once, and nobody is stuck."""
    began = time.monotonic()
    fleet.man()
    for _ in range(CYCLES):
        fleet.cycle()
    fleet.progress()
    ledger = fleet.end()
    say(fleet, ledger, began)
    stats = Wire(fleet.server.address).ask("stats")[1]
    assert (stats["claims"], stats["waiting"], stats["sessions"]) == (0, 0, 0), stats
    assert ledger.faults() == [], "\n".join(ledger.faults())
    assert ledger.wrong == [] and not ledger.doubt, (ledger.wrong[:9], sorted(ledger.doubt)[:9])
    assert set(ledger.ends.values()) == {0}, ledger.ends
    fleet.stop()


def test_nothing_is_lost_and_nothing_comes_twice_with_sessions():
    survive(Fleet("pcPCpcPC", seed=1))


def test_everything_happens_once_over_killed_servers():
    """Sixteen clients that put, take, claim, commit and do atomics; half of them under `tilia run`."""
    survive(Fleet("rrrrrrrr" "aAaA" "yYyY", seed=5))


def test_nothing_is_lost_when_unsynced_writes_are():
    survive(Fleet("CPcpCPcp", env=preload("crashvfs"), seed=2))


def test_without_sessions_only_what_is_in_flight_is_in_doubt():
    fleet = Fleet("nnnnNNNN", seed=3)
    began = time.monotonic()
    fleet.man()
    for _ in range(CYCLES):
        fleet.cycle()
    fleet.progress()
    ledger = fleet.end()
    say(fleet, ledger, began)
    unknown = {}
    for name, most in ledger.unknown:
        unknown[name] = unknown.get(name, 0) + 1
    print("# takes not known: %d, up to %d tuples; lost: %d" % (
        len(ledger.unknown), sum(n for _, n in ledger.unknown), len(ledger.lost())))
    for name, n in unknown.items():
        assert name.endswith("N") or n <= fleet.kills, (name, n)
    assert len(ledger.lost()) <= sum(n for _, n in ledger.unknown), ledger.faults()
    assert not ledger.twice() and not ledger.from_nowhere() and not ledger.misnamed(), ledger.faults()
    fleet.stop()


def without_power():
    """A server that syncs nothing lost power."""
    fleet = Fleet("cCcC", "--sync", "off", env=preload("crashvfs"), seed=4)
    fleet.man()
    fleet.progress(each=2000)
    fleet.kill()
    return fleet


def test_a_server_that_does_not_sync_is_found_by_its_lock_file():
    fleet = without_power()
    fleet.start(wait=False)
    assert fleet.server.wait(20) == 1
    assert "it lost acknowledged work" in fleet.server_log(), fleet.server_log()


def test_a_server_that_does_not_sync_is_found_by_the_books():
    fleet = without_power()
    os.unlink(fleet.store + ".lock")  # the operator's word that an older store is meant
    fleet.start()
    fleet.progress()
    ledger = fleet.end()
    print("# planted: %s; %s" % (ledger, ledger.faults()))
    assert ledger.lost(), ledger
    fleet.stop()


harness.main()
