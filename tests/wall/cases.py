"""A line for every route: what is sent to it, and how its parameters are found. A route without a line fails.

`Case(body)`: what a POST sends. A value `{name}` stands for a key of what is asked for: see `furnishing.py`.
`skip`: why a route is not asked (it has no page of a tenant's).
"""

from dataclasses import dataclass, field

LINE = {
    "lines-0-description": "line",
    "lines-0-amount": "1.00",
    "lines-TOTAL_FORMS": "1",
    "lines-INITIAL_FORMS": "0",
}


@dataclass(frozen=True)
class Case:
    """How one route is asked."""

    body: dict[str, str] = field(default_factory=dict)
    invoice: str = "invoice_id"  # of which kind an `invoice_id` in the path is: issued, or `draft_id`
    invitation: str = "invitation_id"  # a contact's in the path, or `colleague_id`
    skip: str = ""


CUSTOMER = {
    "name": "New", "business_name": "New", "email": "new@wall.example", "country": "DE", "currency": "EUR",
    "locale": "en",
}  # fmt: skip
DRAFT = Case(LINE | {"customer": "{customer_id}", "due_on": "2026-12-24"}, invoice="draft_id")
GRANT = {"email": "new@wall.example", "name": "New", "is_owner": "on", "permissions": "invoices"}
COLLEAGUE = Case(invitation="colleague_id")
PASSWORDS = {"password": "four other words of a garden", "current": "four words of a garden"}
NONE = Case()

