"""Where Amazon sells: each marketplace, and the region that one consent there covers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marketplace:
    """One row of Amazon's map, with what `getMarketplaceParticipations` tells of it."""

    code: str
    id: str
    region: str
    country: str
    domain: str
    currency: str
    language: str

    @property
    def name(self) -> str:
        return self.domain.removeprefix("www.").capitalize()

    @property
    def country_code(self) -> str:
        """ISO 3166 says GB where Seller Central says UK."""
        return "GB" if self.code == "UK" else self.code


# A consent covers North America or Europe as a whole; in the Far East each country stands alone.
REGIONS = {
    "NA": "North America",
    "EU": "Europe, Middle East, India and Africa",
    "JP": "Japan",
    "AU": "Australia",
    "SG": "Singapore",
}

_ROWS = (
    Marketplace("US", "ATVPDKIKX0DER", "NA", "United States", "www.amazon.com", "USD", "en_US"),
    Marketplace("CA", "A2EUQ1WTGCTBG2", "NA", "Canada", "www.amazon.ca", "CAD", "en_CA"),
    Marketplace("MX", "A1AM78C64UM0Y8", "NA", "Mexico", "www.amazon.com.mx", "MXN", "es_MX"),
    Marketplace("BR", "A2Q3Y263D00KWC", "NA", "Brazil", "www.amazon.com.br", "BRL", "pt_BR"),
    Marketplace("UK", "A1F83G8C2ARO7P", "EU", "United Kingdom", "www.amazon.co.uk", "GBP", "en_GB"),
    Marketplace("DE", "A1PA6795UKMFR9", "EU", "Germany", "www.amazon.de", "EUR", "de_DE"),
    Marketplace("FR", "A13V1IB3VIYZZH", "EU", "France", "www.amazon.fr", "EUR", "fr_FR"),
    Marketplace("IT", "APJ6JRA9NG5V4", "EU", "Italy", "www.amazon.it", "EUR", "it_IT"),
    Marketplace("ES", "A1RKKUPIHCS9HS", "EU", "Spain", "www.amazon.es", "EUR", "es_ES"),
    Marketplace("NL", "A1805IZSGTT6HS", "EU", "Netherlands", "www.amazon.nl", "EUR", "nl_NL"),
    Marketplace("SE", "A2NODRKZP88ZB9", "EU", "Sweden", "www.amazon.se", "SEK", "sv_SE"),
    Marketplace("PL", "A1C3SOZRARQ6R3", "EU", "Poland", "www.amazon.pl", "PLN", "pl_PL"),
    Marketplace("BE", "AMEN7PMS3EDWL", "EU", "Belgium", "www.amazon.com.be", "EUR", "fr_BE"),
    Marketplace("IE", "A28R8C7NBKEWEA", "EU", "Ireland", "www.amazon.ie", "EUR", "en_IE"),
    Marketplace("TR", "A33AVAJ2PDY3EV", "EU", "Türkiye", "www.amazon.com.tr", "TRY", "tr_TR"),
    Marketplace("AE", "A2VIGQ35RCS4UG", "EU", "United Arab Emirates", "www.amazon.ae", "AED", "en_AE"),
    Marketplace("SA", "A17E79C6D8DWNP", "EU", "Saudi Arabia", "www.amazon.sa", "SAR", "ar_SA"),
    Marketplace("EG", "ARBP9OOSHTCHU", "EU", "Egypt", "www.amazon.eg", "EGP", "ar_EG"),
    Marketplace("IN", "A21TJRUUN4KGV", "EU", "India", "www.amazon.in", "INR", "en_IN"),
    Marketplace("ZA", "AE08WJ6YKNBMC", "EU", "South Africa", "www.amazon.co.za", "ZAR", "en_ZA"),
    Marketplace("JP", "A1VC38T7YXB528", "JP", "Japan", "www.amazon.co.jp", "JPY", "ja_JP"),
    Marketplace("AU", "A39IBJ37TRP1C6", "AU", "Australia", "www.amazon.com.au", "AUD", "en_AU"),
    Marketplace("SG", "A19VAU5U5O7RUS", "SG", "Singapore", "www.amazon.sg", "SGD", "en_SG"),
)

MARKETPLACES = {row.code: row for row in _ROWS}
MARKETPLACES_BY_ID = {row.id: row for row in _ROWS}
