"""The common shape of resources whose values are made once and then only live in Pulumi's state."""

from typing import ClassVar

from rehearsal.offline.plugins.kept import Actor, Subject, bare, unknowns
from rehearsal.offline.plugins.refusal import Refusal
from rehearsal.offline.plugins.wire import Found, Sides, Values, plain


class Generated(Actor):
    """A value made from inputs; nothing exists outside the state."""

    static: ClassVar[Values] = {}  # defaults that the real plugin writes into the outputs

    def make(self, inputs: Values) -> tuple[str, Values]:
        """Give the id and the outputs."""
        raise NotImplementedError

    def defaults(self, inputs: Values) -> Values:
        return {**self.static, **inputs}

    def sides(self, subject: Subject, state: Values, old: Values, new: Values) -> Sides:
        return self.defaults(old), self.defaults(new)

    def preview(self, subject: Subject, inputs: Values) -> Values:
        known = self.defaults(bare(inputs))
        return {**unknowns(subject, known), **known}

    def create(self, subject: Subject, inputs: Values) -> tuple[str, Values]:
        given = self.defaults(bare(plain(inputs)))
        identity, outputs = self.make(given)
        return identity, {**given, **outputs}

    def update(self, subject: Subject, identity: str, old: Values, inputs: Values, preview: bool) -> Values:
        """Keep what was made; only inputs that do not shape it can change in place."""
        made = {key: value for key, value in old.items() if key not in subject.schema["inputs"]}
        return {**made, **self.defaults(bare(inputs))}

    def read(self, subject: Subject, identity: str, state: Values, inputs: Values) -> Found:
        """Give the state back: there is nothing to look at."""
        if not state:
            raise Refusal(f"{subject.token.rsplit(':', 1)[-1]} cannot be imported: its value lives only in the state.")
        return state, inputs

    def delete(self, subject: Subject, identity: str, state: Values) -> None:
        """Nothing is left to remove."""
