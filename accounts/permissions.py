"""Who may do what: predicates only."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import Contact, Customer, User

Person = User | AnonymousUser


def may_manage(person: Person) -> bool:
    """May work under /manage/: owners and staff of the tenant."""
    return isinstance(person, User) and person.is_tenant_staff


def may_change_settings(person: Person) -> bool:
    """May change how the tenant bills and is paid, and invite staff: owners."""
    return isinstance(person, User) and person.is_active and person.role == User.Role.OWNER


def may_act_for(person: Person, customer: Customer) -> bool:
    """May see and pay what the customer owes: its contacts."""
    return (
        isinstance(person, User)
        and person.is_active
        and Contact.objects.filter(user=person, customer=customer).exists()
    )
