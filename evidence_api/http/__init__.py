"""The HTTP edge: problem details, guards, idempotency, ranges, paging, and the thin routes over the use cases."""
