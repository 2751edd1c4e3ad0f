"""The machine taken apart: its judged graph, and what walks it, tours it and explores it to the end."""
