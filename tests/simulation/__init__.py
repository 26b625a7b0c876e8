"""Whole worlds in one process: both vendors, people who edit, a bad network, crashes, and the engine between them."""
