from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from node.model.mask import MASK
from node.model.step import Step, step_from_data, step_to_data


@dataclass(frozen=True)
class WriteSecret(Step):
    secret_fields: ClassVar[frozenset[str]] = frozenset({"contents"})
    path: Path
    contents: str

    def summary(self) -> str:
        return f"write {self.path}"


def test_the_engine_gets_a_step_back_as_it_was() -> None:
    step = WriteSecret(Path("/a"), "$y$hash")
    assert step_from_data(step_to_data(step, reveal=True)) == step


def test_everyone_else_sees_no_secret() -> None:
    data = step_to_data(WriteSecret(Path("/a"), "$y$hash"))
    assert data["contents"] == MASK
    assert "$y$hash" not in str(data)


@pytest.mark.parametrize("name", ["", "nonsense", "pathlib:Path", "node.model.step:MASK"])
def test_data_that_names_no_step_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="names no step"):
        step_from_data({"step": name})
