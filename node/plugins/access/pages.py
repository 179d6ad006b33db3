"""What the screens ask about who may log in."""

from node.model.page import ACCESS, ListField, Page, SecretField, TextField, ToggleField, ViewField

PAGES = (
    Page(
        "access",
        "Access",
        "The admin user needs a password or an SSH key, better both. Root stays locked; the admin user may "
        "become root by sudo. Of the password only its hash is kept.",
        ACCESS,
        (
            TextField(key="access.admin.name", label="Admin user"),
            SecretField(key="access.admin.password_hash", label="Password"),
            ToggleField(
                key="access.ssh_password_login",
                label="SSH by password",
                help="Lets the admin user in over SSH with the password. Keys do so in any case.",
            ),
            ListField(
                key="access.admin.ssh_keys",
                label="SSH keys",
                help="Public keys, one a line, as a .pub file has them.",
                empty="none",
                lines=True,
            ),
            ViewField(key="access.fetch", label="Fetch keys", view="keys"),
        ),
    ),
)
