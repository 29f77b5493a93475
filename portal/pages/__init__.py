"""One module per area: frozen view models and the functions that render them. No database, no web framework."""
