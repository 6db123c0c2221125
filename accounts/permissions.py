"""Who may do what: predicates only, all of them here.

Pages declare theirs (`accounts.pages.page_for`, `billing.portal.access.customer_page`), templates hide what
they refuse (`may.…`), and rules about people ask again under their locks. Four things narrow every change:
the person is active, the workspace is open, the customer's account is open, and nobody of the platform
stands behind it.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser

from accounts.grants import Grant, Permission
from accounts.models import WORKING, Contact, Customer, User
from tenants.context import current_tenant
from tenants.models import Tenant

Person = User | AnonymousUser
Role = User.Role
OWNERS = (Role.OWNER,)
BILLERS = (Role.OWNER, Role.BILLING)
HELPERS = (Role.OWNER, Role.BILLING, Role.SUPPORT)
LOOKERS = (Role.OWNER, Role.BILLING, Role.READ_ONLY)


# The tenant's own people. What they see stays in sight while the workspace is suspended.


def may_manage(person: Person) -> bool:
    """May work under /manage/: everybody of the tenant."""
    return _works_as(person, WORKING)


def may_see_customers(person: Person) -> bool:
    """May see customers and all that concerns them: subscriptions, invoices, payments, and what is sold."""
    return _works_as(person, WORKING)


def may_see_figures(person: Person) -> bool:
    """May see how the business stands: revenue, what is owed, the invoice runs."""
    return _works_as(person, LOOKERS)


def may_see_record(person: Person) -> bool:
    """May read the audit log of the whole tenant."""
    return _works_as(person, LOOKERS)


def may_edit_customers(person: Person) -> bool:
    """May correct customers' details; whoever of the platform helps may too."""
    return _works_as(person, HELPERS) and _is_open()


def may_send_mail(person: Person) -> bool:
    """May have an invoice mailed again: its pay link goes with it, so nobody may who acts as somebody."""
    return _works_as(person, HELPERS) and _is_open() and _is_oneself(person)


def may_invite_contacts(person: Person) -> bool:
    """May decide who acts for customers, and for what."""
    return _works_as(person, HELPERS) and _is_open() and _is_oneself(person)


def may_bill(person: Person) -> bool:
    """May move money and what it comes from: customers, catalog, subscriptions, invoices, payments."""
    return _works_as(person, BILLERS) and _is_open() and _is_oneself(person)


def may_run(person: Person) -> bool:
    """May ask for an invoice run at once."""
    return may_bill(person)


def may_import(person: Person) -> bool:
    """May bring customers and subscriptions in from files."""
    return may_bill(person)


def may_see_settings(person: Person) -> bool:
    """May see how the tenant bills, and who works here."""
    return _works_as(person, OWNERS)


def may_change_settings(person: Person) -> bool:
    """May change how the tenant bills."""
    return _works_as(person, OWNERS) and _is_open() and _is_oneself(person)


def may_manage_colleagues(person: Person) -> bool:
    """May invite colleagues, change their roles, shut them out and let them in again."""
    return may_change_settings(person)


def may_hand_over(person: Person) -> bool:
    """May make somebody else the owner in one's own place."""
    return may_change_settings(person)


def may_take_along(person: Person) -> bool:
    """May have everything in the workspace copied and take it along; of a suspended one too."""
    return _works_as(person, OWNERS) and _is_oneself(person)


def may_connect_stripe(person: Person) -> bool:
    """May see and change the connection to Stripe. Out of reach for whoever of the platform helps."""
    return may_change_settings(person)


# Everybody with a log-in.


def may_see_own_login(person: Person) -> bool:
    """May see one's own log-in: its sessions, factors and address. Nobody else may."""
    return isinstance(person, User) and person.is_active and _is_oneself(person)


def may_change_own_login(person: Person) -> bool:
    """May change one's own password, second factors and address."""
    return may_see_own_login(person)


def may_use_pay_link(person: Person) -> bool:
    """May see and pay the invoice of a mailed link: whoever holds it, but nobody who acts as somebody."""
    return _is_oneself(person)


# Contacts of customers. What they hold is read with every request.


def may_act_for(person: Person, customer: Customer) -> bool:
    """May enter the portal of this customer: its contacts, whatever else they may."""
    return (
        isinstance(person, User)
        and person.is_active
        and Contact.objects.filter(user=person, customer=customer).exists()
    )


