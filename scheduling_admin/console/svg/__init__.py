"""Draws timelines as SVG. Positions are percentages, so that a drawing fits any width without a script."""
