"""TLS as a request wants it: whom to trust, and which certificate to show."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from procurator.builtins._http.request import Tls
from procurator.render import quote

if TYPE_CHECKING:
    import ssl


_PROBLEMS: Final = {
    "self-signed certificate": "certificate signed by unknown authority",
    "self-signed certificate in certificate chain": "certificate signed by unknown authority",
    "unable to get local issuer certificate": "certificate signed by unknown authority",
    "certificate has expired": "certificate has expired or is not yet valid",
    "certificate is not yet valid": "certificate has expired or is not yet valid",
}


class TlsError(ValueError):
    """Certificates or keys of a request cannot be used."""


def client_context(tls: Tls) -> ssl.SSLContext:
    """The context for one request. With certificate authorities of its own the system's count only when asked for."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    authorities = _authorities(tls)
    if tls.system_certificates or not authorities:
        context.load_default_certs()
    for pem in authorities:
        try:
            context.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError):
            raise TlsError("could not append certificates") from None
    for certificate, key in _client_pairs(tls):
        _load_pair(context, certificate, key)
    return context


def told_of_tls(error: ssl.SSLError) -> str:
    """What Go says of a failed handshake."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        problem = _PROBLEMS.get(error.verify_message, error.verify_message)
        return f"tls: failed to verify certificate: x509: {problem}"
    if error.reason == "WRONG_VERSION_NUMBER":
        return "tls: first record does not look like a TLS handshake"
    return f"tls: {error.reason or error}".lower().replace("_", " ")


def _authorities(tls: Tls) -> list[str]:
    given = [
        tls.ca.replace("\\n", "\n"),
        _file(tls.ca_file) if tls.ca_file else "",
        os.environ.get(tls.ca_env, "") if tls.ca_env else "",
    ]
    return [pem for pem in given if pem]


def _file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise TlsError(f"open {name}: {(error.strerror or str(error)).lower()}") from None
    except ValueError:
        raise TlsError(f"{name}: not a text") from None


def _client_pairs(tls: Tls) -> list[tuple[str, str]]:
    pairs = []
    if all(tls.client):
        pairs.append(tls.client)
    if all(tls.client_files):
        pairs.append((_file(tls.client_files[0]), _file(tls.client_files[1])))
    if all(tls.client_env):
        pairs.append((_variable(tls, 0), _variable(tls, 1)))
    return pairs


def _variable(tls: Tls, place: int) -> str:
    value = os.environ.get(tls.client_env[place], "")
    if not value:
        names = ", ".join(map(quote, tls.client_env))
        raise TlsError(f"cannot extract public/private key pair from envvars {names}: no PEM data")
    return value


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    import ssl

    for name, pem in (("certificate", certificate), ("key", key)):
        if "-----BEGIN" not in pem:
            raise TlsError(f"tls: failed to find any PEM data in {name} input")
    # The standard library reads certificates and keys of its own side from files only.
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("certificate.pem", "key.pem")]
        for path, pem in zip(paths, (certificate, key), strict=True):
            path.touch(mode=0o600)
            path.write_text(pem, encoding="utf-8")
        try:
            context.load_cert_chain(str(paths[0]), str(paths[1]))
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise TlsError(f"tls: cannot use the key pair: {reason}".lower().replace("_", " ")) from None
