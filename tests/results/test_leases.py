"""Leases: one of many contenders gets a trial, silence loses it, and nobody's lease is ever taken while it counts."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from results.leases import Lease, LeaseLostError, LeaseWatch, TrialLeasedError
from results.processes import Process, this_process
from results.store import Store

TRIAL = "a" * 16
ELSEWHERE = Process(host="elsewhere", pid=1, place="another boot", started="5")


def hold_from_elsewhere(store: Store, **changes: object) -> Lease:
    """Leave the lease of a process on another machine, of which nothing can be known from here."""
    lease = store.take_lease(TRIAL, sweep="theirs")
    foreign = replace(lease, process=ELSEWHERE, **changes)  # type: ignore[arg-type]
    path = Path(store.root) / "leases" / lease.name
    content = {**json.loads(path.read_text()), **vars(foreign), "process": vars(ELSEWHERE)}
    path.write_text(json.dumps(content))
    return foreign


@pytest.fixture(params=["disk", "memory"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path) if request.param == "disk" else f"memory://{tmp_path.name}")


def test_exactly_one_creates_a_file(any_store: Store) -> None:
    assert any_store.files.create(b"first", "folder", "name")
    assert not any_store.files.create(b"second", "folder", "name")
    assert any_store.files.read("folder", "name") == b"first"
    assert any_store.files.names("folder") == ["name"]


def test_a_lease_is_exclusive_until_it_is_released(any_store: Store) -> None:
    mine = any_store.take_lease(TRIAL, sweep="mine")
    with pytest.raises(TrialLeasedError, match=f"{TRIAL} is being trained by process {os.getpid()} on") as caught:
        any_store.take_lease(TRIAL, sweep="theirs")
    assert caught.value.lease == mine
    assert any_store.leases() == {TRIAL: mine}
    any_store.release_lease(any_store.renew_lease(mine))
    assert any_store.leases() == {}
    theirs = any_store.take_lease(TRIAL, sweep="theirs")
    assert (mine.number, theirs.number) == (1, 2)
    any_store.forget_leases(theirs)
    assert any_store.files.names("leases") == []


@pytest.mark.parametrize("expired", [False, True], ids=["free", "expired"])
def test_of_many_threads_at_once_one_gets_the_lease(expired: bool, store: Store) -> None:
    contenders, state = 16, ""
    if expired:
        state = hold_from_elsewhere(store).state
    gate = threading.Barrier(contenders)

    def contend(index: int) -> str:
        own = Store(store.root)
        gate.wait()
        try:
            return own.take_lease(TRIAL, sweep=str(index), expired=state).sweep
        except TrialLeasedError:
            return ""

    with ThreadPoolExecutor(contenders) as pool:
        winners = [sweep for sweep in pool.map(contend, range(contenders)) if sweep]
    assert len(winners) == 1
    assert store.leases()[TRIAL].sweep == winners[0]


CONTENDER = """
import sys
from results.leases import TrialLeasedError
from results.store import Store
store = Store(sys.argv[1])
won = 0
sys.stdin.readline()
for index in range(40):
    try:
        lease = store.take_lease(f"{index:016x}", sweep=sys.argv[2])
        won += 1
    except TrialLeasedError:
        pass
print(won, flush=True)
sys.stdin.readline()
"""


def test_of_several_processes_at_once_one_gets_each_lease(store: Store) -> None:
    command = [sys.executable, "-c", CONTENDER, store.root]
    processes = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "abc"
    ]
    for process in processes:
        print(file=process.stdin, flush=True)
    won = [
        int(process.stdout.readline()) for process in processes if process.stdout
    ]  # they wait: dead ones hold nothing
    for process in processes:
        process.communicate("\n", timeout=30)
    assert sum(won) == 40


def test_the_lease_of_a_dead_process_here_is_free_at_once(store: Store) -> None:
    script = f"from results.store import Store; Store({store.root!r}).take_lease({TRIAL!r}, sweep='killed')"
    subprocess.run([sys.executable, "-c", script], check=True)
    (dead,) = store.leases().values()
    assert dead.process.is_gone
    assert not this_process().is_gone
    assert store.take_lease(TRIAL, sweep="mine").number == 2


def test_a_process_number_that_was_given_away_is_not_the_same_process() -> None:
    assert replace(this_process(), started="0").is_gone
    assert not replace(this_process(), started="0", place="another boot").is_gone
    assert not ELSEWHERE.is_gone


def test_an_earlier_attempt_of_the_same_sweep_is_known_to_have_ended(store: Store) -> None:
    held = hold_from_elsewhere(store)
    with pytest.raises(TrialLeasedError):
        store.take_lease(TRIAL, sweep="mine", attempt=2)
    assert store.take_lease(TRIAL, sweep=held.sweep, attempt=2).number == 2
    with pytest.raises(TrialLeasedError):  # attempt 2 is alive on this machine, whatever its driver believes
        store.take_lease(TRIAL, sweep=held.sweep, attempt=3)


def test_only_the_lease_that_was_seen_to_expire_can_be_taken_over(store: Store) -> None:
    held = hold_from_elsewhere(store)
    revived = store.renew_lease(held)
    with pytest.raises(TrialLeasedError):
        store.take_lease(TRIAL, sweep="mine", expired=held.state)
    mine = store.take_lease(TRIAL, sweep="mine", expired=revived.state)
    with pytest.raises(TrialLeasedError):
        store.take_lease(TRIAL, sweep="third", expired=revived.state)
    with pytest.raises(LeaseLostError, match="was taken over"):
        store.renew_lease(revived)
    store.check_lease(mine)


def test_who_lost_a_lease_notices_also_after_the_trial_is_done(store: Store) -> None:
    held = hold_from_elsewhere(store)
    mine = store.take_lease(TRIAL, sweep="mine", expired=held.state)
    store.release_lease(held)
    store.check_lease(mine)
    store.forget_leases(mine)
    with pytest.raises(LeaseLostError):
        store.check_lease(held)
    store.release_lease(held)
    assert store.files.names("leases") == []


def test_a_lease_file_that_cannot_be_read_is_somebodys(store: Store) -> None:
    store.files.write(b"", "leases", f"{TRIAL}.3.json")
    with pytest.raises(TrialLeasedError, match="an unknown host"):
        store.take_lease(TRIAL, sweep="mine")
    state = store.leases()[TRIAL].state
    assert store.take_lease(TRIAL, sweep="mine", expired=state).number == 4


def test_a_lease_expires_by_the_watchers_own_clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    held = hold_from_elsewhere(store, seconds=60.0)
    watch = LeaseWatch(held)
    now += 59
    assert not watch.is_over(held)
    held = store.renew_lease(held)
    assert not watch.is_over(held)
    now += 59
    assert not watch.is_over(held)
    now += 2
    assert watch.is_over(held)
    assert LeaseWatch(held).is_over(None)
    assert LeaseWatch(held).is_over(replace(held, released=True))
    assert LeaseWatch(held).is_over(replace(held, process=replace(this_process(), started="0")))
