"""Reports on an evaluation: HTML in one file, PDF, LaTeX and CSV."""

from core.evaluation.report.csv_file import write_csv
from core.evaluation.report.html_page import write_html
from core.evaluation.report.latex import write_tex
from core.evaluation.report.pdf import write_pdf

__all__ = ["write_csv", "write_html", "write_pdf", "write_tex"]
