"""Reports for people: verdict tables, traces told in lanes, progress."""

from kmigrate.report.lanes import told
from kmigrate.report.page import verdict_page
from kmigrate.report.progress import Watch
from kmigrate.report.verdicts import answers_table, coverage_line, size_line, summary_table

__all__ = ["Watch", "answers_table", "coverage_line", "size_line", "summary_table", "told", "verdict_page"]
