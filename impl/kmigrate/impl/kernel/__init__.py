"""The kernel of one cluster, and its state in the cluster's memory."""
