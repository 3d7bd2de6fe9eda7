"""The frontend's image: static files on port 80, every path the application's, assets for ever."""

from __future__ import annotations

import re
import urllib.error
import urllib.request

import pytest

from rehearsal.images import ensure_image, frontend
from rehearsal.images.throwaway import Container, throwaway
from rehearsal.images.upstream import Source

pytestmark = pytest.mark.rehearsal


def ask(container: Container, path: str) -> tuple[int, str, str]:
    """Status, Cache-Control and body."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{container.published(80)}{path}", timeout=60) as answer:
            return answer.status, answer.headers.get("Cache-Control", ""), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, "", ""


def test_it_serves_a_single_page_application() -> None:
    image = ensure_image(frontend("1.4.2"), Source.BUILT)
    with throwaway(image.tag, flags=["--publish", "127.0.0.1::80"]) as container:
        container.wait_until(lambda: ask(container, "/")[0] == 200, "the frontend answers")
        status, cache, page = ask(container, "/profile/settings")
        assert (status, cache) == (200, "no-cache")
        assert 'content="1.4.2"' in page
        asset = re.search(r"/assets/app-[0-9a-f]{8}\.js", page)
        assert asset, page
        assert ask(container, asset.group())[:2] == (200, "public, max-age=31536000, immutable")
        assert ask(container, "/assets/app-00000000.js")[0] == 404
        assert ask(container, "/version.json")[2] == '{"version": "1.4.2"}\n'


def test_another_version_is_another_image_with_other_assets() -> None:
    first, second = (ensure_image(frontend(version), Source.BUILT) for version in ("1.4.2", "1.4.3"))
    assert first.tag != second.tag
    assert ensure_image(frontend("1.4.2"), Source.BUILT) == first