# accounts/portal/urls.py: on the hosts of tenants and on the public one.
ACCOUNTS: dict[str, Case] = {
    "accounts:login": Case({"email": "x@wall.example", "password": "four words of a garden"}),
    "accounts:second_factor": Case({"code": "123456"}),
    "accounts:backup_code": Case({"code": "abcd-efgh-jkmn"}),
    "accounts:passkey_ask": NONE,
    "accounts:passkey": Case({"answer": "none"}),
    "accounts:logout": NONE,
    "accounts:ask_reset": Case({"email": "x@wall.example"}),
    "accounts:reset": Case({"password": "four other words of a garden"}),
    "accounts:invitation": Case({"name": "New", "password": "four other words of a garden"}),
    "accounts:confirm": Case(PASSWORDS),
    "accounts:sessions": NONE,
    "accounts:sessions_end_others": NONE,
    "accounts:session_end": NONE,
    "accounts:email": Case({"email": "new@wall.example"}),
    "accounts:email_withdraw": NONE,
    "accounts:closing": NONE,
    "accounts:erasure": NONE,
    "accounts:reopen": NONE,
    "accounts:email_confirm": NONE,
    "accounts:email_undo": NONE,
    "accounts:keep_factors": NONE,
    "accounts:security": NONE,
    "accounts:change_password": Case(PASSWORDS),
    "accounts:app": Case({"code": "123456"}),
    "accounts:app_begin": NONE,
    "accounts:app_remove": NONE,
    "accounts:codes": NONE,
    "accounts:passkey_add": Case({"name": "New", "answer": "none"}),
    "accounts:passkey_new_ask": NONE,
    "accounts:passkey_remove": NONE,
    "accounts:keep_my_factors": NONE,
    "accounts:visit_leave": NONE,
    "accounts:visit": NONE,
}
# urls.py: the hosts of tenants.
TENANT: dict[str, Case] = ACCOUNTS | {
    "security_txt": NONE,
    "brand_css": NONE,
    "brand_logo": NONE,
    "stripe_webhook": Case({"id": "evt_1"}),
    "manage:home": NONE,
    "manage:customers": NONE,
    "manage:customer_new": Case(CUSTOMER),
    "manage:customer": NONE,
    "manage:customer_edit": Case(CUSTOMER),
    "manage:customer_invite": Case(GRANT),
    "manage:contact": Case(GRANT),
    "manage:contact_remove": NONE,
    "manage:invitation_resend": NONE,
    "manage:invitation_withdraw": NONE,
    "manage:customer_resume": NONE,
    "manage:customer_closing": NONE,
    "manage:customer_erasure": NONE,
    "manage:settings_closing": NONE,
    "manage:products": NONE,
    "manage:product_new": Case({"name": "New", "code": "new", "tax_class": "standard"}),
    "manage:product": NONE,
    "manage:product_edit": Case({"name": "New", "code": "new", "tax_class": "standard"}),
    "manage:price_new": Case({"cycle": "monthly", "amount": "1.00", "setup_fee": "0", "currency": "EUR"}),
    "manage:price_switch": NONE,
    "manage:subscriptions": NONE,
    "manage:subscription_new": Case({"customer": "{customer_id}", "price": "{price_id}", "quantity": "1"}),
    "manage:subscription": NONE,
    "manage:subscription_cancel": NONE,
    "manage:subscription_pause": Case({"reason": "reason"}),
    "manage:subscription_resume": NONE,
    "manage:invoices": NONE,
    "manage:invoice_new": DRAFT,
    "manage:invoice": NONE,
    "manage:invoice_edit": DRAFT,
    "manage:invoice_pdf": NONE,
    "manage:invoice_discard": DRAFT,
    "manage:invoice_issue": DRAFT,
    "manage:invoice_send": NONE,
    "manage:invoice_resume": NONE,
    "manage:invoice_void": NONE,
    "manage:invoice_payment": Case({"amount": "1.00", "method": "bank_transfer", "received_on": "2026-11-2"}),
    "manage:payment_ask": NONE,
    "manage:payment_absent": NONE,
    "manage:payment_take_in": NONE,
    "manage:runs": NONE,
    "manage:run_now": NONE,
    "manage:import": NONE,
    "manage:import_preview": NONE,
    "manage:audit": NONE,
    "manage:audit_check": NONE,
    "manage:settings": Case({"business_name": "New", "email": "new@wall.example", "country": "DE"}),
    "manage:settings_invoices": NONE,
    "manage:settings_region": NONE,
    "manage:settings_brand": NONE,
    "manage:settings_no_logo": NONE,
    "manage:taxes": NONE,
    "manage:tax_new": Case({"country": "IT", "name": "New", "rate": "22", "tax_class": "standard"}),
    "manage:tax": Case({"country": "IT", "name": "New", "rate": "22", "tax_class": "standard"}),
    "manage:tax_remove": NONE,
    "manage:stripe": NONE,
    "manage:stripe_connect": NONE,
    "manage:stripe_callback": NONE,
    "manage:stripe_key": Case({"key": "rk_test_new", "publishable_key": "pk_test_new"}),
    "manage:stripe_disconnect": NONE,
    "manage:hosts": Case({"hostname": "new.wall.example"}),
    "manage:host_primary": NONE,
    "manage:host_remove": NONE,
    "manage:host_look": NONE,
    "manage:host_withdraw": NONE,
    "manage:staff": NONE,
    "manage:staff_invite": Case({"email": "new@wall.example", "name": "New", "role": "billing"}),
    "manage:staff_hand_over": Case({"to": "{person_id}", "person": "{person_id}"}),
    "manage:staff_role": Case({"role": "support"}),
    "manage:staff_deactivate": NONE,
    "manage:staff_reactivate": NONE,
    "manage:staff_resend": COLLEAGUE,
    "manage:staff_withdraw": COLLEAGUE,
    "manage:factors_reset": NONE,
    "manage:settings_security": Case({"demand": "staff"}),
    "hosted:invoice": NONE,
    "hosted:pay": NONE,
    "hosted:status": NONE,
    "hosted:pdf": NONE,
    "portal:home": NONE,
    "portal:invoices": NONE,
    "portal:invoice": NONE,
    "portal:invoice_pdf": NONE,
    "portal:pay": NONE,
    "portal:pay_status": NONE,
    "portal:cards": NONE,
    "portal:add_card": NONE,
    "portal:add_card_status": NONE,
    "portal:card_default": NONE,
    "portal:card_remove": NONE,
    "portal:autopay": Case({"autopay": "on"}),
    "portal:details": Case(CUSTOMER),
    "portal:team": NONE,
    "portal:team_invite": Case(GRANT),
    "portal:team_contact": Case(GRANT),
    "portal:team_remove": NONE,
    "portal:team_resend": NONE,
    "portal:team_withdraw": NONE,
    "portal:switch": Case({"customer": "{customer_id}"}),
}
# urls_public.py and urls_pay.py: hosts of the platform, where no tenant's data are; the admin is one line.
PUBLIC: dict[str, Case] = ACCOUNTS | {
    "home": NONE,
    "plans": NONE,
    "notices": NONE,
    "signup": NONE,
    "stripe_callback": NONE,
    "health": NONE,
    "security_txt": NONE,
    "certificate": NONE,
    "lost_device": Case({"user": "{person_id}", "reason": "lost on a train"}),
    "admin:": Case(skip="the platform's staff read there of every tenant, and nobody else gets in"),
}
PAY: dict[str, Case] = {"security_txt": NONE, "pay:frame": NONE}
