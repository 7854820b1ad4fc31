"""Bar charts as SVG, for light and dark pages."""

from collections.abc import Sequence
from html import escape

STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2937 }
  .title { font-weight: 600; font-size: 15px }
  .group { font-weight: 600 }
  .ours { fill: #2563eb } .other { fill: #9ca3af }
  @media (prefers-color-scheme: dark) {
    text { fill: #e5e7eb } .ours { fill: #60a5fa } .other { fill: #6b7280 }
  }
"""
WIDTH, LEFT, RIGHT, BAR = 720, 220, 90, 22


def bars(title: str, groups: dict[str, Sequence[tuple[str, float, bool]]], form: str) -> str:
    """One chart: in each group bars with a name, a value and whether it is ours.

    form: how a value is written, such as `{:.0f} ms`.
    """
    longest = max(value for rows in groups.values() for _, value, _ in rows)
    top, drawn = 48, []
    for group, rows in groups.items():
        drawn.append(f'<text class="group" x="0" y="{top}">{escape(group)}</text>')
        for name, value, ours in rows:
            top += BAR + 4
            width = (WIDTH - LEFT - RIGHT) * value / longest
            drawn += [
                f'<text x="12" y="{top}">{escape(name)}</text>',
                f'<rect class="{"ours" if ours else "other"}" x="{LEFT}" y="{top - 15}" '
                f'width="{width:.1f}" height="{BAR - 2}" rx="3"/>',
                f'<text x="{LEFT + width + 8:.1f}" y="{top}">{form.format(value)}</text>',
            ]
        top += BAR + 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - 20}" role="img" '
        f'aria-label="{escape(title)}">\n<style>{STYLE}</style>\n'
        f'<text class="title" x="0" y="18">{escape(title)}</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
