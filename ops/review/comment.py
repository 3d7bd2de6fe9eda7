"""Posts a report as the one comment of its pull request. python -m ops.review.comment REPORT.json

Runs with the right to comment, beside a report that a stranger's code may have written: the report is read within
limits and rendered here, and which pull request it is about is asked of the code host. Standard library only, since
nothing is installed where this runs.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.review.markdown import MARKER, markdown
from ops.review.report import LARGEST_REPORT, ReportError, read

AUTHOR = "github-actions[bot]"
PAGE = 100
MOST_PAGES = 20
SECONDS = 30
NAMES = ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_TOKEN")
ABOUT = ("HEAD_BRANCH", "HEAD_REPOSITORY", "HEAD_SHA", "RUN_ID")


class CommentError(Exception):
    """Why nothing was posted, in one sentence."""


@dataclass(frozen=True)
class Host:
    """The code host's API, as far as it is needed."""

    api: str
    repository: str
    token: str

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 (the address is the code host's own)
            f"{self.api}/repos/{self.repository}/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/vnd.github+json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise CommentError(f"{method} {path.partition('?')[0]} was answered with {error.code}.") from None
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise CommentError(f"{method} {path.partition('?')[0]} was not answered: {error}") from None

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            found = self.ask("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return


def pull_request(host: Host, repository: str, branch: str, sha: str) -> int | None:
    """The open pull request whose newest commit this is; None if it has moved on or is closed."""
    owner = repository.partition("/")[0]
    head = urllib.parse.quote(f"{owner}:{branch}", safe="")
    for each in host.pages(f"pulls?state=open&head={head}"):
        source = each["head"]
        if source["sha"] == sha and (source.get("repo") or {}).get("full_name") == repository:
            return int(each["number"])
    return None


def post(host: Host, number: int, body: str) -> str:
    """Writes the comment, or writes over the one of an earlier run."""
    for comment in host.pages(f"issues/{number}/comments"):
        if (comment.get("user") or {}).get("login") == AUTHOR and str(comment.get("body", "")).startswith(MARKER):
            host.ask("PATCH", f"issues/comments/{int(comment['id'])}", {"body": body})
            return f"The comment on #{number} says what this run found."
    host.ask("POST", f"issues/{number}/comments", {"body": body})
    return f"Commented on #{number}."


def body_of(file: Path, run: str) -> str:
    footer = f"\n<sub>Made by this pull request's own code in [its run]({run}), whose result decides.</sub>\n"
    try:
        if file.stat().st_size > LARGEST_REPORT:
            raise ReportError(f"The report is larger than {LARGEST_REPORT} bytes.")
        text = markdown(read(file.read_text(encoding="utf-8")))
    except (ReportError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, ReportError) else "The report is not text."
        text = f"{MARKER}\n## Infrastructure: no report\n\nWhat the run handed over is no report. {reason}\n"
    return text + footer


def main(arguments: list[str]) -> int:
    try:
        given = {name: os.environ[name] for name in (*NAMES, *ABOUT)}
        if not re.fullmatch(r"\d+", given["RUN_ID"]) or not re.fullmatch(r"[0-9a-f]{40,64}", given["HEAD_SHA"]):
            raise CommentError("RUN_ID must be a number and HEAD_SHA a commit.")
        host = Host(given["GITHUB_API_URL"], given["GITHUB_REPOSITORY"], given["GITHUB_TOKEN"])
        number = pull_request(host, given["HEAD_REPOSITORY"], given["HEAD_BRANCH"], given["HEAD_SHA"])
        if number is None:
            print("No open pull request ends with this commit: there is a newer one, or it is closed.")
            return 0
        run = f"{given['GITHUB_SERVER_URL']}/{given['GITHUB_REPOSITORY']}/actions/runs/{given['RUN_ID']}"
        print(post(host, number, body_of(Path(arguments[0]), run)))
    except KeyError as error:
        print(f"{error.args[0]} is not set: this is run by .github/workflows/pull-request-report.yml.", file=sys.stderr)
        return 1
    except (CommentError, OSError, IndexError) as error:
        print(f"Nothing was posted: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
