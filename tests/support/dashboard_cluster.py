"""A Ray cluster with a dashboard in a process of its own: run as a script, it prints the address and stays.

Ray reads a token and whether to ask for one once per process, so a test cannot start such a cluster in its own.
"""

import socket
import sys

from ray.cluster_utils import Cluster


def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"num_cpus": 2, "object_store_memory": 10**8, "include_dashboard": True, "dashboard_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=options)
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
