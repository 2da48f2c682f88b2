"""Consistency proofs in the tree of the eight leaves of `rfc6962`, as transparency-dev/merkle (Apache-2.0) states them.

Facts: whoever computes RFC 6962, section 2.1.2, over these leaves gets these hashes.
"""

_ONE = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_TWO_THREE = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_FOUR = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_FOUR_FIVE = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
_SIX = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
_SIX_SEVEN = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_FIRST_FOUR = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
_LAST_FOUR = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

#: (size1, size2) -> the proof that the one tree begins with the other.
PROOFS = {
    sizes: tuple(map(bytes.fromhex, hashes))
    for sizes, hashes in {
        (1, 1): (),
        (1, 8): (_ONE, _TWO_THREE, _LAST_FOUR),
        (6, 8): (_FOUR_FIVE, _SIX_SEVEN, _FIRST_FOUR),
        (2, 5): (_TWO_THREE, _FOUR),
        (6, 7): (_FOUR_FIVE, _SIX, _FIRST_FOUR),
    }.items()
}
