"""Certificates of a cluster: an authority of its own, and one certificate for each role.

Whoever holds one of these with its key can have anything run on every computer of the cluster; see
``docs/cluster.md``.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from core.cluster.errors import ClusterError
from core.cluster.extra import distributed, missing
from core.io.atomic import output_error
from core.messages import Message

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

Role = Literal["scheduler", "worker", "client"]
ROLES: tuple[Role, ...] = ("scheduler", "worker", "client")
AUTHORITY = "ca"
_YEARS = 2


def certificate_file(folder: Path, name: str) -> Path:
    """The certificate of a role, or of the authority."""
    return folder / f"{name}.pem"


def key_file(folder: Path, name: str) -> Path:
    """The private key of a role, or of the authority."""
    return folder / f"{name}-key.pem"


def make_certificates(folder: Path) -> tuple[Path, ...]:
    """Make an authority and the certificates of all roles; returns the files.

    Raises:
        ClusterMissing: ``cryptography`` is not installed.
        ClusterError: one of the files is there already.
        OutputError: they cannot be written.
    """
    names = (AUTHORITY, *ROLES)
    paths = [
        path for name in names for path in (certificate_file(folder, name), key_file(folder, name))
    ]
    there = next((path for path in paths if path.exists() or path.is_symlink()), None)
    if there is not None:
        raise ClusterError(
            Message("The certificates in {0}", folder),
            Message("there is a {0} already, and it is not replaced", there.name),
            Message("Choose another folder, or remove the old certificates yourself."),
        )
    try:
        made = dict(zip(paths, _new_files(), strict=True))
    except ImportError as error:
        raise missing(error.name or "cryptography") from error
    with _explained(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, data in made.items():
        with _explained(path):
            _write_new(path, data, 0o600 if path.name.endswith("-key.pem") else 0o644)
    return tuple(paths)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise output_error(path, error) from error


def _write_new(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    # Its mode is right from the first moment on, whatever the umask is.
    handle = os.open(path, flags, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _new_files() -> Iterator[bytes]:
    """Certificate and key of the authority, then of each role."""
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(None, authority_key, authority_key)
    yield from (_pem(authority), _key_pem(authority_key))
    for role in ROLES:
        key = ec.generate_private_key(ec.SECP256R1())
        yield from (_pem(_certificate(role, key, authority_key)), _key_pem(key))


def _certificate(
    role: Role | None, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """Of a role, or of the authority itself for None."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now, issuer = datetime.now(UTC), named("UniFusion cluster authority")
    builder = (
        x509.CertificateBuilder()
        .subject_name(issuer if role is None else named(f"UniFusion {role}"))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(
            x509.BasicConstraints(ca=role is None, path_length=0 if role is None else None),
            critical=True,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(is_authority=role is None), critical=True)
    )
    if role is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(_uses(role)), critical=True)
    return builder.sign(signer, hashes.SHA256())


def _uses(role: Role) -> list[x509.ObjectIdentifier]:
    """A client connects and is never connected to, so that it cannot pose as a scheduler."""
    from cryptography.x509.oid import ExtendedKeyUsageOID

    both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    return both[:1] if role == "client" else both


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True, key_cert_sign=is_authority, crl_sign=is_authority,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def tls_files(folder: Path, role: Role) -> tuple[Path, Path, Path]:
    """Certificate of the authority, and certificate and key of ``role``, checked.

    Raises:
        ClusterError: one is missing, damaged, of another role or not valid today, they do not
            belong together, or others can read the key.
    """
    files = (
        certificate_file(folder, AUTHORITY),
        certificate_file(folder, role),
        key_file(folder, role),
    )
    for path in files:
        if not path.is_file():
            raise ClusterError(
                Message("The certificates in {0}", folder),
                Message("{0} is missing", path.name),
                Message(
                    "Copy it from where “unifusion cluster certificates” made it, or name that "
                    "folder with --certificates."
                ),
            )
    _check_private(files[2])
    client_context(files)
    _check_use(files[1], role)
    return files


def _check_private(key: Path) -> None:
    """Refuse a key of ours that others on this computer can read, as ssh does."""
    found = key.stat()
    if os.name == "posix" and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077:
        raise ClusterError(
            Message("The key {0}", key),
            Message("others can read it, and whoever can may run anything on the cluster"),
            Message("Take it from them with “chmod 600 {0}”, or make new certificates.", key),
        )


def _check_use(path: Path, role: Role) -> None:
    """Check that a certificate is valid today and may do what ``role`` does."""
    try:
        from cryptography import x509
    except ImportError as error:
        raise missing(error.name or "cryptography") from error

    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    if not certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc:
        raise ClusterError(
            Message("The certificate {0}", path),
            Message(
                "it is valid from {0} to {1}, and today is {2}",
                certificate.not_valid_before_utc.date(),
                certificate.not_valid_after_utc.date(),
                datetime.now(UTC).date(),
            ),
            Message("Make new ones with “unifusion cluster certificates”."),
        )
    try:
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return  # any use
    if any(use not in uses for use in _uses(role)):
        raise ClusterError(
            Message("The certificate {0}", path),
            Message("it is of another role than {0}", role),
            Message("Copy the one of this role from where they were made."),
        )


def client_context(files: tuple[Path, Path, Path]) -> ssl.SSLContext:
    """What a connection is made with.

    Raises:
        ClusterError: a file is damaged, or they do not belong together.
    """
    authority, certificate, key = files
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(authority))
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", "") or error.strerror or str(error)
        raise ClusterError(
            Message("The certificates in {0}", certificate.parent),
            Message("they cannot be used ({0})", reason),
            Message("Make new ones with “unifusion cluster certificates”."),
        ) from error
    context.check_hostname = (
        False  # the authority is the cluster's own, and hosts may have any name
    )
    return context


def security(folder: Path | None, role: Role) -> Any:
    """Dask's ``Security`` of ``role``; None without certificates.

    Raises:
        ClusterMissing: Dask is not installed. ClusterError: see :func:`tls_files`.
    """
    if folder is None:
        return None
    authority, certificate, key = map(str, tls_files(folder, role))
    return distributed().Security(
        require_encryption=True,
        tls_ca_file=authority,
        **{f"tls_{role}_cert": certificate, f"tls_{role}_key": key},
    )
