"""nginx' image: what the official one promises to those who run it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rehearsal.docker import docker
from rehearsal.images import Image
from rehearsal.images.throwaway import Container, throwaway

pytestmark = pytest.mark.rehearsal

Find = Callable[[str], Image]
PUBLISH = ["--publish", "127.0.0.1::80"]


def fetch(container: Container, path: str = "/", timeout: float = 60) -> str:
    address = f"http://127.0.0.1:{container.published(80)}{path}"
    with urllib.request.urlopen(address, timeout=timeout) as answer:
        return str(answer.read().decode())


def wait_until_it_answers(container: Container) -> None:
    container.wait_until(lambda: fetch(container) != "", "nginx answers")


def configuration(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
        path.parent.chmod(0o755)
    folder.chmod(0o755)
    return folder


def test_it_serves_its_page_as_uid_101_and_logs_to_the_container(image: Find) -> None:
    with throwaway(image("nginx").tag, flags=PUBLISH) as container:
        wait_until_it_answers(container)
        assert "<title>" in fetch(container, "/?looked-for")
        assert "GET /?looked-for HTTP/1.1" in container.logs()
        assert "start worker process" in container.logs()
        workers = container.run("sh", "-c", "for p in /proc/[0-9]*; do stat -c %u:%g $p; done")
        assert "101:101" in workers.splitlines()
        assert container.run("nginx", "-t") == ""
        assert container.stop() == 0


def test_templates_get_the_environment_and_keep_nginx_own_variables(image: Find, tmp_path: Path) -> None:
    words = "${GREETING} ${NAME} ${NGINX_LOCAL_RESOLVERS} $request_method"
    site = f'server {{ listen 80; location / {{ return 200 "{words}\\n"; }} }}'
    folder = configuration(tmp_path, {"site.conf.template": site, "more/unused.txt": "no template"})
    options = [
        *("--volume", f"{folder}:/etc/nginx/templates:ro"),
        *("--env", "GREETING=good day", "--env", "NAME=x", "--env", "request_method=never", *PUBLISH),
        *("--env", "NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1", "--dns", "192.0.2.53", "--dns", "2001:db8::53"),
        *("--env", "NGINX_ENVSUBST_FILTER=^(GREETING|NAME|NGINX_LOCAL_RESOLVERS)$"),
    ]
    with throwaway(image("nginx").tag, flags=options) as container:
        container.run("rm", "/etc/nginx/conf.d/default.conf")
        container.wait_until(lambda: container.run("nginx", "-s", "reload") == "", "nginx reloads")
        container.wait_until(
            lambda: fetch(container) == "good day x 192.0.2.53 [2001:db8::53] GET\n", "the template is served"
        )


def test_scripts_prepare_in_order_and_envsh_lasts(image: Find, tmp_path: Path) -> None:
    scripts = {
        "90-set.envsh": "#!/bin/sh\nexport FROM_ENVSH=lasts\n",
        "91-use.sh": '#!/bin/sh\necho "script saw $FROM_ENVSH"\n',
        "92-not-executable.sh": "echo never run\n",
    }
    folder = configuration(tmp_path, scripts)
    mounts = [part for name in scripts for part in ("--volume", f"{folder / name}:/docker-entrypoint.d/{name}:ro")]
    with throwaway(image("nginx").tag, flags=[*PUBLISH, *mounts]) as container:
        wait_until_it_answers(container)
        assert "script saw lasts" in container.logs()
        assert "never run" not in container.logs()
        assert "Ignoring /docker-entrypoint.d/92-not-executable.sh" in container.logs()
    assert "script saw" not in docker("run", "--rm", *mounts, image("nginx").tag, "cat", "/etc/hostname")


def test_sigquit_lets_the_request_under_way_finish(image: Find, tmp_path: Path) -> None:
    body = "x" * 600
    slow = f"location /slow {{ limit_rate 200; return 200 '{body}'; }}"
    site = f"server {{ listen 80; location / {{ return 200 ok; }} {slow} }}"
    folder = configuration(tmp_path, {"default.conf": site})
    options = [*PUBLISH, "--volume", f"{folder}:/etc/nginx/conf.d:ro"]
    with throwaway(image("nginx").tag, flags=options) as container:
        wait_until_it_answers(container)
        address = f"http://127.0.0.1:{container.published(80)}/slow"
        with urllib.request.urlopen(address, timeout=120) as answer:
            beginning = answer.read(1)  # so that it is under way
            with ThreadPoolExecutor() as beside:
                stopping = beside.submit(container.stop, grace=60)
                assert (beginning + answer.read()).decode() == body
                assert stopping.result() == 0


def test_a_read_only_root_with_two_tmpfs_is_enough(image: Find, tmp_path: Path) -> None:
    files = {
        "nginx.conf": (
            "pid /var/run/nginx.pid;\nevents { worker_connections 64; }\n"
            "http { client_body_temp_path /var/cache/nginx/client_temp; server { listen 8080; return 200 ok; } }\n"
        )
    }
    folder = configuration(tmp_path, files)
    options = [
        *("--volume", f"{folder}/nginx.conf:/etc/nginx/nginx.conf:ro", "--user", "101:101", "--cap-drop", "ALL"),
        *("--read-only", "--tmpfs", "/var/cache/nginx:uid=101", "--tmpfs", "/var/run:uid=101"),
    ]
    with throwaway(image("nginx").tag, flags=options) as container:
        container.wait_until(lambda: container.run("curl", "-sf", "http://127.0.0.1:8080/") == "ok", "nginx answers")


def test_the_modules_that_the_load_balancer_needs(image: Find, tmp_path: Path) -> None:
    folder = configuration(
        tmp_path,
        {
            "default.conf": "limit_req_zone $binary_remote_addr zone=a:1m rate=10r/s;\n"
            "limit_conn_zone $binary_remote_addr zone=b:1m;\n"
            "proxy_cache_path /var/cache/nginx/api keys_zone=c:1m;\n"
            "upstream u { least_conn; server 127.0.0.1:3000 max_fails=3; keepalive 64; }\n"
            "upstream s { hash $remote_addr consistent; server 127.0.0.1:3000; }\n"
            "map $http_upgrade $up { default upgrade; '' close; }\n"
            "server { listen 80; real_ip_header CF-Connecting-IP; set_real_ip_from 10.0.0.0/8; gzip on;\n"
            "  location / { limit_req zone=a burst=20 nodelay; limit_conn b 10; proxy_cache c; proxy_pass http://u; }\n"
            "  location /s { auth_request /a; stub_status; } }\n"
        },
    )
    command = ("run", "--rm", "--volume", f"{folder}:/etc/nginx/conf.d:ro", image("nginx").tag)
    done = docker(*command, "sh", "-c", "nginx -t 2>&1; nginx -V 2>&1")
    assert "test is successful" in done
    assert "with-http_v2_module" in done
    assert "with-http_ssl_module" in done


def test_what_the_image_declares(image: Find) -> None:
    config = json.loads(docker("image", "inspect", "--format", "{{json .Config}}", image("nginx").tag))
    assert config["StopSignal"] == "SIGQUIT"
    assert config["Entrypoint"] == ["/docker-entrypoint.sh"]
    assert config["Cmd"] == ["nginx", "-g", "daemon off;"]
    assert list(config["ExposedPorts"]) == ["80/tcp"]
    version = dict(pair.split("=", 1) for pair in config["Env"])["NGINX_VERSION"]
    assert f"nginx/{version}" in docker("run", "--rm", image("nginx").tag, "sh", "-c", "nginx -v 2>&1")
