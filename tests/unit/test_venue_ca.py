"""The venue's private certificate authority."""

from __future__ import annotations

import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

import planar.runtime as runtime
from planar.errors import ConfigError
from planar.venue import ca
from planar.venue.ca import Authority

HOSTS = ("api.toy.test", "stream.toy.test")


def handshake(authority: Authority, trusted: Path, host: str) -> x509.Certificate:
    """A TLS handshake in memory; the certificate that the client verified."""
    client_in, client_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default of Python 3.13
    client = context.wrap_bio(client_in, client_out, server_hostname=host)
    server = authority.server_context(HOSTS).wrap_bio(client_out, client_in, server_side=True)
    done = 0
    for _ in range(10):
        for side in (client, server):
            try:
                side.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                pass
        if done >= 2:
            break
    certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate)


@pytest.mark.parametrize("host", [*HOSTS, "localhost", "127.0.0.1", "::1"])
def test_a_client_that_trusts_it_accepts_its_hosts(tmp_path: Path, host: str) -> None:
    authority = Authority.ensure(tmp_path)
    leaf = handshake(authority, tmp_path / "ca" / "ca.pem", host)
    assert leaf.issuer == authority.certificate.subject
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.path_length) == (True, 0)  # it makes no further authorities


def test_no_other_host_and_no_other_authority_is_accepted(tmp_path: Path) -> None:
    authority = Authority.ensure(tmp_path / "a")
    other = Authority.ensure(tmp_path / "b")
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        handshake(authority, authority.path, "www.example.com")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(authority, other.path, HOSTS[0])


def test_it_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = Authority.ensure(tmp_path)
    first.server_context(HOSTS)
    assert Authority.ensure(tmp_path).certificate == first.certificate
    assert sorted(path.name for path in (tmp_path / "ca").iterdir()) == ["ca.key", "ca.pem"]
    assert stat.S_IMODE((tmp_path / "ca" / "ca.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


def test_it_is_renewed_before_a_leaf_would_outlive_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ca, "CA_DAYS", ca.LEAF_DAYS - 1)
    with pytest.raises(ConfigError, match="being replaced"):  # each new one is too short as well
        Authority.ensure(tmp_path)
    monkeypatch.undo()
    renewed = Authority.ensure(tmp_path)
    lasts = renewed.certificate.not_valid_after_utc.timestamp() - runtime.wall_ms() / 1000
    assert lasts > datetime.timedelta(days=ca.CA_DAYS - 1).total_seconds()
    handshake(renewed, tmp_path / "ca" / "ca.pem", HOSTS[0])


def test_a_damaged_one_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    Authority.ensure(tmp_path)
    other = Authority.ensure(tmp_path / "other")
    (tmp_path / "ca" / "ca.pem").write_bytes(other.path.read_bytes())
    with pytest.raises(ConfigError, match="not the key") as caught:
        Authority.ensure(tmp_path)
    assert f"remove the directory {tmp_path / 'ca'}" in str(caught.value)
    (tmp_path / "ca" / "ca.key").write_text("nonsense")
    with pytest.raises(ConfigError, match="cannot be used"):
        Authority.ensure(tmp_path)


def test_of_two_processes_that_make_one_the_first_wins(tmp_path: Path) -> None:
    first = Authority.ensure(tmp_path)
    ca._make(tmp_path / "ca")
    assert Authority.ensure(tmp_path).certificate == first.certificate
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]
