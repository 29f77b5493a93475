"""The demonstration case: fictitious people, real parts. `story` plays it through the public API."""
