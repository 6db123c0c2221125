"""Where one stack keeps its data: secrets, logs, the database's files; and who may have it at a time."""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / ".demo"
SECRET_NAMES = ("SECRET_KEY", "PG_ADMIN", "PG_OWNER", "PG_APP")


class PlaceBusy(Exception):
    """Another supervisor runs on the same data."""


@dataclass
class Place:
    """The folder of one stack. `temporary`: gone when the stack stops."""

    folder: Path
    temporary: bool
    running: IO[str] | None = None
    lock: IO[str] | None = None

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def logins(self) -> Path:
        return self.folder / "logins.json"

    @property
    def seeded(self) -> Path:
        return self.folder / "seeded"

    @property
    def postgres(self) -> Path:
        """The database's own folder: here, unless the user that PostgreSQL runs as cannot get here."""
        user = postgres_user()
        if user is None or reachable(self.folder, user):
            return self.folder / "postgres"
        return Path("/var/tmp") / f"proecommerce-{sha256(os.fsencode(self.folder)).hexdigest()[:12]}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Others may pass through (PostgreSQL runs as a user of its own) but not look around.
        self.folder.chmod(0o711)
        self.logs.mkdir(exist_ok=True)

    def acquire(self, patience: float = 20.0) -> None:
        """Be the only stack here. One that runs is an error; one that is just being stopped is waited for.

        `running` is held by the supervisor alone, `lock` also by its guard, until all is cleaned up.
        """
        self.prepare()
        running = (self.folder / "running").open("a+")
        if not _locked(running):
            running.seek(0)
            raise PlaceBusy(f"The demo already runs here (process {running.read().strip()}). Stop it first.")
        lock = (self.folder / "lock").open("a+")
        until = time.monotonic() + patience
        while not _locked(lock):
            if time.monotonic() > until:
                raise PlaceBusy("The last demo here has not ended yet. Try again in a moment.")
            time.sleep(0.1)
        running.truncate(0)
        running.write(str(os.getpid()))
        running.flush()
        self.running, self.lock = running, lock

    def secrets(self) -> dict[str, str]:
        """The random passwords of this place, made once."""
        file = self.folder / "secrets.json"
        known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        missing = [name for name in SECRET_NAMES if name not in known]
        if missing:
            known |= {name: secrets.token_urlsafe(32) for name in missing}
            fresh = file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(known, indent=1))
            fresh.replace(file)
        return known

    def wipe(self) -> None:
        """Forget everything but the locks that are being held."""
        elsewhere = self.postgres
        if self.folder not in elsewhere.parents:
            shutil.rmtree(elsewhere, ignore_errors=True)
        for item in self.folder.iterdir():
            if item.name in ("lock", "running"):
                continue
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink()
        self.prepare()


def temporary_place() -> Place:
    """A place for one run. /var/tmp is on a disk, so that fsync costs what it costs."""
    base = "/var/tmp" if os.access("/var/tmp", os.W_OK) else None
    place = Place(Path(tempfile.mkdtemp(prefix="proecommerce-run-", dir=base)), temporary=True)
    place.prepare()
    return place


def postgres_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: as root, run it as nobody. Otherwise as who we are."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("nobody")


def reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user may enter every folder on the way to the path."""
    for folder in (path, *path.parents):
        if not folder.exists():
            continue
        info = folder.stat()
        bit = 0o100 if info.st_uid == user.pw_uid else 0o010 if info.st_gid == user.pw_gid else 0o001
        if not info.st_mode & bit:
            return False
    return True


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove(place: Place) -> None:
    """Leave nothing of a temporary place."""
    shutil.rmtree(place.postgres, ignore_errors=True)
    shutil.rmtree(place.folder, ignore_errors=True)
