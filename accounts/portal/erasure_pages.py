"""Erasure by the person: the plan to read, a word to type, and how far it has come."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from accounts.acting import actor_of
from accounts.confirming import confirmed_change
from accounts.errors import Refused
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.frame import show
from accounts.portal.own_accounts import owned, subject_of
from privacy import erasing, planning
from privacy.models import Erasure
from privacy.subjects import Subject
from tenants import clock

WORD = "ERASE"


class ErasureForm(forms.Form):
    """The word that nobody types by accident."""

    word = forms.CharField(label=f"Type {WORD} to have it erased for good", max_length=10)

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"]
        if word.strip().upper() != WORD:
            raise forms.ValidationError(f"Type {WORD}, or leave everything as it is.")
        return word


@require_http_methods(["GET", "HEAD", "POST"])
@own_page
@confirmed_change
def erasure_page(request: HttpRequest, user: User) -> HttpResponse:
    """Show what goes, what is emptied and what stays; take the wish from whoever has just confirmed."""
    mine, chosen = owned(user), request.GET.get("of", "")
    whose = mine.get(chosen) if chosen else next(iter(mine.values()), None)
    if chosen and whose is None and chosen != "me":
        raise Http404
    subject = Subject("user", str(user.pk)) if whose is None else subject_of(whose)
    form, now = ErasureForm(request.POST or None), clock.now()
    in_the_way = erasing.in_the_way(subject)
    if request.method == "POST" and form.is_valid():
        try:
            erasing.begin(subject, because=Erasure.Because.ASKED, actor=actor_of(request), now=now)
            messages.success(request, "It is being erased. A mail says what is kept by law, and how long.")
            return HttpResponseRedirect(request.get_full_path())
        except Refused as refused:
            form.add_error(None, str(refused))
    context: dict[str, Any] = {
        "form": form, "plan": shown(planning.plan(subject, now=now).as_json), "whose": whose, "mine": mine,
        "in_the_way": in_the_way, "under_way": erasing.is_under_way(subject),
    }  # fmt: skip
    return show(request, "accounts/erasure.html", status=422 if form.is_bound else 200, **context)


def shown(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the plan with its fields as people call them."""
    return {
        name: [{**item, "words": planning.in_words(item)} for item in items] for name, items in plan.items()
    }
