"""`python -m orchestrator` is `mmpt`."""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
