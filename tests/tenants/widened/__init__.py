"""Billing's migrations and one more behind them: a column with an index, as the next release may bring it."""

from pathlib import Path

import billing.migrations

__path__ = [*billing.migrations.__path__, str(Path(__file__).parent)]
