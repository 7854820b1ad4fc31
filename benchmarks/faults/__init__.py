"""Andon as in production, talked to, broken on purpose, and counted afterwards.

`make faults` runs all of it; `make faults ARGS="kills --database sqlite"` a part. See
docs/reliability.md for what came out.
"""
