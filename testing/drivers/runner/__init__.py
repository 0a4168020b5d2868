"""The parts of run.py: clusters, suites, comparison, table."""
