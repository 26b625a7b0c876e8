"""Syncline's benchmarks: `python -m bench [--quick] [NAME…]`, or `make bench`."""
