"""What a gateway does with messages while it does not have the account yet."""

from __future__ import annotations

from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, HoldWord, Message, Receipt, SetupWanted


class Waiting:
    """Keeps who wants a setup, and people's and the supervisor's words; nothing else is worth keeping."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.kept: list[Message] = []

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message of another actor."""
        if self.mailbox.accept(envelope).is_fresh:
            message = envelope.message
            if isinstance(message, SetupWanted | HoldWord) and message not in self.kept:
                self.kept.append(message)
        return Receipt()
