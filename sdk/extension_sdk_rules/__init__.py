"""The service's rules of schedules, copied so that the SDK decides as the service does."""
