"""The stages that do a plugin's steps on a fake machine: to the end, half way and back, and killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

from node.errors import NodeError
from node.model.health import HealthCheck, Outcome
from node.model.inventory import Inventory
from node.model.step import PlannedStep, PrepareStep, Step
from node.system.time_limit import TooLongError, time_limit
from node.testing.conformance.stages import Bench
from node.testing.conformance.stumbling import StumblingSystem
from node.testing.guard import ForbiddenEffectError, guarded

# On the fake machine nothing takes time; what does is waiting by itself, or working without `system`.
_STEP_LIMIT_S = 30.0
# So many places are tried in a step of very many calls.
_MOST_PLACES = 40
_EARLIER = b"of an earlier node\n"


def steps(bench: Bench) -> None:
    """Look at each step as data and words, and do it."""
    planned = bench.planned()
    if not _any_steps(bench, "steps", planned):
        return
    faults: list[str] = []
    unsure: list[str] = []
    for inventory, one in planned:
        name = type(one.step).__name__
        bench.doing(f"{name}")
        if isinstance(one.step, PrepareStep) and not isinstance(one.step.done(inventory), bool):
            faults.append(f"{name}: done gives no bool")
        system = _system(bench, inventory)
        words, excuse = _done(one.step.apply, system)
        faults += [f"{name}: {words}"] if words else []
        unsure += [f"{name}: {excuse}; say by --programs what its programs print"] if excuse else []
        if not words and not excuse:
            words, excuse = _done(one.step.finish, system)
            faults += [f"{name}: finish: {each}" for each in (words, excuse) if each]
            if system.mounted and type(one.step).finish is Step.finish:
                faults.append(
                    f"{name}: leaves {', '.join(map(str, system.mounted))} mounted and has no finish"
                )
    for words in unsure:
        bench.tell(HealthCheck("steps", Outcome.DEGRADED, words))
    bench.passed("steps", faults, f"{len(planned)}: {', '.join(sorted(_names(planned)))}")


def undo(bench: Bench) -> None:
    """Fail at each call of each step, and take back what was done so far."""
    planned = bench.planned()
    if not _any_steps(bench, "undo", planned):
        return
    faults: list[str] = []
    lost: dict[str, None] = {}
    places = 0
    for inventory, one in planned:
        name = type(one.step).__name__
        lost.update(dict.fromkeys(_lost(bench, inventory, one.step)))
        for place in _places(bench, inventory, one.step):
            places += 1
            bench.doing(f"undo of {name} after {place - 1} calls")
            system = _system(bench, inventory, at=place, stumble=_fail)
            _done(one.step.apply, system)
            words, excuse = _done(one.step.undo, system)
            faults += [f"{name}: undo after {place - 1} calls: {each}" for each in (words, excuse) if each]
            if system.mounted:
                left = ", ".join(map(str, system.mounted))
                faults.append(f"{name}: undo after {place - 1} calls leaves {left} mounted")
    for words in lost:
        bench.tell(HealthCheck("undo", Outcome.DEGRADED, words))
    bench.passed("undo", list(dict.fromkeys(faults)), f"after each of {places} calls")


def kill(bench: Bench) -> None:
    """Kill each step by SIGKILL at each call, and do it again on what is left, as after a power cut."""
    planned = bench.planned()
    if not _any_steps(bench, "kill -9", planned):
        return
    faults: list[str] = []
    places = 0
    for inventory, one in planned:
        name = type(one.step).__name__
        for place in _places(bench, inventory, one.step):
            bench.doing(f"kill of {name} after {place - 1} calls")
            state = _killed(bench, inventory, one.step, place)
            if state is None:
                continue
            places += 1
            system = _system(bench, inventory)
            system.restore(state)
            words, excuse = _done(one.step.apply, system)
            faults += [
                f"{name}: can't be done again once it was killed after {place - 1} calls: {each}"
                for each in (words, excuse)
                if each
            ]
    bench.passed("kill -9", list(dict.fromkeys(faults)), f"done again after each of {places} kills")


def _any_steps(bench: Bench, name: str, planned: object) -> bool:
    if planned:
        return True
    asked = bench.has("node_plan", "node_prepare")
    words = "no plan has a step of it; pass --answers FILE that asks for one" if asked else "it has no steps"
    if asked and bench.refused:
        words = f"no plan has a step of it: {bench.refused}"
    bench.tell(HealthCheck(name, Outcome.SKIPPED, words))
    return False


def _done(work: Callable[[StumblingSystem], None], system: StumblingSystem) -> tuple[str, str]:
    """Do it; give what is wrong, and what may be the fake machine's fault: a NodeError."""
    caught: list[str] = []
    try:
        with guarded(temporary=False, caught=caught), time_limit(_STEP_LIMIT_S):
            work(system)
    except ForbiddenEffectError:
        pass
    except NodeError as error:
        return "", f"it raised {type(error).__name__}: {error.brief}"
    except TooLongError:
        return f"it took longer than {_STEP_LIMIT_S:.0f} s on a machine that does nothing", ""
    except (Exception, SystemExit) as error:
        return f"it raised {type(error).__name__}, no NodeError: {error}", ""
    if caught:
        return f"it went past `system`: {caught[0]}", ""
    return "", ""


def _places(bench: Bench, inventory: Inventory, step: Step) -> range:
    """Give the calls of a step by their numbers, thinned out where they are very many."""
    system = _system(bench, inventory)
    _done(step.apply, system)
    count = len(system.calls)
    return range(1, count + 1, count // _MOST_PLACES + 1)


def _lost(bench: Bench, inventory: Inventory, step: Step) -> Iterator[str]:
    """Say which files of an earlier CONFIG, as `storage.keep` leaves it, undo does not put back."""
    system = _system(bench, inventory)
    _done(step.apply, system)
    _done(step.finish, system)
    config = system.root / "config"
    before = {path: _EARLIER for path in system.file_contents if config in path.parents}
    if not before:
        return
    bench.doing(f"undo of {type(step).__name__} where an earlier CONFIG has its files")
    system = _system(bench, inventory)
    system.file_contents.update(before)
    _done(step.apply, system)
    _done(step.undo, system)
    for path in before:
        if system.file_contents.get(path) != _EARLIER:
            where = path.relative_to(system.root)
            yield f"{type(step).__name__}: undo does not put back {where} of an earlier node (storage.keep)"


def _killed(bench: Bench, inventory: Inventory, step: Step, place: int) -> str | None:
    """Do a step in a process that is killed at a call; give what it left, None where it never came so far."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)

        def die() -> None:
            os.write(writing, system.state().encode())
            os.kill(os.getpid(), signal.SIGKILL)

        system = _system(bench, inventory, at=place, stumble=die)
        with suppress(BaseException):
            _done(step.apply, system)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        state = pipe.read()
    os.waitpid(pid, 0)
    return state or None


def _system(
    bench: Bench, inventory: Inventory, *, at: int = 0, stumble: Callable[[], None] = lambda: None
) -> StumblingSystem:
    system = StumblingSystem(inventory, at=at, stumble=stumble)
    system.outputs.update(bench.programs)
    return system


def _fail() -> None:
    raise NodeError("the machine fails here")


def _names(planned: list[tuple[Inventory, PlannedStep]]) -> set[str]:
    return {type(one.step).__name__ for _, one in planned}
