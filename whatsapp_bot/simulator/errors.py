class CannotDo(Exception):
    """What somebody asked of the simulator cannot be done; the text says why, in a sentence."""
