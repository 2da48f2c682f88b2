"""What can go wrong in the log. Each class says what its caller does; no message repeats personal data."""


class AuditError(Exception):
    """Any refusal or failure of the log. Where no narrower class is caught: release no data and report it."""


class LogUnavailable(AuditError):
    """The entry could not be made durable. Release nothing, answer 503, try again with the same idempotency key."""


class LogOverloaded(AuditError):
    """The queue of waiting entries is full; nothing was written. Release nothing, answer 503 with `Retry-After`."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which a retry is worth while."""


class LogFrozen(AuditError):
    """The store is behind, or at odds with, a checkpoint signed earlier. Append nothing, do not retry; raise an alarm.

    The way on is `python -m audit recover`, which is itself logged.
    """


class EntryRefused(AuditError, ValueError):
    """The access or leaf has no canonical form in this format. The caller's data or code is at fault: do not retry."""


class IdempotencyConflict(AuditError):
    """The idempotency key was already used for an access with another body. Do not retry with this key."""


class EntryNotFound(AuditError, LookupError):
    """The log holds no entry at this position. Answer 404."""


class MalformedNote(AuditError, ValueError):
    """The text is no signed note, whoever signed it. Reject it whole; use no part of it."""


class MalformedCheckpoint(AuditError, ValueError):
    """The text is no checkpoint. Reject it whole, even where its signature is good."""


class MalformedTile(AuditError, ValueError):
    """The path, hash tile or entry bundle breaks the format. Answer 404 for a path; treat stored bytes as damaged."""


class MalformedReceipt(AuditError, ValueError):
    """The text is no receipt. Tell the person that the file cannot be read; this says nothing about the log."""


class InvalidProof(AuditError, ValueError):
    """The inclusion or consistency proof does not hold. Trust neither the claim nor the tree that it was made for."""


class VerificationFailed(AuditError):
    """A signature by a known key is false, or no known key has signed. Trust nothing in the text; raise an alarm."""


class KeyRefused(AuditError, ValueError):
    """A key, its file or its name is not fit for use. Do not start; correct the setting. No message shows a key."""
