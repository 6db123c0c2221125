"""The staff's pages for messages from the contact form: read, and answered by a person."""

from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.acting import actor_of
from operations.read_only import ReadOnlyAdmin
from privacy import contacting
from privacy.models import ContactMessage
from tenants import clock


class AnswerForm(forms.Form):
    """What a person writes back."""

    text = forms.CharField(max_length=10_000, label="Answer", widget=forms.Textarea(attrs={"rows": 10}))


@admin.register(ContactMessage)
class ContactMessageAdmin(ReadOnlyAdmin):
    list_display = ("name", "business", "received_at", "last_word_at", "answer")
    search_fields = ("name", "email", "business")
    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactMessage]:
        return ContactMessage.objects.annotate(answers=Count("replies")).order_by("-received_at")

    @admin.display(description="Answers")
    def answer(self, message: ContactMessage) -> SafeString:
        count = getattr(message, "answers", 0)
        label = f"Read ({count} answered)" if count else "Read and answer"
        return format_html('<a href="{}">{}</a>', reverse("admin:answer_message", args=[message.pk]), label)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(answer_page)
        return [path("<uuid:message_id>/answer/", view, name="answer_message"), *super().get_urls()]


def answer_page(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Read a message with what was answered, and answer it."""
    message = get_object_or_404(ContactMessage, pk=message_id)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        contacting.answer(message.pk, form.cleaned_data["text"], actor=actor_of(request), now=clock.now())
        messages.success(request, f"The answer is on its way to {message.email}.")
        return redirect("admin:answer_message", message.pk)
    context = {
        **admin.site.each_context(request),
        "title": f"Message of {message.name}",
        "message": message,
        "replies": message.replies.order_by("written_at"),
        "form": form,
    }
    return render(request, "admin/answer_message.html", context, status=422 if form.errors else 200)
