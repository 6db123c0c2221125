"""Which passwords are taken: long enough, and not what everybody uses. Nothing about digits or capitals."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.common_passwords import is_common, is_guessable, opened
from accounts.factors import factors_of
from accounts.models.users import normal
from tenants.context import current_tenant
from tenants.errors import NoTenant

ALONE = 15
WITH_FACTOR = 12
LONGEST = 128


def least_length(user: Any) -> int:
    """How long this person's password must be."""
    known = user is not None and not user._state.adding
    return WITH_FACTOR if known and factors_of(user).enough else ALONE


class LongEnough:
    """At least 15 characters, 12 beside a second factor; at most 128."""

    def validate(self, password: str, user: Any = None) -> None:
        length, least = len(normal(password)), least_length(user)
        if length < least:
            raise ValidationError(
                f"Use at least {least} characters; this has {length}.", code="password_too_short"
            )
        if length > LONGEST:
            raise ValidationError(f"Use at most {LONGEST} characters.", code="password_too_long")

    def get_help_text(self) -> str:
        return f"At least {ALONE} characters."


class NotCommon:
    """Not on the lists of common and breached passwords, nor made of what everybody puts together."""

    def validate(self, password: str, user: Any = None) -> None:
        here = ["ProEcommerce", *_names()]
        if is_common(normal(password), opened(settings.PASSWORD_FILTER), here=here):
            raise ValidationError(
                "Others have used this password, or one made from the same word. Choose another.",
                code="password_too_common",
            )
        if len(password) >= WITH_FACTOR and is_guessable(normal(password)):
            raise ValidationError(
                "This is soon guessed: it is made of common words, names, dates or rows of keys. Choose four "
                "words that only you would put together.",
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        return "Not one that others have used."


def _names() -> list[str]:
    try:
        tenant = current_tenant()
    except NoTenant:
        return []
    return [tenant.name, tenant.slug]
