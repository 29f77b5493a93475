"""The demonstration case: fictitious people, real parts. `README.md` says how its files were made."""
