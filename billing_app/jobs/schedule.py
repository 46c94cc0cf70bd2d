"""The schedule: recounts at 00, 06, 12 and 18 UTC, through APScheduler (credits.md, Recount)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from billing_app import monitoring
from billing_app.db import Database
from billing_app.domain.common.errors import ConflictError, UnavailableError
from billing_app.jobs import recount
from billing_app.log import get_logger
from billing_app.services.usage.recounts import HOURS

MISFIRE_GRACE_S = 3600
"""How late a scheduled run may start before it is left to the catch-up."""

RECOUNTS = ("recount", "catch_up")
"""Jobs of every console; the others are given."""

log = get_logger()


def scheduler(database: Database, sweeps: Mapping[str, tuple[Callable[[], object], int]]) -> AsyncIOScheduler:
    """A scheduler with every job of the product, not started yet.

    `sweeps` are jobs by name with the seconds between two runs. Several processes may each have one: the lease in the
    database lets one recount run at a time.
    """
    jobs = AsyncIOScheduler(timezone="UTC")
    # One thread for each job, of which each runs once at a time: none waits for another, nor for a page.
    threads = ThreadPoolExecutor(len(sweeps) + len(RECOUNTS), thread_name_prefix="job")
    options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S}
    hours = ",".join(str(hour) for hour in HOURS)
    jobs.add_job(
        _in_thread(threads, "recount", lambda: recount.recount(database, "schedule"), database),
        CronTrigger(hour=hours, minute=0, timezone="UTC"),
        id="recount",
        **options,
    )
    jobs.add_job(
        _in_thread(threads, "catch_up", lambda: recount.catch_up(database), database), id="catch_up", **options
    )
    for name, (work, seconds) in sweeps.items():
        jobs.add_job(
            _in_thread(threads, name, work, database),
            IntervalTrigger(seconds=seconds, timezone="UTC"),
            id=name,
            **options,
        )
    return jobs


def _in_thread(threads: Executor, name: str, work: Callable[[], object], database: Database) -> Callable[[], object]:
    """Runs a job off the event loop; whatever it raises is logged and must not stop the others.

    First it compares the clocks: a job of a server whose clock is wrong does nothing.
    """

    def timed() -> None:
        problem = database.clock_problem()
        if problem:
            raise UnavailableError(problem, code="clock_differs")
        work()

    async def job() -> None:
        outcome = "failed"
        try:
            with monitoring.job_seconds.labels(name).time():
                await asyncio.get_running_loop().run_in_executor(threads, timed)
            outcome = "done"
            monitoring.job_succeeded_at.labels(name).set_to_current_time()
        except ConflictError as error:
            outcome = "left"
            log.info("job_left_to_another_process", job=name, detail=error.detail)
        except UnavailableError as error:
            log.error("job_not_run", job=name, code=error.code, detail=error.detail)
        except Exception:
            log.exception("job_failed", job=name)
        monitoring.job_runs.labels(name, outcome).inc()

    return job
