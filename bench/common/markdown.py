"""Paragraphs and rows of tables."""

import textwrap


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def paragraph(text):
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def megabytes(byte_count):
    return f"{byte_count / 1e6:,.0f}" if byte_count >= 9.95e6 else f"{byte_count / 1e6:.1f}"
