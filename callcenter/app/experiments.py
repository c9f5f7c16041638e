"""Experiments of supervisors: each is a command in a process of its own, one at a time, so that calls never wait.

The server's loop starts it, reads how far it is and keeps what it printed. Nothing of it is stored: an experiment is
repeated by asking for it again, with the same seed.
"""

import asyncio
import contextlib
import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from acd.call_logs import imported_days
from callcenter.app.experiment_files import Experiment, Question, policy_document
from callcenter.kernel.clock import Clock
from callcenter.kernel.errors import CallcenterError, Conflict, NotFound
from callcenter.kernel.site import Site

log = logging.getLogger(__name__)

KEPT = 20
_PROGRESS = re.compile(rb"replication (\d+) of (\d+)")
_MOST_OUTPUT = 16 * 1024 * 1024
BASELINE = "as_it_is"


class Experiments:
    """Those of this run of the server, the newest `KEPT`."""

    def __init__(self, site: Site, clock: Clock, *, config: Path, data: Path) -> None:
        self._site, self._clock = site, clock
        self._config, self._data = config, data
        self._all: dict[str, Experiment] = {}
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def choices(self) -> Mapping[str, object]:
        """What can be asked: the days that were imported, newest first, and the scenarios with their groups."""
        days = await imported_days(self._site)
        scenarios = await asyncio.to_thread(_scenarios, self._config / "scenarios")
        return {
            "days": [{"day": day.isoformat(), "calls": calls} for day, calls in reversed(days)],
            "scenarios": scenarios,
        }

    def listed(self) -> Sequence[Experiment]:
        """The newest first."""
        return list(reversed(self._all.values()))

    def found(self, id_: str) -> Experiment:
        """Raises NotFound."""
        experiment = self._all.get(id_)
        if experiment is None:
            raise NotFound("there is no such experiment")
        return experiment

    def start(self, question: Question) -> Experiment:
        """Begin one. Raises Conflict while another one runs."""
        if any(each.state == "running" for each in self._all.values()):
            raise Conflict("an experiment runs: wait for it or stop it", data={"reason": "running"})
        self._count += 1
        at = self._clock.wall().isoformat(timespec="seconds").replace("+00:00", "Z")
        experiment = Experiment(f"e{self._count}", question, at, wanted=question.replications)
        self._all[experiment.id] = experiment
        for old in list(self._all)[:-KEPT]:
            del self._all[old]
        task = asyncio.create_task(self._run(experiment))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return experiment

    def cancel(self, id_: str) -> Experiment:
        """Stop it; nothing happens to one that is over. Raises NotFound."""
        experiment = self.found(id_)
        if experiment.state == "running":
            experiment.state = "cancelled"
            self._end(experiment)
        return experiment

    async def ended(self) -> None:
        """Wait until nothing runs."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop what runs."""
        for experiment in self._all.values():
            if experiment.state == "running":
                self.cancel(experiment.id)
        await self.ended()

    async def _run(self, experiment: Experiment) -> None:
        """Whatever becomes of it: one that is not over would keep all others from beginning."""
        try:
            await self._carry_out(experiment)
        except (CallcenterError, OSError, yaml.YAMLError) as error:
            experiment.problem = str(error)
        except Exception:
            log.exception("an experiment failed")
            experiment.problem = "an error of the program: its log has it"
        finally:
            self._end(experiment)
            if not experiment.is_over():
                experiment.state = "failed"

    async def _carry_out(self, experiment: Experiment) -> None:
        with TemporaryDirectory(prefix="experiment-") as folder:
            words = await asyncio.to_thread(self._words, experiment.question, Path(folder))
            if experiment.is_over():
                return
            process = self._processes[experiment.id] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "callcenter.app.background", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=_MOST_OUTPUT,
            )
            if experiment.is_over():
                self._end(experiment)
            assert process.stdout is not None, "asked for above"
            printed, problem = await asyncio.gather(process.stdout.read(), self._follow(experiment, process))
            code = await process.wait()
            del self._processes[experiment.id]
        if experiment.is_over():
            return
        if code == 0:
            experiment.result = await asyncio.to_thread(json.loads, printed)
            experiment.state = "done"
        else:
            experiment.problem = problem

    async def _follow(self, experiment: Experiment, process: asyncio.subprocess.Process) -> str:
        """Read how far it is; the last line that says something else."""
        assert process.stderr is not None, "asked for above"
        last = ""
        async for line in process.stderr:
            told = _PROGRESS.search(line)
            if told:
                experiment.done, experiment.wanted = int(told[1]), int(told[2])
            elif line.strip():
                last = line.decode("utf-8", "replace").strip().removeprefix("callcenter: ")
        return last[:500]

    def _end(self, experiment: Experiment) -> None:
        process = self._processes.get(experiment.id)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _words(self, question: Question, folder: Path) -> list[str]:
        """The command line, its policies written into `folder`."""
        words = ["--config", str(self._config), "--data", str(self._data)]
        scenario = None
        if question.kind == "day":
            words += ["what-if", "--day", question.subject, "--policy", str(_written(folder, 0, {"title": BASELINE}))]
        else:
            path = self._config / "scenarios" / f"{question.subject}.yaml"
            scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
            words += ["simulate", str(path)]
        for number, each in enumerate(question.alternatives, 1):
            words += ["--policy", str(_written(folder, number, policy_document(question.kind, each, scenario)))]
        words += ["--replications", str(question.replications), "--seed", str(question.seed)]
        return [*words, "--processes", "1", "--json"]


def _written(folder: Path, number: int, document: object) -> Path:
    path = folder / f"p{number}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return path


def _scenarios(folder: Path) -> list[Mapping[str, object]]:
    """Those with groups: one pool has nothing that an alternative could change."""
    found: list[Mapping[str, object]] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            continue
        if isinstance(document, dict) and isinstance(document.get("groups"), dict):
            found.append({"name": path.stem, "groups": [str(name) for name in document["groups"]]})
    return found
