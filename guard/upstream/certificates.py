"""TLS contexts from PEM files, with errors that name the key of the configuration."""

import logging
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

from guard.artifacts.file_signature import Signature, signature_of
from guard.settings import ListenTls, UpstreamTls
from guard.terms.errors import ConfigError, about

logger = logging.getLogger(__name__)


def client_context(tls: UpstreamTls, section: str = "upstream.tls") -> ssl.SSLContext | None:
    """How we speak to servers over TLS; None where the system's own ways do. `section` is the key
    that `tls` stands under."""
    if tls == UpstreamTls():
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca:  # and nobody else: public authorities have no say over a server of one's own
        _trust(context, tls.ca, f"{section}.ca")
    else:
        context.load_default_certs()
    if tls.cert:
        _present(context, tls.cert, tls.key, f"{section}.cert")
    return context


def server_contexts(tls: ListenTls | None) -> Callable[..., ssl.SSLContext] | None:
    """What makes the contexts of listening processes, as the server asks for it; None without
    TLS. It goes from process to process, as a context cannot."""
    return partial(_server_context_of, tls) if tls else None


def _server_context_of(tls: ListenTls, *_: object) -> ssl.SSLContext:
    return server_context(tls)


def server_context(tls: ListenTls) -> ssl.SSLContext:
    """How clients speak to us over TLS; with `client_ca` they must show a certificate of it.

    A renewed certificate is taken from its files without a restart.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _present(context, tls.cert, tls.key, "listen.tls.cert")
    if tls.client_ca:
        _trust(context, tls.client_ca, "listen.tls.client_ca")
        context.verify_mode = ssl.CERT_REQUIRED
    context.sni_callback = _Renewal(tls)
    return context


class _Renewal:
    """Puts changed certificate files into a context, once a handshake finds them changed.

    That handshake goes on with the old certificate, the next one gets the new. Files that do not
    belong together leave the old one in use, and are tried again when they change.
    """

    def __init__(self, tls: ListenTls) -> None:
        self._tls = tls
        self._seen = self._signatures()

    def __call__(self, _socket: object, _name: str | None, context: ssl.SSLContext) -> None:
        """As `SSLContext.sni_callback`, which every handshake calls."""
        now = self._signatures()
        if now == self._seen:
            return
        self._seen = now
        try:
            server_context(self._tls)  # tried aside: a context is left half changed by an error
            _present(context, self._tls.cert, self._tls.key, "listen.tls.cert")
        except ConfigError as error:
            logger.error("%s; the certificate in use stays", error)
        else:
            logger.info("certificate renewed from %s", self._tls.cert)

    def _signatures(self) -> list[Signature | None]:
        files = (self._tls.cert, self._tls.key)
        return [signature_of(file) for file in files if file]


def _trust(context: ssl.SSLContext, ca: Path, key: str) -> None:
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # SSLError is one
        with about(*key.split(".")):
            raise ConfigError(f"{ca}: {_said(error)}") from error


def _present(context: ssl.SSLContext, cert: Path, key: Path | None, name: str) -> None:
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:
        with about(*name.split(".")):
            raise ConfigError(f"{cert}: {_said(error)}") from error


def _said(error: OSError) -> str:
    return error.strerror or type(error).__name__
