"""Spend, requests and tokens, as totals, as a chart and by groups.

page                      the page, and its rows as CSV
span                      the question: which days, whose calls, and how they are cut
facts                     the counts, read as cheaply as may be
lines, chart, report      what is made of them: a table, bars, a PDF
"""
