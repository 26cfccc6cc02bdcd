"""What Alembic executes around the migrations; the connection comes from `migration`."""

from alembic import context

from guard.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters tables by making new ones
)
with context.begin_transaction():
    context.run_migrations()
