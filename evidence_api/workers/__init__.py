"""Background work: the job runner, the dispatcher that feeds it, and Celery, which only carries job ids."""
