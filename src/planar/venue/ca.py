"""The private certificate authority of the local venue.

It is made once, kept under `<state>/venue/ca/` (`ca.pem` for the clients, `ca.key` for its owner alone), and issues a
fresh certificate for the hosts of each run. Nobody trusts it who was not told to: `ca.pem` goes into one client's
settings, never into a system's store.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.venue.faults.connections import Mishap

CA_DAYS = 3650
LEAF_DAYS = 365
MARGIN_DAYS = 2
WRONG_HOST = "another.invalid"
"""The name in a certificate that is for the wrong host."""
LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Authority:
    """A certificate authority on disk.

    Attributes:
        path: its certificate, PEM; what a client is told to trust.
    """

    def __init__(self, path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.path = path
        self.certificate = certificate
        self._key = key

    @classmethod
    def ensure(cls, venue_dir: Path) -> Authority:
        """The authority of a venue directory; a new one if there is none, or if it would expire before its next leaf.

        Raises:
            ConfigError: the files are damaged, or the directory cannot be written.
        """
        home = venue_dir / "ca"
        try:
            for _ in range(3):  # another process may be doing the same
                if not home.exists():
                    _make(home)
                authority = cls._load(home)
                if authority.certificate.not_valid_after_utc > _now() + datetime.timedelta(days=LEAF_DAYS):
                    return authority
                home.rename(home.with_name(f"ca-{runtime.token(8)}.old"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the venue's certificate authority in {home} cannot be used: {error}",
                hint=f"remove the directory {home}; a new one is made at the next start, and clients need its ca.pem",
            ) from error
        raise ConfigError(f"the certificate authority in {home} is being replaced", hint="start the venue again")

    @classmethod
    def _load(cls, home: Path) -> Authority:
        certificate = x509.load_pem_x509_certificate((home / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((home / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ValueError("ca.key is not the key of ca.pem")
        return cls(home / "ca.pem", certificate, key)

    def server_context(self, hosts: Sequence[str]) -> ssl.SSLContext:
        """A TLS context for a server of these hosts and of loopback, with a certificate issued now."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._context(key, self._issue((*hosts, *LOCAL_NAMES), key))

    def failing_context(self, host: str, how: Mishap) -> ssl.SSLContext:
        """A TLS context whose certificate a client of `host` that checks it refuses."""
        key = ec.generate_private_key(ec.SECP256R1())
        if how == "untrusted":
            return self._context(key, self._issue([host], key, signed_by=ec.generate_private_key(ec.SECP256R1())))
        if how == "expired":
            return self._context(key, self._issue([host], key, days=-1))
        return self._context(key, self._issue([WRONG_HOST], key))

    def _context(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> ssl.SSLContext:
        pem = _pem_key(key) + certificate.public_bytes(serialization.Encoding.PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        path = self.path.with_name(f"leaf-{runtime.token(16)}.pem")
        try:
            _write(path, pem)
            context.load_cert_chain(path)  # the ssl module reads files only
        finally:
            path.unlink(missing_ok=True)
        return context

    def _issue(
        self,
        hosts: Sequence[str],
        key: ec.EllipticCurvePrivateKey,
        *,
        days: int = LEAF_DAYS,
        signed_by: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        return (
            _builder("Planar local venue", key.public_key(), self.certificate.subject, days)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(signed_by or self._key, hashes.SHA256())
        )


def _make(home: Path) -> None:
    """Make an authority at `home`; if another process was faster, its stays."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Planar local venue CA (trust in test clients only)"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, runtime.token(8)),
        ]
    )
    certificate = (
        _builder(subject, key.public_key(), subject, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    draft = home.with_name(f"ca-{runtime.token(8)}.new")
    draft.mkdir(mode=0o700, parents=True)
    try:
        _write(draft / "ca.key", _pem_key(key))
        _write(draft / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM))
        try:
            draft.rename(home)  # both files or none
        except OSError:
            if not home.exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _builder(
    name: str | x509.Name, public_key: ec.EllipticCurvePublicKey, issuer: x509.Name, days: int
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) if isinstance(name, str) else name
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(int.from_bytes(runtime.token_bytes(16)) | 1)
        .not_valid_before(_now() - datetime.timedelta(days=MARGIN_DAYS))  # clients whose clocks are slow
        .not_valid_after(_now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _now() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(runtime.wall_ms() / 1000, tz=datetime.UTC)
