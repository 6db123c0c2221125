"""The log of requests in partitions of a day, what makes and drops them, and alerts.

The app's role may read the log and add to it. Partitions are made and dropped by one function alone, which
runs as the owner, takes no names, and cannot be told to drop what is younger: it never believes in a later
time than the database's own. All partitions are unlogged: what is in no write-ahead log is in no backup.
"""

from django.db import migrations, models
from django.db.models import Q

import tenants.ids
from tenants.postgresql.base import PUBLIC_ROLE

TABLE = """
CREATE TABLE public.operations_requestlog (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    schema_name varchar(63) NOT NULL,
    host varchar(253) NOT NULL,
    method varchar(16) NOT NULL,
    path varchar(500) NOT NULL,
    status smallint NOT NULL,
    duration_ms integer NOT NULL,
    ip inet,
    user_agent varchar(200) NOT NULL,
    user_id uuid,
    operator_id varchar(64) NOT NULL,
    event varchar(24) NOT NULL,
    account_mark varchar(32) NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE INDEX request_by_ip ON public.operations_requestlog (ip, at);
CREATE INDEX request_by_tenant ON public.operations_requestlog (schema_name, at);
CREATE INDEX request_by_user ON public.operations_requestlog (user_id, at) WHERE user_id IS NOT NULL;
CREATE INDEX request_by_event ON public.operations_requestlog (at) WHERE NOT (event = '');
CREATE UNLOGGED TABLE public.operations_requestlog_default PARTITION OF public.operations_requestlog DEFAULT;
"""

# Days are UTC. 28 days and the present one are kept: a row is 29 days old at the most when its day goes,
# and a day is left in which that may fail.
KEEP = """
CREATE FUNCTION public.operations_keep_request_log(
    asof timestamptz, OUT made integer, OUT dropped integer, OUT moved bigint, OUT deleted bigint
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' SET timezone = 'UTC' AS $fn$
DECLARE
    moment timestamptz := least(asof, clock_timestamp());
    today date := moment::date;
    oldest date := today - 28;
    part text;
    day date;
    days date[];
    found bigint;
BEGIN
    made := 0; dropped := 0; moved := 0; deleted := 0;
    PERFORM pg_advisory_xact_lock(1919251571); -- one at a time

    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.operations_requestlog'::regclass
          AND c.relname ~ '^operations_requestlog_d[0-9]{8}$'
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < oldest
    LOOP
        EXECUTE format('DROP TABLE public.%I', part);
        dropped := dropped + 1;
    END LOOP;

    -- What found no partition: too old, from a clock that was ahead, or of a day that was not made in time.
    DELETE FROM public.operations_requestlog_default WHERE at < oldest;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    UPDATE public.operations_requestlog SET at = clock_timestamp() WHERE at >= clock_timestamp() + interval '2 days';

    SELECT array_agg(d ORDER BY d) INTO days FROM (
        SELECT today + n AS d FROM generate_series(0, 3) n
        UNION SELECT at::date FROM public.operations_requestlog_default
    ) wanted
    WHERE to_regclass('public.operations_requestlog_d' || to_char(d, 'YYYYMMDD')) IS NULL;
    IF days IS NULL THEN
        RETURN;
    END IF;
    LOCK TABLE ONLY public.operations_requestlog_default IN ACCESS EXCLUSIVE MODE;
    FOREACH day IN ARRAY days LOOP
        part := 'operations_requestlog_d' || to_char(day, 'YYYYMMDD');
        EXECUTE format('CREATE UNLOGGED TABLE public.%I (LIKE public.operations_requestlog INCLUDING ALL)', part);
        EXECUTE format('REVOKE ALL ON public.%I FROM {public}', part);
        EXECUTE format('WITH gone AS (DELETE FROM public.operations_requestlog_default'
                       ' WHERE at >= $1 AND at < $2 RETURNING *) INSERT INTO public.%I SELECT * FROM gone', part)
            USING day::timestamptz, (day + 1)::timestamptz;
        GET DIAGNOSTICS found = ROW_COUNT;
        moved := moved + found;
        EXECUTE format('ALTER TABLE public.operations_requestlog ATTACH PARTITION public.%I'
                       ' FOR VALUES FROM (%L) TO (%L)', part, day::timestamptz, (day + 1)::timestamptz);
        made := made + 1;
    END LOOP;
END $fn$;
REVOKE EXECUTE ON FUNCTION public.operations_keep_request_log(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.operations_keep_request_log(timestamptz) TO {public};
REVOKE ALL ON public.operations_requestlog, public.operations_requestlog_default FROM {public};
GRANT SELECT, INSERT ON public.operations_requestlog TO {public};
SELECT public.operations_keep_request_log(clock_timestamp());
""".replace("{public}", PUBLIC_ROLE)

