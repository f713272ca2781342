"""The whole stack on 127.0.0.1, made from template.yaml, without Docker or an AWS account."""
