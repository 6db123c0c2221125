"""Whether the collected static files are those of the sources: stacks start side by side and share them."""

from hashlib import sha256

from sandbox.stack.place import ROOT

STAMP = ROOT / "staticfiles" / ".collected"


def collected() -> bool:
    return STAMP.exists() and STAMP.read_text() == _fingerprint()


def mark_collected() -> None:
    STAMP.parent.mkdir(exist_ok=True)
    STAMP.write_text(_fingerprint())


def _fingerprint() -> str:
    """Names, sizes and times of our own files, and the set of packages that bring files of theirs."""
    known = sha256()
    folders = (ROOT / "static", *ROOT.glob("[a-z]*/static"))
    sources = [file for folder in folders for file in folder.rglob("*")]
    for file in sorted((*sources, ROOT / "uv.lock", ROOT / "proecommerce" / "settings.py")):
        if file.is_file():
            info = file.stat()
            known.update(f"{file}|{info.st_size}|{info.st_mtime_ns}\n".encode())
    return known.hexdigest()
