"""What every room stands on: ids, the clock, errors, the ORM base, the unit of work and the outboxes."""
