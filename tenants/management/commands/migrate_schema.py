"""Django's own migrate, for the one schema that is entered; `migrate` calls it."""

from django.core.management.commands.migrate import Command as DjangoMigrate


class Command(DjangoMigrate):
    help = "Migrates the schema that is entered. Use `migrate`."
