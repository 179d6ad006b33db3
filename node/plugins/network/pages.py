"""What the screens ask about the network."""

from node.model.page import NETWORK, ListField, Page, TextField, ViewField

PAGES = (
    Page(
        "network",
        "Network",
        "Left alone, every Ethernet card asks DHCP. To set addresses yourself, mark a card with Space; two "
        "or more marked cards become a bond. An address is written with its prefix, as in 192.0.2.10/24.",
        NETWORK,
        (
            TextField(
                key="network.hostname",
                label="Host name",
                help="Short or with its domain.",
                empty="DHCP may give one",
            ),
            ViewField(key="network.netplan", label="Cards", view="cards"),
            ListField(
                key="network.dns",
                label="Name servers",
                help="Addresses, beside those that DHCP gives.",
                empty="those of DHCP",
            ),
            ListField(
                key="network.search",
                label="Search domains",
                help="Domains that short names are completed with.",
                empty="those of DHCP",
            ),
            ListField(
                key="network.ntp",
                label="Time servers",
                help="Names or addresses.",
                empty="those of DHCP or Debian's",
            ),
            ViewField(key="network.test", label="Test", view="test"),
        ),
    ),
)
