"""Schema migrations, run by Alembic when the journal is opened."""
