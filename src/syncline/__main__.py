"""`python -m syncline` into the command line."""

from syncline.cli import main

main()
