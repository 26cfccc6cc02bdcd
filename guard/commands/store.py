"""Commands `ecoguard store …`: the traffic store's upkeep, beside a running proxy."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from guard.commands.options import CONFIG, ConfigFile
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from guard.store.traffic_store import TrafficStore

store_app = typer.Typer(
    help="Audit rows and captured prompts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@store_app.command()
def upgrade(config: ConfigFile = CONFIG) -> None:
    """Bring the store's tables to this version; made where there are none."""
    with opened(config) as store:
        store.upgrade()
        typer.echo(f"{store.url}: at revision {store.status().revision}")


@store_app.command()
def status(config: ConfigFile = CONFIG) -> None:
    """Say what the store holds."""
    with opened(config) as store:
        found = store.status()
        typer.echo(f"{store.url}: at revision {found.revision or 'none'}, newest is {found.head}")
        typer.echo(f"audit rows: {found.audit_rows}")
        typer.echo(
            f"captured prompts: {found.prompts} of {found.clients} clients, "
            f"{found.encrypted} encrypted"
        )
        if found.oldest_prompt and found.newest_prompt:
            typer.echo(f"from {found.oldest_prompt:%Y-%m-%d} to {found.newest_prompt:%Y-%m-%d}")


@store_app.command()
def purge(config: ConfigFile = CONFIG) -> None:
    """Delete what is past its retention limit, as the proxy does every hour."""
    with opened(config) as store:
        _echo_deleted(store.purge())


@store_app.command()
def delete(
    key: Annotated[str, typer.Option("--key", help="The API key's name in the configuration.")],
    with_audit: Annotated[
        bool, typer.Option("--with-audit", help="Delete the key's audit rows too.")
    ] = False,
    config: ConfigFile = CONFIG,
) -> None:
    """Delete the captured prompts of an API key; it may be gone from the configuration."""
    from guard.settings import load
    from guard.settings.problems import suggestion

    known = [one.name for one in load(config).keys]
    with opened(config) as store:
        deleted = store.delete(key, with_audit=with_audit)
    if key not in known and not any(deleted.values()):
        asked = suggestion(key, known)
        raise ConfigError(f"--key: no key '{key}' in {config}, and nothing of it stored{asked}")
    _echo_deleted(deleted)


@store_app.command()
def export(
    out: Annotated[Path, typer.Option("--out", help="The file, one JSON object a line.")],
    config: ConfigFile = CONFIG,
) -> None:
    """Write the captured prompts, decrypted, to a file that only its owner may read."""
    count = 0
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    with opened(config) as store, _private(temporary) as descriptor:
        with os.fdopen(descriptor, "wb") as file:
            for prompt in store.prompts():
                file.write(orjson.dumps(prompt, option=orjson.OPT_APPEND_NEWLINE))
                count += 1
        temporary.replace(out)
    typer.echo(f"{out}: {count} prompts")


@store_app.command()
def rotate(config: ConfigFile = CONFIG) -> None:
    """Encrypt every captured prompt under the first key of the list."""
    with opened(config) as store:
        typer.echo(f"encrypted: {store.rotate()} prompts")


@contextmanager
def opened(config: Path) -> Iterator["TrafficStore"]:
    """The configured store, closed in the end; ConfigError where none is configured."""
    from guard.settings import load
    from guard.store.journal import make_store

    settings = load(config).store
    if settings is None:
        raise ConfigError(f"{config}: store: not configured")
    store = make_store(settings)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _private(file: Path) -> Iterator[int]:
    """A new file's descriptor; the file is gone afterwards, unless it was renamed."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigError(f"--out: {error.strerror}: {file.parent}") from error
    try:
        yield descriptor
    finally:
        file.unlink(missing_ok=True)


def _echo_deleted(deleted: dict[str, int]) -> None:
    for table, count in deleted.items():
        typer.echo(f"deleted from {table}: {count}")
