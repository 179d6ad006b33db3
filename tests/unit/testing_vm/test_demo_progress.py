"""What a person sees while `make demo` works."""

from __future__ import annotations

import io

from demo.progress import PlainProgress


def test_a_line_without_a_word_does_not_replace_what_was_said():
    progress = PlainProgress(io.StringIO())
    with progress.stage("Boot") as stage:
        progress.note("Booting `Nodecrust (slot A)'")
        progress.note("'")
        progress.note("")
        assert stage.line == "Booting `Nodecrust (slot A)'"


def test_the_end_of_a_stage_says_what_came_of_it():
    output = io.StringIO()
    with PlainProgress(output).stage("Boot") as stage:
        stage.result = "up"
    begun, ended = output.getvalue().splitlines()
    assert begun == "...     Boot"
    assert ended.startswith("done    Boot: up (")
