"""The database refuses to lose a data key: all that it seals would be lost with it."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION vault_refuse() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    RAISE EXCEPTION 'a data key is never deleted, and only its wrapping changes'
        USING ERRCODE = 'insufficient_privilege';
END $fn$;
CREATE TRIGGER keep_keys BEFORE DELETE ON vault_datakey
    FOR EACH ROW EXECUTE FUNCTION vault_refuse();
CREATE TRIGGER keep_identity BEFORE UPDATE OF id, version, created_at ON vault_datakey
    FOR EACH ROW WHEN (OLD.id <> NEW.id OR OLD.version <> NEW.version OR OLD.created_at <> NEW.created_at)
    EXECUTE FUNCTION vault_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
