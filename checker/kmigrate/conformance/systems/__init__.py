"""The pair of the whole machine and L3: how the machine looks, which step is which action, signs of hazards."""
