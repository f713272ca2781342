"""The whole stack on 127.0.0.1, built from template.yaml, without Docker or an AWS account."""
