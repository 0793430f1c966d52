"""`python -m planar`: the `planar` command."""

from planar.cli import main

if __name__ == "__main__":
    main()
