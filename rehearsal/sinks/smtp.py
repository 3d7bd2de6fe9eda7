"""A mail server that keeps what it gets and delivers nothing."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from rehearsal.sinks.place import LOOPBACK, Place
from rehearsal.sinks.process import Server, launch_module, records
from rehearsal.sinks.serving import announce, record

REFUSE = "refuse"  # a recipient's local part: what the server says when a mailbox does not exist


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: tuple[str, ...]
    raw: str

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw.encode("latin-1"), policy=policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 - by the policy
        return parsed


@dataclass(frozen=True)
class SmtpSink:
    server: Server
    address: str
    port: int
    _record: Path

    def mails(self) -> list[Mail]:
        """Everything that arrived, oldest first."""
        return [Mail(line["sender"], tuple(line["recipients"]), line["raw"]) for line in records(self._record)]

    def stop(self) -> None:
        self.server.stop()


def start_smtp(folder: Path, place: Place = LOOPBACK) -> SmtpSink:
    record_file = folder / "mails.jsonl"
    server, port = launch_module("smtp", place, folder, str(record_file))
    return SmtpSink(server, place.address, port, record_file)


class _Keeper:
    def __init__(self, path: Path) -> None:
        self.path = path

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name and arguments
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.split("@", maxsplit=1)[0] == REFUSE:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        raw: Any = envelope.original_content or b""
        entry = {"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "raw": raw.decode("latin-1")}
        record(self.path, entry)
        return "250 2.0.0 Kept"


async def _serve(address: str, announcement: Path, path: Path) -> None:
    loop = asyncio.get_running_loop()
    keeper = _Keeper(path)
    listening = await loop.create_server(lambda: SMTP(keeper, hostname="sink.rehearsal.test"), address, 0)
    announce(announcement, listening.sockets[0].getsockname()[1])
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
