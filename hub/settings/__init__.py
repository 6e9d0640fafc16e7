"""Settings: YAML files -> validated values, with errors that name file, line, value and remedy."""
