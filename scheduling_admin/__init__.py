"""The operator's command line, `python -m scheduling_admin`: it runs the functions' operations on AWS directly."""
