"""`python -m guard`: the same as the command `ecoguard`."""

from guard.commands.main import main

if __name__ == "__main__":
    main()
