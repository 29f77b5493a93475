"""The embedded stack: PostgreSQL, an S3 store with Object Lock and Valkey as child processes of one parent.

The same clients speak to these servers and to production ones; an address by URL takes the place of a child.
"""
