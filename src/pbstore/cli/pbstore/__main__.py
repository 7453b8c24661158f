"""`python -m pbstore.cli.pbstore`: the program without its installed command."""

from pbstore.cli.pbstore.main import main

main()
