"""The applications that sellers can authorize, as their developers registered them at Amazon."""

from dataclasses import dataclass

SELLERS = "sellers"


@dataclass(frozen=True)
class AmazonApp:
    """One registration in Amazon's Solution Provider Portal; the control page may change it while we run."""

    key: str
    application_id: str
    client_id: str
    client_secret: str
    developer_name: str
    app_name: str
    redirect_uris: tuple[str, ...]
    login_uri: str
    #: A draft opens its consent page only with version=beta.
    draft: bool = False
    #: Not listed in the Appstore means at most 25 sellers.
    listed: bool = True
    #: Off: the app is not open to this kind of business (SPSA0404).
    enabled: bool = True
    #: What the app may call; without a role SP-API answers 403 with empty details.
    roles: frozenset[str] = frozenset()

    def with_role(self, role: str, *, held: bool) -> frozenset[str]:
        return self.roles | {role} if held else self.roles - {role}


def default_apps(bot_url: str) -> tuple[AmazonApp, ...]:
    """The two features' applications, registered for a bot that answers under `bot_url`."""
    bot = bot_url.rstrip("/")
    return (
        AmazonApp(
            key="orders",
            application_id="amzn1.sp.solution.sandbox-orders",
            client_id="amzn1.application-oa2-client.sandbox-orders",
            client_secret="sandbox-orders-secret",
            developer_name="SHENZHEN MINXING TECHNOLOGY CO.,LTD",
            app_name="Ushops",
            redirect_uris=(f"{bot}/amazon/orders/callback",),
            login_uri=f"{bot}/amazon/orders/login",
            roles=frozenset({SELLERS, "orders"}),
        ),
        AmazonApp(
            key="listing",
            application_id="amzn1.sp.solution.sandbox-listing",
            client_id="amzn1.application-oa2-client.sandbox-listing",
            client_secret="sandbox-listing-secret",
            developer_name="福州云赞网络科技有限公司",
            app_name="Feikan",
            redirect_uris=(f"{bot}/amazon/listing/callback",),
            login_uri=f"{bot}/amazon/listing/login",
            roles=frozenset({SELLERS, "listing"}),
        ),
    )
