"""``python -m nassim``: the command line, where the script ``nassim`` is not on the path."""

from nassim.cli.main import main

if __name__ == "__main__":
    main()
