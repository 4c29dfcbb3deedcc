"""The fixture that keeps tests on this machine."""

from __future__ import annotations

import socket

import pytest


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0)])
def test_no_test_reaches_the_outside_world(address: tuple[object, ...]) -> None:
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    with socket.socket(family) as connection, pytest.raises(RuntimeError, match="outside world"):
        connection.connect(address)


def test_no_test_asks_for_the_address_of_somebody_outside() -> None:
    with pytest.raises(RuntimeError, match="outside world"):
        socket.getaddrinfo("api.amazon.com", 443)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
