"""Faithful stand-ins of both vendors on real HTTP: for the demo, for tests and for trying things out."""
