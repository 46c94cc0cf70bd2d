"""`python -m billing_app` is the command `billing`."""

from billing_app.cli import main

if __name__ == "__main__":
    main()
