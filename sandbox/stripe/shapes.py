"""New objects as Stripe shows them, with every field that its API version has. Part one: people, cards,
set-up, events."""

from sandbox.stripe import ids
from sandbox.stripe.cards import TestCard
from sandbox.stripe.types import API_VERSION, Obj


def address(given: Obj | None = None) -> Obj:
    empty: Obj = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    return {**empty, **(given or {})}


def list_of(url: str, data: list[Obj] | None = None) -> Obj:
    return {"object": "list", "data": data or [], "has_more": False, "url": url}


def _requirements() -> Obj:
    lists = ("alternatives", "currently_due", "errors", "eventually_due", "past_due", "pending_verification")
    return {"current_deadline": None, "disabled_reason": None, **{name: [] for name in lists}}


def _settings(name: str | None) -> Obj:
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": True},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": dict.fromkeys(
            (
                "statement_descriptor",
                "statement_descriptor_kana",
                "statement_descriptor_kanji",
                "statement_descriptor_prefix_kana",
                "statement_descriptor_prefix_kanji",
            )
        ),
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def account(
    account_id: str, now: int, *, name: str | None, email: str | None, country: str, currency: str
) -> Obj:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {
            "annual_revenue": {"amount": None, "currency": None, "fiscal_year_end": None},
            "estimated_worker_count": None,
            "mcc": "7372",
            "minority_owned_business_designation": None,
            "name": name,
            "product_description": None,
            "support_address": address(),
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": country,
        "created": now,
        "default_currency": currency,
        "details_submitted": True,
        "email": email,
        "external_accounts": list_of(f"/v1/accounts/{account_id}/external_accounts"),
        "future_requirements": _requirements(),
        "metadata": {},
        "payouts_enabled": True,
        "requirements": _requirements(),
        "settings": _settings(name),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def customer(now: int) -> Obj:
    customer_id = f"cus_{ids.random_text(14)}"
    return {
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "business_name": None,
        "created": now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "individual_name": None,
        "invoice_prefix": ids.derived_text(customer_id, 8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def billing_details(given: Obj | None = None) -> Obj:
    given = given or {}
    plain = {name: given.get(name) for name in ("email", "name", "phone", "tax_id")}
    return {"address": address(given.get("address")), **plain}


def fingerprint(account_id: str, number: str) -> str:
    """The same for the same card on one account, different on another, as Stripe's is."""
    return ids.derived_text(f"{account_id}:{number}", 16)


def card(kind: TestCard, account_id: str, exp_month: int, exp_year: int, *, cvc_given: bool) -> Obj:
    return {
        "brand": kind.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked" if cvc_given else None,
        },
        "country": kind.country,
        "display_brand": {"amex": "american_express"}.get(kind.brand, kind.brand),
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": fingerprint(account_id, kind.number),
        "funding": kind.funding,
        "generated_from": None,
        "last4": kind.number[-4:],
        "networks": {"available": [kind.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def payment_method(now: int, card_: Obj, details: Obj, metadata: Obj, allow_redisplay: str) -> Obj:
    return {
        "id": ids.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": allow_redisplay,
        "billing_details": details,
        "card": card_,
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata,
        "type": "card",
    }


def setup_intent(now: int) -> Obj:
    intent_id = ids.new_id("seti")
    return {
        "id": intent_id,
        "object": "setup_intent",
        "allowed_payment_method_types": None,
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": ids.client_secret(intent_id),
        "created": now,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
        },
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
    }


def setup_attempt(now: int, intent: Obj, method_id: str, details: Obj, status: str, error: Obj | None) -> Obj:
    return {
        "id": ids.new_id("setatt"),
        "object": "setup_attempt",
        "application": intent["application"],
        "created": now,
        "customer": intent["customer"],
        "customer_account": None,
        "flow_directions": None,
        "livemode": False,
        "on_behalf_of": None,
        "payment_method": method_id,
        "payment_method_details": {"card": details, "type": "card"},
        "setup_error": error,
        "setup_intent": intent["id"],
        "status": status,
        "usage": intent["usage"],
    }


def event(now: int, type_: str, data: str, request: Obj) -> Obj:
    return {
        "id": f"evt_1{ids.random_text(23)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": now,
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": request,
        "type": type_,
    }


def webhook_endpoint(now: int, url: str, enabled_events: list[str]) -> Obj:
    return {
        "id": ids.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": now,
        "description": None,
        "enabled_events": enabled_events,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
    }
