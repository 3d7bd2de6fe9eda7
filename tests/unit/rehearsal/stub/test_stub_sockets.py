"""Socket.IO with the public client: by polling and by WebSocket, bound to the instance that greeted it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import socketio  # type: ignore[import-untyped]
from stub_process import Backend, running

pytestmark = pytest.mark.slow


async def _talk(server: Backend, transport: str) -> tuple[dict[str, Any], dict[str, Any]]:
    client = socketio.AsyncClient(reconnection=False)
    hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    client.on("hello", hello.set_result)
    await client.connect(f"http://127.0.0.1:{server.port}", transports=[transport])
    answer = await client.call("echo", {"n": 1}, timeout=5)
    await client.eio.disconnect(abort=True)  # the polite way makes the polling client wait for a whole ping interval
    return await hello, answer


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_both_transports_carry_events(server: Backend, transport: str) -> None:
    hello, answer = asyncio.run(_talk(server, transport))
    assert hello["version"] == "1.4.2"
    assert answer["data"] == {"n": 1}
    assert answer["instance"] == hello["instance"]


def open_by_polling(server: Backend) -> str:
    """The path of a new session, as a browser keeps it."""
    opened = server.ask("GET", "/socket.io/?EIO=4&transport=polling")
    found = re.search(r"\{.*\}", opened.body)
    assert found, opened.body
    path = f"/socket.io/?EIO=4&transport=polling&sid={json.loads(found.group())['sid']}"
    assert server.ask("POST", path, "40").status == 200
    return path


def test_a_polling_session_is_unknown_to_another_instance(server: Backend) -> None:
    """Why the proxy has to be sticky: this is what a visitor gets who lands elsewhere."""
    path = open_by_polling(server)
    assert '"hello"' in server.ask("GET", path).body
    with running() as other:
        assert other.ask("GET", path).status == 400


def test_a_drain_ends_a_long_poll() -> None:
    with running() as server:
        path = open_by_polling(server)
        server.ask("GET", path)  # the greeting
        with ThreadPoolExecutor() as pool:
            poll = pool.submit(server.ask, "GET", path)
            time.sleep(0.4)
            server.terminate()
            answer = poll.result(timeout=5)
        assert (answer.status, answer.body) == (200, "41")  # 41: the server ends the session
        assert server.process.wait(timeout=5) == 0


def test_a_drain_ends_a_web_socket() -> None:
    async def hold_and_watch(server: Backend) -> None:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(f"http://127.0.0.1:{server.port}", transports=["websocket"])
        server.terminate()
        await asyncio.wait_for(client.wait(), timeout=5)

    with running() as server:
        asyncio.run(hold_and_watch(server))
        assert server.process.wait(timeout=5) == 0
