"""Claims for every size: one module per claim, and the obligations that they come down to."""

from kmigrate.proofs.claim import Claim
from kmigrate.proofs.errors import ProofError

__all__ = ["Claim", "ProofError"]