def may_enter(contact: Contact) -> bool:
    """May see the portal's first page, and choose another customer."""
    return contact.user.is_active


def may_see_invoices(contact: Contact) -> bool:
    """May see invoices and what is due; of a closed account too."""
    return _holds(contact, Permission.INVOICES)


def may_pay(contact: Contact) -> bool:
    """May pay invoices; what a closed account still owes too."""
    return _holds(contact, Permission.PAY) and _is_oneself(contact.user)


def may_see_cards(contact: Contact) -> bool:
    """May see saved cards and whether autopay is on."""
    return _holds(contact, Permission.CARDS)


def may_remove_cards(contact: Contact) -> bool:
    """May have a card forgotten; of a closed account too."""
    return _holds(contact, Permission.CARDS) and _is_oneself(contact.user)


def may_change_cards(contact: Contact) -> bool:
    """May save cards, choose among them, and turn autopay on and off."""
    return _holds(contact, Permission.CARDS) and _may_change(contact)


def may_see_details(contact: Contact) -> bool:
    """May see the name and address on invoices."""
    return _holds(contact, Permission.DETAILS)


def may_change_details(contact: Contact) -> bool:
    """May correct them; whoever of the platform helps may too."""
    return _holds(contact, Permission.DETAILS) and _is_open() and _is_active(contact)


def may_see_services(contact: Contact) -> bool:
    """May see subscriptions and their renewals."""
    return _holds(contact, Permission.SERVICES)


def may_see_domains(contact: Contact) -> bool:
    return _holds(contact, Permission.DOMAINS)


def may_see_tickets(contact: Contact) -> bool:
    return _holds(contact, Permission.TICKETS)


def may_use_privacy(contact: Contact) -> bool:
    """May ask for the data that is held; of a closed account too."""
    return _holds(contact, Permission.PRIVACY) and _is_oneself(contact.user)


def may_see_team(contact: Contact) -> bool:
    """May see who else acts for the customer."""
    return _holds(contact, Permission.CONTACTS)


def may_change_team(contact: Contact) -> bool:
    """May invite others, and change and remove those whom `may_change_contact` names."""
    return _holds(contact, Permission.CONTACTS) and _may_change(contact)


def may_grant(contact: Contact, grant: Grant) -> bool:
    """May hand this out: nobody gives what they do not have."""
    return may_change_team(contact) and contact.grant.covers(grant)


def may_change_contact(contact: Contact, other: Contact) -> bool:
    """May change or remove the other: not oneself, and nobody who may more."""
    return (
        may_change_team(contact)
        and contact.customer_id == other.customer_id
        and contact.pk != other.pk
        and contact.grant.covers(other.grant)
    )


FOR_STAFF: dict[str, Callable[[Person], bool]] = {
    each.__name__: each
    for each in (
        may_manage, may_see_customers, may_see_figures, may_see_record, may_edit_customers, may_send_mail,
        may_invite_contacts, may_bill, may_run, may_import, may_see_settings, may_change_settings,
        may_manage_colleagues, may_hand_over, may_connect_stripe, may_take_along,
        may_see_own_login, may_change_own_login,
        may_use_pay_link,
    )
}  # fmt: skip
FOR_CONTACTS: dict[str, Callable[[Contact], bool]] = {
    each.__name__: each
    for each in (
        may_enter, may_see_invoices, may_pay, may_see_cards, may_remove_cards, may_change_cards,
        may_see_details, may_change_details, may_see_services, may_see_domains, may_see_tickets,
        may_use_privacy, may_see_team, may_change_team,
    )
}  # fmt: skip


def _works_as(person: Person, roles: tuple[User.Role, ...]) -> bool:
    return isinstance(person, User) and person.is_active and person.role in roles


def _is_open() -> bool:
    """Nobody changes anything in a suspended workspace; it can be seen, and its customers can pay."""
    return current_tenant().status == Tenant.Status.ACTIVE


def _is_oneself(person: Person) -> bool:
    """Whether it is really them: not somebody of the platform who acts as them."""
    return not (isinstance(person, User) and person.visit)


def _is_active(contact: Contact) -> bool:
    return contact.customer.status == Customer.Status.ACTIVE


def _holds(contact: Contact, permission: Permission) -> bool:
    return contact.user.is_active and contact.has(permission)


def _may_change(contact: Contact) -> bool:
    return _is_open() and _is_active(contact) and _is_oneself(contact.user)
