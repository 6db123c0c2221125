"""The pages of a payment: the element's frame, the bank's challenge with its answer, the receipt."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.stripe import payment_intents, setup_intents
from sandbox.stripe.context import Context
from sandbox.stripe.errors import StripeError
from sandbox.stripe.http import Request, Response
from sandbox.stripe.outbound import NotLoopbackError, loopback_address
from sandbox.stripe.pages import amount_text, message_page, page
from sandbox.stripe.store import State
from sandbox.stripe.types import Obj


def element_frame() -> Response:
    return page("element.html", {}, framed=True)


def _kind(intent_id: str) -> str:
    return "setup_intent" if intent_id.startswith("seti_") else "payment_intent"


def find_challenged(
    state: State, base_url: str, intent_id: str, given: dict[str, str]
) -> tuple[Context, Obj] | None:
    """The intent that a challenge is about, if the caller knows its client secret."""
    account = state.accounts.get(given.get("account", ""))
    row = account.tables[_kind(intent_id)].rows.get(intent_id) if account is not None else None
    if account is None or row is None or row["client_secret"] != given.get("client_secret"):
        return None
    return Context(state=state, account=account, now=state.now(account.id), base_url=base_url), row


def _unknown() -> Response:
    return message_page(404, "Nothing to confirm", "This confirmation does not exist, or it is over.")


def challenge_page(state: State, base_url: str, intent_id: str, request: Request) -> Response:
    given = dict(parse_qsl(request.query))
    found = find_challenged(state, base_url, intent_id, given)
    if found is None:
        return _unknown()
    ctx, row = found
    if row["status"] != "requires_action":
        return _done(row, given.get("return_url", ""))
    method = ctx.table("payment_method").rows[row["payment_method"]]
    amount = (
        amount_text(row["amount"], row["currency"]) if "amount" in row else "nothing now: the card is saved"
    )
    values = {
        "merchant": ctx.account.row["business_profile"]["name"] or "Test business",
        "amount": amount,
        "last4": method["card"]["last4"],
        "brand": method["card"]["brand"].capitalize(),
        "action": f"/3ds/{intent_id}",
        "client_secret": given["client_secret"],
        "account": given["account"],
        "return_url": given.get("return_url", ""),
    }
    target = urlsplit(values["return_url"])
    back = f"{target.scheme}://{target.netloc}" if target.netloc else ""
    return page("challenge.html", values, framed=True, form_to=back)


def answer_challenge(state: State, base_url: str, intent_id: str, request: Request) -> Response:
    given = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    found = find_challenged(state, base_url, intent_id, given)
    if found is None:
        return _unknown()
    ctx, row = found
    if row["status"] == "requires_action":
        authenticate(ctx, row, succeeded=given.get("outcome") == "complete")
    return _done(row, given.get("return_url", ""))


def authenticate(ctx: Context, row: Obj, *, succeeded: bool) -> StripeError | None:
    """Answer a challenge for the card holder; the error is what the intent then bears."""
    rules = setup_intents if row["object"] == "setup_intent" else payment_intents
    try:
        rules.authenticate(ctx, row, succeeded=succeeded)
    except StripeError as failure:
        return failure
    return None


def _done(row: Obj, return_url: str) -> Response:
    if not return_url:
        return page("challenged.html", {}, framed=True)
    try:
        loopback_address(urlsplit(return_url).hostname or "")
    except NotLoopbackError:
        return message_page(400, "This address is not on this machine", return_url)
    passed = row["status"] in {"succeeded", "requires_capture", "processing"}
    fields = {
        row["object"]: row["id"],
        f"{row['object']}_client_secret": row["client_secret"],
        "redirect_status": "succeeded" if passed else "failed",
    }
    joint = "&" if urlsplit(return_url).query else "?"
    return Response(303, headers=[("Location", f"{return_url}{joint}{urlencode(fields)}")])


def receipt_page(state: State, charge_id: str) -> Response:
    for account in state.accounts.values():
        row = account.tables["charge"].rows.get(charge_id)
        if row is not None and row["paid"]:
            values = {
                "merchant": account.row["business_profile"]["name"] or "Test business",
                "amount": amount_text(row["amount"], row["currency"]),
                "card": f"{row['payment_method_details']['card']['brand'].capitalize()} ending in "
                f"{row['payment_method_details']['card']['last4']}",
                "charge": charge_id,
            }
            return page("receipt.html", values)
    return message_page(404, "No such receipt", charge_id)
