"""The pages: what each person sees and presses. Speaks to evidence_api's use cases and queries only."""
