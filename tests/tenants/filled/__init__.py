"""Two more migrations: a table of its own kind, and one in Python that fills the new column from each row."""

from pathlib import Path

from tests.tenants import widened

__path__ = [*widened.__path__, str(Path(__file__).parent)]
