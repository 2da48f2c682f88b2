"""A device is called by product names from a fixed list, whatever it says of itself."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.domain.devices import _BROWSERS, _SYSTEMS, Device, network_of

Address = IPv4Address | IPv6Address

WINDOWS_EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("text", "browser", "system"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox", "Linux"),
        (WINDOWS_EDGE, "Edge", "Windows"),
        (IPHONE, "Safari", "iPhone"),
        (ANDROID, "Chrome", "Android"),
        ("curl/8.5.0", "", ""),
        ("", "", ""),
    ],
)
def test_the_usual_ones_are_recognised(text: str, browser: str, system: str) -> None:
    assert Device.of_user_agent(text) == Device(browser, system)


@given(st.text())
def test_nothing_that_a_client_writes_is_kept(text: str) -> None:
    device = Device.of_user_agent(text)
    assert device.browser in {"", *(name for _, name in _BROWSERS)}
    assert device.system in {"", *(name for _, name in _SYSTEMS)}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("unix:", ""),
        (None, ""),
    ],
)
def test_a_network_is_the_prefix_of_an_address(address: str | None, network: str) -> None:
    assert network_of(address) == network


@given(st.ip_addresses(), st.ip_addresses())
def test_two_addresses_are_of_one_network_when_their_first_bits_agree(one: Address, other: Address) -> None:
    assume(not any(getattr(address, "ipv4_mapped", None) for address in (one, other)))
    first_bits = [(address.version, int(address) >> (8 if address.version == 4 else 80)) for address in (one, other)]
    assert (network_of(str(one)) == network_of(str(other))) is (first_bits[0] == first_bits[1])
