"""Kept work: whole after a kill, never another run's, shared by threads and processes."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from classifiers.runs.kept_work import KeptWork
from guard.terms.errors import ConfigError

MADE_FROM = {"recipe": {"epochs": 3}, "data": "a"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "work.sqlite"


def test_results_are_found_again_in_the_order_they_were_kept(file: Path) -> None:
    with KeptWork(file, MADE_FROM) as kept:
        assert kept.find("b") is None
        kept.keep({"b": b"1", "a": b"2"})
        kept.keep({"c": b"3"})
    with KeptWork(file, dict(reversed(MADE_FROM.items()))) as kept:
        assert kept.values() == [b"1", b"2", b"3"]
        assert len(kept) == 3
        assert kept.find_all(["c", "none", "a"]) == {"c": b"3", "a": b"2"}
        assert kept.find_all([b"c"]) == {}


def test_a_later_result_takes_the_place_of_an_earlier_one(file: Path) -> None:
    with KeptWork(file, {}) as kept:
        kept.keep({"state": b"step 1"})
        kept.keep({"state": b"step 2"})
        assert kept.values() == [b"step 2"]


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({**MADE_FROM, "data": "b"}, "data"),
        ({"data": "a"}, "recipe"),
        ({**MADE_FROM, "recipe": {"epochs": 4}}, "recipe"),
        ({**MADE_FROM, "seed": 0}, "seed"),
    ],
)
def test_the_work_of_another_run_is_refused(
    file: Path, other: dict[str, object], name: str
) -> None:
    with KeptWork(file, MADE_FROM) as kept:
        kept.keep({"a": b"1"})
    with pytest.raises(ConfigError, match=rf"work.sqlite: .*another run \({name} differs\)"):
        KeptWork(file, other)
    with KeptWork(file, MADE_FROM) as kept:
        assert kept.find("a") == b"1"


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.sqlite"
    database = sqlite3.connect(file)
    database.execute("CREATE TABLE notes (text)")
    database.close()
    with pytest.raises(ConfigError, match=r"notes.sqlite: the database of another program"):
        KeptWork(file, {})
    database = sqlite3.connect(file)
    assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    database.close()


def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "essay.txt"
    file.write_text("no database at all " * 100)
    before = file.read_bytes()
    with pytest.raises(ConfigError, match=r"essay.txt: cannot be used as kept work"):
        KeptWork(file, {})
    assert file.read_bytes() == before


def test_threads_share_a_file(file: Path) -> None:
    with KeptWork(file, {}) as kept, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: kept.keep({f"{n}": b"%d" % n}), range(100)))
        assert len(kept) == 100
        assert kept.find("42") == b"42"


_KEEP_AND_DIE = """
import os, pathlib, signal, sys
from classifiers.runs.kept_work import KeptWork
kept = KeptWork(pathlib.Path(sys.argv[1]), {})
kept.keep({"whole": b"1", "also": b"2"})
kept._database.execute("BEGIN IMMEDIATE")
kept._database.execute("REPLACE INTO results VALUES ('half', x'33')")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_whole_results_alone(file: Path) -> None:
    died = subprocess.run([sys.executable, "-c", _KEEP_AND_DIE, str(file)], check=False)
    assert died.returncode < 0
    with KeptWork(file, {}) as kept:
        assert kept.values() == [b"1", b"2"]


def test_processes_open_a_new_file_together(file: Path) -> None:
    script = (
        "import pathlib, sys; from classifiers.runs.kept_work import KeptWork\n"
        "for n in range(20):\n"
        "    with KeptWork(pathlib.Path(sys.argv[1]), {'data': 1}) as kept:\n"
        "        kept.keep({sys.argv[2] + str(n): b'x'})\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(file), name]) for name in ("a", "b")
    ]
    assert [process.wait() for process in running] == [0, 0]
    with KeptWork(file, {"data": 1}) as kept:
        assert len(kept) == 40
