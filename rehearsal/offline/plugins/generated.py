"""The common shape of resources whose values are made once and then only live in Pulumi's state."""

from typing import Any, ClassVar

from rehearsal.offline.plugins.kept import Actor, Subject, bare, unknowns
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import plain


class Generated(Actor):
    """A value made from inputs; nothing exists outside the state."""

    static: ClassVar[dict[str, Any]] = {}  # defaults that the real plugin writes into the outputs

    def make(self, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Give the id and the outputs."""
        raise NotImplementedError

    def defaults(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Add the values that the real plugin has for what was not given."""
        return {**self.static, **inputs}

    def sides(
        self, subject: Subject, state: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Compare with the defaults filled in."""
        return self.defaults(old), self.defaults(new)

    def preview(self, subject: Subject, inputs: dict[str, Any]) -> dict[str, Any]:
        """Give what is known before: the inputs and the defaults."""
        known = self.defaults(bare(inputs))
        return {**unknowns(subject, known), **known}

    def create(self, subject: Subject, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Make the values."""
        given = self.defaults(bare(plain(inputs)))
        identity, outputs = self.make(given)
        return identity, {**given, **outputs}

    def update(
        self, subject: Subject, identity: str, old: dict[str, Any], inputs: dict[str, Any], preview: bool
    ) -> dict[str, Any]:
        """Keep what was made; only inputs that do not shape it can change in place."""
        made = {key: value for key, value in old.items() if key not in subject.schema["inputs"]}
        return {**made, **self.defaults(bare(inputs))}

    def read(
        self, subject: Subject, identity: str, state: dict[str, Any], inputs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Give the state back: there is nothing to look at."""
        if not state:
            raise Refusal(f"{subject.token.rsplit(':', 1)[-1]} cannot be imported: its value lives only in the state.")
        return state, inputs

    def delete(self, subject: Subject, identity: str, state: dict[str, Any]) -> None:
        """Nothing is left to remove."""
