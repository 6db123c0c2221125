"""What people are told by mail when something about their log-in has changed: pure."""

from dataclasses import dataclass

from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail

SUSPECT = "If it was not you, set a new password at once and look through your second factors."


@dataclass(frozen=True, slots=True)
class Notice:
    """The subject and the sentence of a notice; {business} and {when} are put in."""

    subject: str
    says: str
    after: str = SUSPECT


NOTICES = {
    "password_changed": Notice(
        "Your password at {business} was changed",
        "The password of your log-in at {business} was changed on {when}. You are logged out elsewhere.",
    ),
    "app_added": Notice(
        "An authenticator app was set up at {business}",
        "Since {when}, your log-in at {business} asks for a code from the authenticator app that was set up.",
    ),
    "app_removed": Notice(
        "Your authenticator app at {business} was removed",
        "The authenticator app of your log-in at {business} was removed on {when}.",
    ),
    "passkey_added": Notice(
        "A passkey was added at {business}",
        "A passkey that logs you in at {business} was added on {when}.",
    ),
    "passkey_removed": Notice(
        "A passkey was removed at {business}",
        "A passkey of your log-in at {business} was removed on {when}.",
    ),
    "host_removed": Notice(
        "Your passkeys at {business} no longer work",
        "{business} gave up the address at which your passkeys worked, so they were removed on {when}. Log "
        "in with your password and set up another second factor. If the password has fewer than 15 "
        "characters and you have no authenticator app, you will be sent a link to set a longer one.",
        "If you know nothing of it, ask {business}.",
    ),
    "codes_made": Notice(
        "New backup codes at {business}",
        "New backup codes for your log-in at {business} were made on {when}. Earlier ones no longer work.",
    ),
    "code_used": Notice(
        "A backup code was used at {business}",
        "A backup code of your log-in at {business} was used on {when}. It will not work again.",
    ),
    "factor_refused": Notice(
        "Somebody was stopped at your second factor at {business}",
        "On {when} somebody logging in as you at {business} had come past your password and then failed at "
        "your second factor. You are told once a day at most; all tries are listed with your sessions.",
        "If it was you, there is nothing to do. If it was not, somebody knows your password: set a new one.",
    ),
    "factors_reset": Notice(
        "Your second factors at {business} were taken away",
        "The app, passkeys and backup codes of your log-in at {business} were taken away on {when}, "
        "because you or somebody for you said that they were lost. Your password stays; if it has "
        "fewer than 15 characters, you will be sent a link to set a longer one. Set up new factors then.",
        "If you know nothing of it, tell whoever runs {business} at once.",
    ),
}


def notice_mail(kind: str, *, business: str, name: str, when: str, url: str) -> RenderedMail:
    """Tell a person what happened to their log-in."""
    notice, words = NOTICES[kind], {"business": business, "when": when}
    return render(
        Letter(
            sender=business,
            subject=notice.subject.format(**words),
            greeting=hello(name),
            paragraphs=(notice.says.format(**words),),
            button="Look at your log-in",
            url=url,
            after=notice.after.format(**words),
        )
    )


def reset_asked_mail(*, business: str, name: str, when: str, url: str) -> RenderedMail:
    """Tell a person that their second factors will be taken away, and how to prevent it."""
    return render(
        Letter(
            sender=business,
            subject=f"Your second factors at {business} will be taken away",
            greeting=hello(name),
            paragraphs=(
                f"Somebody, hopefully you, told ProEcommerce that the device for your log-in at "
                f"{business} is lost. On {when} your authenticator app, passkeys and backup codes will be "
                "taken away, and your password alone will log you in until you set up new ones, "
                "if it has 15 characters.",
            ),
            button="Stop this: I still have my device",
            url=url,
            after="If you asked for it, there is nothing to do but wait. If not, press the button: somebody "
            "may know your password, so set a new one as well.",
        )
    )
