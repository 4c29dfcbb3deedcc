"""Amazon's error pages: a code, and a text as vague as the real ones. Our own words, Amazon's codes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorPage:
    """What the seller sees instead of a consent; Amazon never calls back from here."""

    code: str
    text: str
    status: int = 400
    #: Two of Amazon's refusals come with a sentence and no code.
    shows_code: bool = True


PROFESSIONAL_REQUIRED = "PROFESSIONAL_REQUIRED"

_ROWS = (
    ErrorPage("MD1000", "This application is not available. Contact the developer of the application."),
    ErrorPage("MD5100", "We could not verify this application. Contact the developer of the application."),
    ErrorPage("MD5101", "We could not process this authorization request. Contact the developer of the application."),
    ErrorPage("MD5110", "This authorization request is not valid. Contact the developer of the application."),
    ErrorPage("MD5200", "We are unable to complete your authorization. Contact Selling Partner Support.", 500),
    ErrorPage("MD9010", "This application cannot be authorized in this way. Contact the developer."),
    ErrorPage("MD9100", "We could not verify this application. Contact the developer of the application."),
    ErrorPage("MD9999", "Something went wrong. Try again later."),
    ErrorPage("SPDC8143", "You do not have permission to authorize this application.", 403),
    ErrorPage("CONSENT_LIMIT_REACHED", "This application cannot accept more authorizations at this time.", 403),
    ErrorPage("SPSA0404", "The application you requested was not found or is not enabled for your business.", 404),
    ErrorPage("SPSA2043", "The application is not enabled for your business.", 403),
    ErrorPage(
        PROFESSIONAL_REQUIRED,
        "You must be the primary user of a Professional selling account to authorize this application.",
        403,
        shows_code=False,
    ),
)

ERROR_PAGES = {row.code: row for row in _ROWS}
