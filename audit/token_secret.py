"""The master key from a PKCS#11 token: derived there, from a secret that never leaves it.

The token holds a generic secret key and answers HMAC-SHA-256 (CKM_SHA256_HMAC) over one fixed text; the 32 bytes are
the master key. Nothing is stored outside the token, so there is no wrapped key to lose or to copy; the token's own
backup is the backup, and another key on the token is another master key, to which `rotate-master-key` leads over.
"""

from __future__ import annotations

from audit.errors import KeyRefused
from audit.keys import KEY_SIZE, MasterKey
from audit.pkcs11 import TokenReference, token_session

_DERIVATION = b"glasshouse/master-key/v1"


def token_master_key(uri: str) -> MasterKey:
    """Derive the master key that a `pkcs11:` reference (RFC 7512) names.

    Raises:
        KeyRefused: the reference, the module, the token, the PIN or the key is not fit for use.
    """
    reference = TokenReference.parse(uri)
    with token_session(reference, "master key") as (session, constants):
        named = {"label": reference.label, "id": reference.id}
        key = session.get_key(
            object_class=constants.ObjectClass.SECRET_KEY, **{name: value for name, value in named.items() if value}
        )
        if key[constants.Attribute.EXTRACTABLE]:
            raise KeyRefused("the master key's secret on the token can be taken out of it; make one that cannot")
        derived = bytes(key.sign(_DERIVATION, mechanism=constants.Mechanism.SHA256_HMAC))
    if len(derived) != KEY_SIZE:
        raise KeyRefused("the token gave no 32 bytes for the master key")
    return MasterKey(derived)
