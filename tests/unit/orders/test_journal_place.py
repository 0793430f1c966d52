"""Who may write a journal, who reads beside, and where it may lie."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from planar.errors import JournalError, JournalLocked
from planar.models import Amount
from planar.orders.events import Intent
from planar.orders.journal import Journal
from planar.orders.journal_files import check_place, filesystem_of
from planar.orders.lock import holder_of

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:40 / /mnt/share rw,relatime shared:1 - nfs4 server:/export rw
41 27 0:41 / /mnt/my\\040files rw,relatime - fuse.sshfs me@host: rw
42 40 254:1 / /mnt/share/local rw - xfs /dev/vdb rw
43 27 0:43 / /home rw - ext4 /dev/vdc rw
44 27 0:44 / /home rw - cifs //nas/home rw
45 27 0:45 / /mnt/fuse rw - fuseblk /dev/sdb1 rw
"""


def intent(client_id: str) -> Intent:
    return Intent(client_id, 1, symbol="BTC/USDT", side="buy", type="limit", amount=Amount("0.10"), price=Amount("5e4"))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/planar", "ext4"),
        ("/mnt/share/planar/journal", "nfs4"),
        ("/mnt/shareholder", "ext4"),
        ("/mnt/share/local/x", "xfs"),
        ("/mnt/my files/x", "fuse.sshfs"),
        ("/home/me/.local/state", "cifs"),
        ("/mnt/fuse/x", "fuseblk"),
        ("/", "ext4"),
    ],
)
def test_the_file_system_of_a_directory(path: str, kind: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("path", ["/mnt/share/planar", "/mnt/my files", "/home/me"])
def test_network_file_systems_are_refused_with_a_remedy(path: str) -> None:
    with pytest.raises(JournalError, match="network file system") as caught:
        check_place(Path(path), MOUNTS)
    assert caught.value.hint is not None
    assert "PLANAR_STATE" in caught.value.hint


@pytest.mark.parametrize("path", ["/var", "/mnt/share/local", "/mnt/fuse"])
def test_local_ones_are_not(path: str) -> None:
    check_place(Path(path), MOUNTS)


def test_the_place_of_a_real_directory_is_known(tmp_path: Path) -> None:
    check_place(tmp_path)
    mounts = f"27 1 254:0 / {tmp_path.resolve()} rw - nfs server:/x rw\n"
    with pytest.raises(JournalError):
        check_place(tmp_path, mounts)


HOLD = """
import sys
from pathlib import Path
from planar.orders.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.open()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_writes_and_may_read(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    script = tmp_path / "trader.py"
    script.write_text(HOLD)
    holder = subprocess.Popen(
        [sys.executable, str(script), str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        named = rf"process {holder.pid} \(trader\.py\) since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
        with pytest.raises(JournalLocked, match=named):
            Journal(path).open()
        assert str(holder.pid) in (holder_of(tmp_path / "j.db.lock") or "")
        reader = Journal(path)
        reader.open(read_only=True)
        assert list(reader.events()) == []
        reader.close()
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait()
        holder.stdout.close()
    assert holder_of(tmp_path / "j.db.lock") is None
    Journal(path).open()


def test_a_reader_sees_what_the_writer_has_written_and_cannot_write(tmp_path: Path) -> None:
    writer = Journal(tmp_path / "j.db")
    writer.open()
    reader = Journal(tmp_path / "j.db")
    reader.open(read_only=True)
    assert reader.id == writer.id
    writer.append(intent("a"))
    assert [event.client_id for event in reader.events()] == ["a"]
    with pytest.raises(JournalError, match="open for reading only"):
        reader.append(intent("b"))
    reader.close()
    writer.append(intent("b"))
    writer.close()
    late = Journal(tmp_path / "j.db")
    late.open(read_only=True)
    assert [event.client_id for event in late.events()] == ["a", "b"]
    late.close()


def test_a_reader_makes_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        Journal(tmp_path / "j.db").open(read_only=True)
    assert os.listdir(tmp_path) == []


def test_a_lock_file_that_was_deleted_does_not_let_two_write(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j.db")
    first.open()
    first.close()
    (tmp_path / "j.db.lock").unlink()
    second = Journal(tmp_path / "j.db")
    second.open()
    with pytest.raises(JournalLocked):
        Journal(tmp_path / "j.db").open()
    second.close()
