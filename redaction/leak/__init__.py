"""Attacks on a burned rendition before anything is released: what is looked for is told, what was not run as well."""
