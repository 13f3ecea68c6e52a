"""Kill -9 at the driver, a trial's worker or the raylet, and two drivers at once: nothing is lost or trained twice.

`make test-chaos` does 20 rounds and prints what they cost; here there is one with two kills.
"""

import os
import sys
import time
from pathlib import Path

import chaos
import numpy as np
import pytest

from results.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="parts of a cluster are found in /proc"),
]

ROUNDS = int(os.environ.get("MMPT_CHAOS_ROUNDS", "0"))
SEED = int(os.environ.get("MMPT_CHAOS_SEED", "0"))
WORKERS = os.cpu_count() or 1
SHORT = [chaos.Kill("actor", 1.0), chaos.Kill("raylet", 3.0)]  # a killed driver is in test_ray_sweeps
only_at_length = pytest.mark.skipif(not ROUNDS, reason="takes a minute; `make test-chaos` does it")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[chaos.Driver, float, float]:
    """A sweep that nobody disturbs, its seconds, and those from its first epoch to its end.

    Where the costs of kills are reported it is the second of two: the first reads programs from the disk.
    """
    for _ in range(2 if ROUNDS else 1):
        driver = chaos.Driver(tmp_path_factory.mktemp("undisturbed"), cache)
        began = time.monotonic()
        process = driver.start()
        said, _ = process.communicate(timeout=chaos.LONGEST_SECONDS)
        assert process.returncode == 0, said
        found = driver, time.monotonic() - began, time.time() - driver.epochs()[0].began
    return found


def assert_nothing_lost_or_repeated(driver: chaos.Driver, undisturbed: chaos.Driver, said: str) -> None:
    one, other = Store(str(driver.store)), Store(str(undisturbed.store))
    assert one.done_ids() == other.done_ids() == {trial.trial_id for trial in chaos.planned()}, said
    assert not one.corrupt()
    assert not driver.trained_after_done(), said
    assert not driver.trained_at_once(), said
    for mine, theirs in zip(one.records(), other.records(), strict=True):
        for key, logits in theirs.logits.items():
            np.testing.assert_array_equal(mine.logits[key], logits)


def test_kills_lose_nothing_and_repeat_nothing(
    tmp_path: Path, cache: Path, undisturbed: tuple[chaos.Driver, float, float]
) -> None:
    reference, seconds, training_seconds = undisturbed
    drawn = [[kill] for kill in chaos.drawn_kills(ROUNDS, SEED, training_seconds)]
    print(f"\nundisturbed {seconds:.1f} s, of which {training_seconds:.1f} s from the first epoch on")
    costs = []
    for index, kills in enumerate(drawn or [SHORT], 1):
        driver = chaos.Driver(tmp_path / str(index), cache)
        done = chaos.disturb(driver, kills)
        costs.append(done.seconds - seconds)
        what = ", ".join(f"{kill}{'' if kill in done.hits else ' (had ended)'}" for kill in kills)
        print(
            f"round {index}: {what}: {done.seconds:.1f} s, {costs[-1]:.1f} s more than undisturbed, "
            f"{done.starts} starts, {done.repeated} epochs repeated",
            flush=True,
        )
        assert_nothing_lost_or_repeated(driver, reference, done.said)
        assert done.starts == 1 + sum(kill.victim == "driver" for kill in done.hits), done.said
        assert done.repeated <= WORKERS * len(kills), "at most the epoch that each worker was in"
    print(f"{len(costs)} rounds: lost 0, trained twice 0, logits equal; mean cost {np.mean(costs):.1f} s")


@only_at_length
def test_a_lost_head_ends_the_sweep_with_a_message(
    tmp_path: Path, cache: Path, undisturbed: tuple[chaos.Driver, float, float]
) -> None:
    """Ray ends a driver without a head after a minute; ours says what has happened, and goes on when started again."""
    driver = chaos.Driver(tmp_path / "headless", cache)
    process = driver.start()
    chaos.wait_for(driver.epochs)
    for pid in chaos.find("head", process, driver):
        os.kill(pid, 9)
    said, _ = process.communicate(timeout=chaos.LONGEST_SECONDS)
    assert process.returncode == 4, said
    assert "the Ray cluster is lost: its head at" in said
    assert "Traceback" not in said
    again = driver.start()
    more, _ = again.communicate(timeout=chaos.LONGEST_SECONDS)
    assert again.returncode == 0, more
    assert_nothing_lost_or_repeated(driver, undisturbed[0], said + more)


def test_two_drivers_on_one_store_train_every_trial_once(
    tmp_path: Path, cache: Path, undisturbed: tuple[chaos.Driver, float, float]
) -> None:
    driver = chaos.Driver(tmp_path / "shared", cache)
    processes = [driver.start(), driver.start()]
    said = [process.communicate(timeout=chaos.LONGEST_SECONDS)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert_nothing_lost_or_repeated(driver, undisturbed[0], "".join(said))
    assert len(driver.epochs()) == len(chaos.SPECS) * chaos.EPOCHS
    assert Store(str(driver.store)).leases() == {}
