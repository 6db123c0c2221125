"""What one request may see: whose account it is, who asks, and when."""

from dataclasses import dataclass

from sandbox.stripe.errors import no_such
from sandbox.stripe.store import Account, State, Table
from sandbox.stripe.types import API_VERSION, Obj


@dataclass(slots=True)
class Context:
    state: State
    account: Account
    now: int
    base_url: str
    application: str | None = None  # the platform's client id, when it acts for a connected account
    publishable: bool = False
    request_id: str | None = None
    idempotency_key: str | None = None
    version: str = API_VERSION

    def table(self, kind: str) -> Table:
        return self.account.tables[kind]

    def get(self, kind: str, object_id: str, param: str = "id") -> Obj:
        """The object, which must be of this account: another account's does not exist for it."""
        row = self.table(kind).rows.get(object_id)
        if row is None:
            shown = {"payment_method": "PaymentMethod"}.get(kind, kind)
            raise no_such(shown, object_id, param)
        return row

    def facts(self, kind: str, object_id: str) -> Obj:
        return self.table(kind).hidden.get(object_id, {})
