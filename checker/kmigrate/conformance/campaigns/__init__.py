"""Many runs: plans, work for several processes, findings, states to go on from, and whether all that is enough."""
