"""The webhook server: receives deliveries, tells its health, and nothing more."""
