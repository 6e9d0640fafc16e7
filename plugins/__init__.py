"""The built-in plugins: one folder a tracker. The core finds them by name and imports none of them itself."""
