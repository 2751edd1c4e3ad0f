"""The judge of any machine by any model: tables, pairs, verdicts, and what was covered."""
