"""`python -m classifiers`: the same as the command `ecoguard-train`."""

from classifiers.commands.main import main

if __name__ == "__main__":
    main()
