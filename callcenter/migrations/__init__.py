"""The site database's schema over time (Alembic), applied by `callcenter.migrations.migrate`."""
