"""The policy's versions, who was told of them, and the contact form. What was published is never changed."""

import django.db.models.deletion
import django.db.models.functions
import tenants.ids
from django.db import migrations, models
from django.db.models import F, Q

from privacy.models.policies import NOTICE

# As the owner, because the notices lie in the tenants' schemas: the platform's role cannot see them.
VERSION_GUARD = """
CREATE FUNCTION public.policy_version_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $fn$
DECLARE
    one record;
    waiting bigint;
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
        RAISE EXCEPTION 'a published version of the policy stays: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.announced_at IS NOT NULL THEN
            RAISE EXCEPTION 'nobody can have been told of a version before it is there'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.announced_at IS NOT NULL
        OR to_jsonb(NEW) - 'announced_at' IS DISTINCT FROM to_jsonb(OLD) - 'announced_at' THEN
        RAISE EXCEPTION 'a published version of the policy is not changed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR one IN
        SELECT t.schema_name, r.finished_at FROM public.tenants_tenant t
        LEFT JOIN public.privacy_policyround r
            ON r.schema_name = t.schema_name AND r.version_id = NEW.id
        WHERE t.status <> 'closed' AND NOT t.is_rehearsal AND t.created_at <= NEW.published_at
    LOOP
        IF one.finished_at IS NULL THEN
            RAISE EXCEPTION 'not everybody of % was told of this version', one.schema_name
                USING ERRCODE = 'check_violation';
        END IF;
        EXECUTE format('SELECT count(*) FROM %I.privacy_policynotice WHERE version_id = $1'
                       ' AND sent_at IS NULL AND given_up_at IS NULL', one.schema_name)
            INTO waiting USING NEW.id;
        IF waiting > 0 THEN
            RAISE EXCEPTION '% people of % were not told of this version', waiting, one.schema_name
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $fn$;
CREATE TRIGGER policy_guard BEFORE INSERT OR UPDATE OR DELETE ON public.privacy_policyversion
    FOR EACH ROW EXECUTE FUNCTION public.policy_version_guard();
CREATE TRIGGER policy_guard_truncate BEFORE TRUNCATE ON public.privacy_policyversion
    FOR EACH STATEMENT EXECUTE FUNCTION public.policy_version_guard();
"""

# In each schema.
NOTICE_GUARD = """
CREATE FUNCTION policy_notice_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF OLD.sent_at IS NOT NULL OR OLD.given_up_at IS NOT NULL
        OR (NEW.id, NEW.subject_kind, NEW.subject_id, NEW.version_id)
            IS DISTINCT FROM (OLD.id, OLD.subject_kind, OLD.subject_id, OLD.version_id) THEN
        RAISE EXCEPTION 'that somebody was told is not changed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $fn$;
CREATE TRIGGER policy_notice_guard BEFORE UPDATE ON privacy_policynotice
    FOR EACH ROW EXECUTE FUNCTION policy_notice_guard();
"""


def _id():  # type: ignore[no-untyped-def]
    return (
        "id",
        models.UUIDField(default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False),
    )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0002_incidents"), ("tenants", "0006_host_proofs")]

    operations = [
        migrations.CreateModel(
            name="PolicyVersion",
            fields=[
                _id(),
                ("number", models.PositiveIntegerField(unique=True)),
                ("text", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("facts", models.JSONField()),
                ("summary", models.CharField(max_length=1000)),
                ("is_substantial", models.BooleanField()),
                ("last_updated", models.DateField()),
                ("published_at", models.DateTimeField()),
                ("published_by", models.CharField(max_length=254)),
                ("announced_at", models.DateTimeField(blank=True, null=True)),
                ("effective_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        name="policy_substantial_30_days_after_all_were_told",
                        condition=Q(("announced_at__isnull", True))
                        | Q(("effective_at__gte", F("announced_at") + NOTICE)),
                    ),
                    models.CheckConstraint(
                        name="policy_only_substantial_is_announced",
                        condition=Q(("is_substantial", True)) | Q(("announced_at__isnull", True)),
                    ),
                    models.CheckConstraint(
                        name="policy_in_effect_after_published",
                        condition=Q(("effective_at__gte", F("published_at"))),
                    ),
                ],
                "indexes": [models.Index(fields=["effective_at"], name="policy_by_effect")],
            },
        ),
        migrations.CreateModel(
            name="PolicyRound",
            fields=[
                _id(),
                ("schema_name", models.CharField(max_length=63)),
                ("people", models.PositiveIntegerField(blank=True, null=True)),
                ("told", models.PositiveIntegerField(default=0)),
                ("failing", models.PositiveIntegerField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rounds",
                        to="privacy.policyversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["version", "schema_name"], name="policy_round_once"),
                    models.CheckConstraint(
                        name="policy_round_finished_when_all_are_told",
                        condition=Q(("finished_at__isnull", True))
                        | (Q(("people__isnull", False)) & Q(("told__gte", F("people"))) & Q(("failing", 0))),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PolicyNotice",
            fields=[
                _id(),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("version_id", models.UUIDField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("problem", models.CharField(blank=True, default="", max_length=100)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
                ("given_up_because", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["version_id", "subject_kind", "subject_id"], name="policy_notice_once"
                    ),
                    models.CheckConstraint(
                        name="policy_notice_given_up_for_a_reason",
                        condition=Q(("given_up_at__isnull", True), ("given_up_because", ""))
                        | (
                            Q(("given_up_at__isnull", False), ("sent_at__isnull", True))
                            & ~Q(("given_up_because", ""))
                        ),
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["version_id", "next_at"],
                        condition=Q(("given_up_at__isnull", True), ("sent_at__isnull", True)),
                        name="policy_notice_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactMessage",
            fields=[
                _id(),
                ("name", models.CharField(max_length=200)),
                ("email", models.EmailField(max_length=254)),
                ("business", models.CharField(blank=True, default="", max_length=200)),
                ("text", models.TextField()),
                ("received_at", models.DateTimeField()),
                ("last_word_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(django.db.models.functions.Upper("email"), name="contact_message_by_email"),
                    models.Index(fields=["last_word_at"], name="contact_message_by_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactReply",
            fields=[
                _id(),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField()),
                ("written_by", models.CharField(max_length=254)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="privacy.contactmessage",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            VERSION_GUARD,
            "DROP FUNCTION public.policy_version_guard() CASCADE",
            hints={"model_name": "policyversion"},
        ),
        migrations.RunSQL(NOTICE_GUARD, "DROP FUNCTION policy_notice_guard() CASCADE"),
    ]
