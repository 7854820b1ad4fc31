"""What becomes of a step that cannot be taken."""


class NotAllowed(Exception):
    """A step that cannot be taken. reasons: one sentence each, for whoever wanted to."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons
