"""The demonstration case's material: fictitious people, the files of the case, and the scripts that make them."""
