"""Alembic's environment: works on the connection that `migrate` hands in, in its transaction."""

from alembic import context
from sqlalchemy.engine import Connection

from callcenter.migrations.tables import METADATA


def _run() -> None:
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=False,  # the transaction is the caller's
        compare_type=True,
    )
    context.run_migrations()


_run()
