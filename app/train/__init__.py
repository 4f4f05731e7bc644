"""The Train workspace: data, settings, run and result."""