UNDO = """
DROP FUNCTION public.operations_keep_request_log(timestamptz);
DROP TABLE public.operations_requestlog;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("tenants", "0006_host_proofs")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE + KEEP, UNDO)],
            state_operations=[
                migrations.CreateModel(
                    name="RequestLog",
                    fields=[
                        ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                        ("at", models.DateTimeField()),
                        ("schema_name", models.CharField(max_length=63)),
                        ("host", models.CharField(max_length=253)),
                        ("method", models.CharField(max_length=16)),
                        ("path", models.CharField(max_length=500)),
                        ("status", models.SmallIntegerField()),
                        ("duration_ms", models.IntegerField(verbose_name="ms")),
                        ("ip", models.GenericIPAddressField(null=True)),
                        ("user_agent", models.CharField(max_length=200)),
                        ("user_id", models.UUIDField(null=True)),
                        ("operator_id", models.CharField(max_length=64)),
                        ("event", models.CharField(max_length=24)),
                        ("account_mark", models.CharField(max_length=32)),
                    ],
                    options={
                        "verbose_name": "request",
                        "indexes": [
                            models.Index(fields=["ip", "at"], name="request_by_ip"),
                            models.Index(fields=["schema_name", "at"], name="request_by_tenant"),
                            models.Index(
                                fields=["user_id", "at"],
                                condition=Q(user_id__isnull=False),
                                name="request_by_user",
                            ),
                            models.Index(fields=["at"], condition=~Q(event=""), name="request_by_event"),
                        ],
                    },
                )
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("burst", "Burst of requests"),
                            ("scan", "Scan for weak spots"),
                            ("spraying", "Log-ins tried at many accounts"),
                            ("one_account", "Log-ins tried at one account from many networks"),
                        ],
                        max_length=12,
                    ),
                ),
                ("network", models.CharField(blank=True, default="", max_length=43)),
                ("account_mark", models.CharField(blank=True, default="", max_length=32)),
                (
                    "schema_name",
                    models.CharField(blank=True, default="", max_length=63, verbose_name="tenant"),
                ),
                ("count", models.PositiveIntegerField()),
                ("window_seconds", models.PositiveIntegerField(verbose_name="within seconds")),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField()),
                ("raised_at", models.DateTimeField()),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("acknowledged_by", models.CharField(blank=True, default="", max_length=254)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "ordering": ["-raised_at"],
                "indexes": [models.Index(fields=["last_seen"], name="alert_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(acknowledged_at__isnull=True),
                        fields=("kind", "network", "account_mark"),
                        name="alert_open_once",
                    ),
                    models.CheckConstraint(
                        condition=Q(acknowledged_at__isnull=True, acknowledged_by="", note="")
                        | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="") & ~Q(note="")),
                        name="alert_acknowledged_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=~Q(network="") | ~Q(account_mark=""),
                        name="alert_of_a_network_or_an_account",
                    ),
                ],
            },
        ),
        migrations.RunSQL("ALTER TABLE public.operations_alert SET UNLOGGED", migrations.RunSQL.noop),
    ]
