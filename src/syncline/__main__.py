"""`python -m syncline` into the command line."""

from syncline.cli.app import main

main()
