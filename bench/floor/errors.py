"""The error of every operation."""


class ApiError(Exception):
    def __init__(self, status, code, text, field_errors=None):
        super().__init__(text)
        self.status, self.code, self.field_errors = status, code, field_errors
