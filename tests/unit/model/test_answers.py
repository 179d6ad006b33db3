from types import MappingProxyType
from typing import ClassVar

from node.model.answers import Answers, Layer, SectionModel
from node.model.origin import DEFAULT, Origin, Precedence


class Lamp(SectionModel):
    key: ClassVar[str] = "lamp"
    persists: ClassVar[bool] = True
    on: bool = False
    colour: str = "white"


def test_a_value_without_a_place_of_its_own_has_its_parents() -> None:
    layer = Layer(Precedence.FILE, {}, "a.yaml", {"lamp": "a.yaml, line 3", "lamp.on": "a.yaml, line 4"})
    assert str(layer.origin("lamp.on")) == "a.yaml, line 4"
    assert str(layer.origin("lamp.colour")) == "a.yaml, line 3"
    assert str(layer.origin("fan")) == "a.yaml"


def test_a_section_that_nobody_set_has_its_defaults() -> None:
    answers = Answers({})
    assert answers[Lamp] == Lamp()
    assert answers.origin("lamp.on") == DEFAULT


def test_only_what_was_set_in_persistent_sections_outlives_the_install() -> None:
    answers = Answers(
        MappingProxyType({"lamp": Lamp(on=True)}), {"lamp.on": Origin(Precedence.SCREEN, "the lamp page")}
    )
    assert answers.persistent() == {"lamp": {"on": True}}
