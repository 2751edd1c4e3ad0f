"""What README.md shows is what the commands print."""

import pytest

from support.readme import output_of, transcripts


def test_the_readme_shows_transcripts() -> None:
    assert [command for command, _ in transcripts()] == [
        "kmigrate check --all --brief",
        "kmigrate hazards --explain H2",
    ]


@pytest.mark.parametrize(("command", "shown"), transcripts(), ids=lambda value: value[:30])
def test_a_transcript_is_what_the_command_prints(command: str, shown: str) -> None:
    assert output_of(command) == shown
