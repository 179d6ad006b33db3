"""What the screens ask about registration."""

from node.model.page import REGISTRATION, Page, SecretField, TextField

PAGES = (
    Page(
        "registration",
        "Registration",
        "A node makes itself known to a management server, which somebody there has to agree to. Without "
        "one it is looked after by itself. Compare the fingerprint with the one that the server shows.",
        REGISTRATION,
        (
            TextField(
                key="registration.server",
                label="Server",
                help="Its address, such as https://manage.example.org:8443.",
                empty="none",
            ),
            TextField(
                key="registration.fingerprint",
                label="CA fingerprint",
                help="SHA-256 of the server's CA, 64 hexadecimal digits; colons are allowed.",
            ),
            SecretField(
                key="registration.token",
                label="Token",
                help="What lets this node ask. It is forgotten once it is used.",
                hashed=False,
            ),
            TextField(
                key="registration.pool",
                label="Pool",
                help="The group of nodes that it is for; a token for another is refused.",
                empty="that of the token",
            ),
        ),
    ),
)
