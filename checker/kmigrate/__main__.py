"""`python -m kmigrate` is the command `kmigrate`."""

from kmigrate.cli import main

if __name__ == "__main__":
    main()
