"""The base of every section of a stack file."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Strict and read-only. The string below a field is its description in docs/settings.md and in the schemas.

    An unknown key is an error, and an error never repeats the value: what somebody typed may be a secret.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)
