"""What `ray submit` copies to the head of a cluster: `mmpt` with the arguments that follow.

    ray submit cluster.yaml examples/submit.py -- run quickstart --address auto --store /shared/mmpt-store

`ray submit` copies this one file and nothing else, so the package must be installed there; the set-up commands of
`cluster.yaml` and `examples/cluster.local.yaml` see to that.
"""

from orchestrator.cli import main

if __name__ == "__main__":
    main()
