"""The list of archives that the user has set up, kept in the folder of settings.

The file may hold passwords, so that only its owner can read it.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from core.archive.nodes import ArchiveNode, DicomNode, RetrieveWay, TlsFiles, WebNode
from core.data_folder import settings_folder
from core.errors import InputError, Message, NodeExists
from core.io.atomic import atomic_path, output_error

_FORMAT, _VERSION = "unifusion archives", 1
_FILE = "archives.json"


def node_file() -> Path:
    """The file of the list; it may not exist yet."""
    return settings_folder() / _FILE


def list_nodes() -> tuple[ArchiveNode, ...]:
    """All archives, by name; empty before one has been set up.

    Raises:
        InputError: the file of the list is damaged, or of a newer version.
    """
    path = node_file()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path) from error
    try:
        if found["format"] != _FORMAT:
            raise ValueError("another format")
        if found["version"] > _VERSION:
            raise InputError(
                str(path),
                Message("it was written by a newer version of the program"),
                Message("Install the newer version."),
            )
        nodes = [_node(one) for one in found["archives"]]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable(path) from error
    return tuple(sorted(nodes, key=lambda node: node.name.casefold()))


def find_node(name: str) -> ArchiveNode:
    """The archive called ``name``.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    nodes = list_nodes()
    for node in nodes:
        if node.name == name:
            return node
    names = ", ".join(node.name for node in nodes) or Message("none")
    raise InputError(
        Message("There is no archive “{0}”", name),
        Message("there are: {0}", names),
        Message("Choose one of them, or set it up first (unifusion archive add)."),
    )


def keep_node(node: ArchiveNode, *, replaces: str = "") -> None:
    """Keep ``node``.

    Args:
        replaces: name of the archive that it stands in for; "" for a new one.

    Raises:
        NodeExists: another one has its name.
        InputError: there is none called ``replaces``.
        OutputError: the list cannot be written.
    """
    if replaces:
        find_node(replaces)
    others = [one for one in list_nodes() if one.name != replaces]
    if any(one.name == node.name for one in others):
        raise NodeExists(
            Message("The name “{0}”", node.name),
            Message("there is an archive of that name"),
            Message("Choose another name, or remove that one first."),
        )
    _write([*others, node])


def remove_node(name: str) -> None:
    """Forget an archive; nothing in it is touched.

    Raises:
        InputError: there is none of that name.
        OutputError: the list cannot be written.
    """
    find_node(name)
    _write([one for one in list_nodes() if one.name != name])


def _write(nodes: list[ArchiveNode]) -> None:
    path = node_file()
    data = {"format": _FORMAT, "version": _VERSION, "archives": [_data(one) for one in nodes]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path.parent, error) from error
    with atomic_path(path) as temporary:
        temporary.chmod(stat.S_IRUSR | stat.S_IWUSR)
        temporary.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _data(node: ArchiveNode) -> dict[str, Any]:
    if isinstance(node, WebNode):
        given: dict[str, Any] = {"url": node.url, "user": node.user, "password": node.password}
    else:
        given = {
            "host": node.host,
            "port": node.port,
            "title": node.title,
            "own_title": node.own_title,
            "retrieve_by": node.retrieve_by,
            "listen_address": node.listen_address,
            "listen_port": node.listen_port,
        }
    return {"name": node.name, **given, "tls": _tls_data(node.tls)}


def _tls_data(tls: TlsFiles | None) -> dict[str, str | None] | None:
    if tls is None:
        return None
    files = {"authority": tls.authority, "certificate": tls.certificate, "key": tls.key}
    return {name: None if path is None else str(path) for name, path in files.items()}


def _node(data: dict[str, Any]) -> ArchiveNode:
    """
    Raises:
        InputError, KeyError, TypeError, ValueError: it is none.
    """
    name, tls = str(data["name"]), _tls(data.get("tls"))
    if "url" in data:
        return WebNode(
            name=name,
            url=str(data["url"]),
            user=str(data.get("user", "")),
            password=str(data.get("password", "")),
            tls=tls or TlsFiles(),
        )
    way: RetrieveWay = "move" if data.get("retrieve_by") == "move" else "get"
    return DicomNode(
        name=name,
        host=str(data["host"]),
        port=int(data["port"]),
        title=str(data["title"]),
        own_title=str(data["own_title"]),
        tls=tls,
        retrieve_by=way,
        listen_address=str(data.get("listen_address", "")),
        listen_port=int(data.get("listen_port", 0)),
    )


def _tls(data: dict[str, str | None] | None) -> TlsFiles | None:
    if data is None:
        return None
    given = (data.get(name) for name in ("authority", "certificate", "key"))
    authority, certificate, key = (None if path is None else Path(path) for path in given)
    return TlsFiles(authority=authority, certificate=certificate, key=key)


def _unreadable(path: Path) -> InputError:
    return InputError(
        str(path),
        Message("it is not a list of archives of this program"),
        Message("Delete the file, and set up the archives again."),
    )
