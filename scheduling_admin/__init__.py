"""The operator's command line: `python -m scheduling_admin`, on AWS directly, by the operations of the functions."""
