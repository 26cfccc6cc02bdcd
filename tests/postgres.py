"""A real PostgreSQL server in a temporary folder, on a Unix socket: killed and started again."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=16MB -c max_connections=30"


def binaries() -> Path | None:
    """The folder of the newest server's programs, or None where there is no server."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


class PostgresServer:
    """A server whose files live in `folder`."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._made = 0
        # The server refuses to run as root.
        self._as_user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "guard", "-D", f"{folder}/data")

    def _run(self, program: str, *arguments: str) -> None:
        # To a file: a pipe would be inherited by the server, and waited for.
        with (self.folder / "commands.log").open("ab") as log:
            subprocess.run(
                [self._programs / program, *arguments],
                check=True,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as_user,
            )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"{OPTIONS} -c unix_socket_directories={self.folder}"
        self._control("start", "-l", f"{self.folder}/server.log", "-o", options)

    def kill(self) -> None:
        """End it at once, as a crash would: every connection is cut."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", *arguments)

    def url(self, database: str) -> str:
        """The URL of a database, as the configuration has it."""
        return f"postgresql://guard@/{database}?host={quote(str(self.folder))}"

    def make_database(self) -> str:
        """The URL of a new, empty database."""
        self._made += 1
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE traffic{self._made}".encode())
        return self.url(f"traffic{self._made}")


@contextmanager
def running(programs: Path) -> Iterator[PostgresServer]:
    """A started server; gone, with its files, afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="guard-pg-"))
    try:
        server = PostgresServer(folder, programs)
        server.start()
        try:
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
