"""Use cases: one function per act, each one unit of work; ids in, frozen values out, no web request in sight."""
